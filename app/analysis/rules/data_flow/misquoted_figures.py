"""Replies that give another number for a field than the record that the model was asked about.

A model reads `{"ph": 4.3}` and writes that the pH of 5.8 is fine.
"""

import re
from collections.abc import Iterator

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.rules.data_flow.figures import (
    MOST_NUMBERS,
    derive_numbers,
    find_figures,
    is_among,
)
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis, list_model_calls
from app.analysis.tree import Node

_CONFIDENCE = 0.75  # the number may be of something else that bears the name
_FIELD = re.compile(r'"([^\W\d]\w{1,30})"\s?:\s?(-?\d{1,12}(?:\.\d{1,6})?)(?![\w.])')
_ANY_NUMBER = re.compile(r"(?<![\w.])-?\d{1,12}(?:\.\d{1,6})?")
_FOLLOWED_BY = r"([^.!?\d\n]{0,30}?)(\d+(?:[.,]\d+)?)(?![\w:/-])"
_TO_BE_REACHED = re.compile(
    r"\b(?:to|above|below|under|over|than|least|most|until|between|from|target\w*|should|must|norm\w*"
    r"|limit\w*|naar|tot|boven|onder|auf|bis|über|unter|soll\w*|à|vers|jusqu\w*|entre|sous|hasta|sobre"
    r"|bajo|debe\w*|fino|tra|sotto|sopra|dovr\w*|até|para|acima|abaixo|till|över|mellan|do|до)\b",
    re.IGNORECASE,
)
"""What says of a number that it is an aim or a limit."""
_REPLY_READ = 2_000  # characters: a longer text is about more than a record
_RECORD_READ = 4_000  # characters of a request: one with more is about more than a record
_MOST_FOUND = 3


def find_misquoted_figures(analysis: TraceAnalysis) -> Iterator[Finding]:
    """At most 3 model calls, each with the first such field."""
    found = 0
    for call in analysis.once(list_model_calls):
        finding = _compare_reply(call)
        if finding is not None:
            yield finding
            found += 1
        if found >= _MOST_FOUND:
            return


def _compare_reply(call: Node) -> Finding | None:
    text = call.view.reply.text
    if not text or len(text) > _REPLY_READ or call.view.reply.calls:
        return None
    given = (each.text for each in call.view.request.messages if each.role != "assistant")
    read = "\n".join(given)
    fields = _FIELD.findall(read) if '"' in read and len(read) <= _RECORD_READ else []
    numbers = [float(each) for each in _ANY_NUMBER.findall(read)] if fields else []
    if not fields or len(numbers) > MOST_NUMBERS:
        return None
    for key, value in fields:
        is_one = len({number for name, number in fields if name == key}) == 1
        figures = find_figures(_find_number_of(key, text)) if is_one else []
        if not figures or any(is_among(each, [float(value)]) for each in find_figures(text)):
            continue
        if not is_among(figures[0], derive_numbers(numbers)):
            return _build_finding(call, key, value, figures[0].text)
    return None


def _find_number_of(key: str, text: str) -> str:
    """The number that follows a field's name in a sentence, and is none to be reached; empty where
    there is none."""
    name = re.escape(key.replace("_", " "))
    found = re.search(rf"(?<!\w){name}(?!\w){_FOLLOWED_BY}", text, re.IGNORECASE)
    return found[2] if found and not _TO_BE_REACHED.search(found[1]) else ""


def _build_finding(call: Node, key: str, value: str, written: str) -> Finding:
    sentence = (
        f"{one_line(call.name, limit=60)} wrote {written} for {one_line(key, limit=40)}, which was"
        f" {value} in what it was asked about."
    )
    return build_finding(Category.IGNORED_RESULT, _CONFIDENCE, sentence, [call])
