"""Values that a model was given by name and wrote as nothing: `Companion: null`.

A model that shortens a state or a conversation drops a name, and the next step is given none.
"""

import re
from collections.abc import Iterator
from itertools import islice

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.recorded.spellings import plain_key
from app.analysis.rules.data_flow.named_values import PASSING_KEYS
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis, list_model_calls, list_read_steps
from app.analysis.tree import Node

_CONFIDENCE = 0.85  # a later step was given nothing: alone, a field may be emptied on purpose
_NOTHING = r"(?:null|None|nil|undefined|N/A)(?![\w./])"
_WRITTEN = re.compile(rf"(?<!\w)([^\W\d]\w{{1,30}})[\"*]*\s?[:=]\s?[\"*]*{_NOTHING}")
_MAY_STAND_IN = ("null", "None", "nil", "undefined", "N/A")
_REPLY_READ = 4_000  # characters
_TEXT_READ = 20_000  # characters of an instruction
_SHOWN = 60
_MOST_FOUND = 3
_MOST_LOOKED_AT = 5  # fields of a reply: one with more fills a form
_LEAVES_READ = 40  # of an input
_LATER_READ = 100  # spans after a reply that may miss what it dropped


def find_nulled_replies(analysis: TraceAnalysis) -> Iterator[Finding]:
    """At most 3 model calls, each with the first step after it that was given nothing."""
    found = 0
    for call in analysis.once(list_model_calls):
        text = call.view.reply.text[:_REPLY_READ]
        if not any(word in text for word in _MAY_STAND_IN):
            continue
        keys = dict.fromkeys(_WRITTEN.findall(text))
        for key in keys if len(keys) <= _MOST_LOOKED_AT else ():
            old = _find_given(key, call) if plain_key(key) not in PASSING_KEYS else ""
            dropped = old and old.casefold() not in text.casefold()
            missed = _find_missing(key, call, analysis) if dropped else None
            if missed is not None:
                yield _build_finding(key, old, call, missed)
                found += 1
                break
        if found >= _MOST_FOUND:
            return


def _find_given(key: str, call: Node) -> str:
    """The value of a field in the last instruction of a call; empty where it has none there or
    several."""
    text = call.view.request.last_instruction[:_TEXT_READ]
    pattern = (
        rf"(?<!\w){re.escape(key)}[\"*]*\s?[:=]\s?[\"*]*(?!{_NOTHING})(\w[^\"*,;}}\n]{{1,80}})"
    )
    values = {found.strip() for found in re.findall(pattern, text, re.IGNORECASE)}
    return values.pop() if len(values) == 1 else ""


def _build_finding(key: str, old: str, call: Node, missed: Node) -> Finding:
    name, next_name = (one_line(node.name, limit=60) for node in (call, missed))
    sentence = (
        f"{name} was given “{one_line(old, limit=_SHOWN)}” for {one_line(key, limit=40)} and wrote"
        f" that there is none; {next_name} then was given nothing."
    )
    return build_finding(Category.LOST_VALUE, _CONFIDENCE, sentence, [call, missed])


def _find_missing(key: str, call: Node, analysis: TraceAnalysis) -> Node | None:
    """The first step after the call that was given nothing else than nulls, or a null under the
    key of the field."""
    later = (node for node in analysis.once(list_read_steps) if node.start >= call.end)
    for node in islice(later, _LATER_READ):
        given = node.view.input
        if not given.may_have_empty:
            continue
        leaves = tuple(given.first_leaves(_LEAVES_READ))
        empty = {leaf.key for leaf in leaves if leaf.value in (None, "")}
        if plain_key(key) in empty or (empty and all(leaf.key in empty for leaf in leaves)):
            return node
    return None
