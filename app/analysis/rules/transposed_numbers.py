"""Numbers and names with digits of which two neighbours changed places on the way to a call."""

import re
from collections.abc import Iterator

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.recorded.body import Body
from app.analysis.rules.lookups import list_tool_calls
from app.analysis.rules.mistaken_dates import find_first_writer, list_given, read_dates
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis

_TOKEN = re.compile(r"[^\W_]+(?:[-/.][^\W_]+)*")
_FEWEST_DIGITS = 4  # shorter numbers are each other's neighbours by chance
_SHORTEST = 5
_LONGEST = 40
_MOST_TOKENS = 40  # of a question: more of them are a document
_TEXT_READ = 20_000  # characters of a question
_ARGUMENTS_READ = 40  # of a call
_CALLS_READ = 200
_CONFIDENCE = 0.8


def find_transposed_numbers(analysis: TraceAnalysis) -> Iterator[Finding]:
    """One finding for each value of a call that nothing before has, and that is one of the question
    but for two neighbours."""
    asked = Body(analysis.trace.input).canonical[:_TEXT_READ]
    tokens = {token for token in _TOKEN.findall(asked) if _is_number(token)}
    if not 0 < len(tokens) <= _MOST_TOKENS:
        return
    reported: set[str] = set()
    for call in analysis.once(list_tool_calls)[:_CALLS_READ]:
        if not analysis.was_read(call):
            continue
        for leaf in call.view.input.first_leaves(_ARGUMENTS_READ):
            value = str(leaf.value).casefold() if type(leaf.value) in (int, str) else ""
            if not _is_number(value) or value in asked or value in reported:
                continue
            given = next((token for token in tokens if _is_transposed(value, token)), None)
            if given is None or _was_given(value, call.start, analysis):
                continue
            reported.add(value)
            writer = find_first_writer(call, value, analysis)
            sentence = (
                f"{one_line(call.function_name, limit=60)} was given"
                f" {one_line(value, limit=_LONGEST)}, which nothing before has; the trace was asked"
                f" about {one_line(given, limit=_LONGEST)}: two signs changed places."
            )
            nodes = [*([writer] if writer is not None else []), call]
            yield build_finding(Category.LOST_VALUE, _CONFIDENCE, sentence, nodes)


def _is_number(token: str) -> bool:
    if not _SHORTEST <= len(token) <= _LONGEST or read_dates(token):
        return False
    return sum(map(str.isdigit, token)) >= _FEWEST_DIGITS


def _is_transposed(value: str, token: str) -> bool:
    if len(value) != len(token):
        return False
    places = [at for at, (one, other) in enumerate(zip(value, token, strict=True)) if one != other]
    if len(places) != 2 or places[1] != places[0] + 1:
        return False
    at = places[0]
    return value[at : at + 2] == token[at + 1] + token[at]


def _was_given(value: str, before: int, analysis: TraceAnalysis) -> bool:
    texts = analysis.once(list_given)
    return any(each.at <= before and value in each.text.casefold() for each in texts)
