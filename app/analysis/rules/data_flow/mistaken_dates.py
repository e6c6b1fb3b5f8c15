"""Arguments whose date is a mistaken form of one that was given: day and month or two digits of a
year changed places, or another month than in all calls before.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.recorded.body import Body
from app.analysis.rules.failures.suspects import came_to_nothing
from app.analysis.rules.lookups import list_tool_calls
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis, list_model_calls
from app.analysis.tree import CLOCK_TOLERANCE, Node, by_end, by_start

_YEAR = r"(?:19|20)\d\d"
_ISO = re.compile(rf"(?<![\d-])({_YEAR})-(\d\d)-(\d\d)(?![\d-])")
_DOTTED = re.compile(rf"(?<![\d.])(\d{{1,2}})\.\s?(\d{{1,2}})\.\s?({_YEAR})(?!\d)")
"""Day before month, unlike dates with a slash, which are written both ways."""
_YEAR_ALONE = re.compile(rf"(?<!\d)(?<!\d[.,-])({_YEAR})(?![\d-])")
_LONGEST_ARGUMENT = 25  # characters: a date with a time and a zone
_MOST_ARGUMENTS = 60  # dates in the arguments of a trace: more are a document about dates
_MOST_GIVEN = 8  # dates that were given: among more of them one that is like another may be chance
_TEXT_READ = 20_000  # characters of a text in which dates are looked for
_TEXTS_READ = 400
_LEAST_EQUAL = 2  # calls before with one date, for another one to be an exception

# Confidences.
_TURNED = 0.85
_YEAR_TURNED = 0.8  # and nothing was found
_OTHER_MONTH = 0.75


class _Date(NamedTuple):
    year: int
    month: int
    day: int

    def __str__(self) -> str:
        return f"{self.year}-{self.month:02}-{self.day:02}"


class _Argument(NamedTuple):
    """What a call was given: a date, or a year with `date` None; `text` is as written."""

    node: Node
    text: str
    date: _Date | None


class _GivenText(NamedTuple):
    """A text that the program had at a moment; `is_asked` where it is of the user."""

    at: int
    text: str
    is_asked: bool


def find_mistaken_dates(analysis: TraceAnalysis) -> Iterator[Finding]:
    """One finding for each value, with the span that wrote it first and the calls with it."""
    arguments = _list_arguments(analysis)
    if not 0 < len(arguments) < _MOST_ARGUMENTS:
        return
    texts = analysis.once(_list_given)
    reported: set[str] = set()
    for argument in arguments:
        given = [each for each in texts if each.at <= argument.node.start]
        if argument.text in reported or any(argument.text in each.text for each in given):
            continue
        why, confidence = _explain(argument, given, arguments)
        if why:
            reported.add(argument.text)
            calls = [each.node for each in arguments if each.text == argument.text]
            calls = [each for each in calls if not any(other.holds(each) for other in calls)]
            writer = _find_first_writer(argument.node, argument.text, analysis)
            name = argument.node.function_title
            text = one_line(argument.text, limit=40)
            sentence = f"{name} was given {text}, {why}"
            if writer is not None:
                sentence = f"{writer.title} wrote {text} and {name} was given it, {why}"
            nodes = [*([writer] if writer is not None else []), *calls]
            yield build_finding(Category.LOST_VALUE, confidence, f"{sentence}.", nodes)


def _list_arguments(analysis: TraceAnalysis) -> list[_Argument]:
    found: list[_Argument] = []
    for node in sorted(analysis.once(list_tool_calls), key=by_start):
        if not analysis.was_read(node) or len(found) >= _MOST_ARGUMENTS:
            continue
        for leaf in node.view.input.first_leaves:
            text = str(leaf.value) if type(leaf.value) in (int, str) else ""
            if len(text) <= _LONGEST_ARGUMENT:
                dates = _read_dates(text) if "-" in text or "." in text else set()
                if dates or _YEAR_ALONE.fullmatch(text):
                    found.append(_Argument(node, text, next(iter(dates), None)))
    return found


def _read_dates(text: str) -> set[_Date]:
    found = {_Date(int(y), int(m), int(d)) for y, m, d in _ISO.findall(text)}
    return found | {_Date(int(y), int(m), int(d)) for d, m, y in _DOTTED.findall(text)}


def _list_given(analysis: TraceAnalysis) -> list[_GivenText]:
    """The input of the trace, what models were given but for their own words, and what tools
    returned that ask no model."""
    start = analysis.tree.start
    found = {_GivenText(start, _cut_text(analysis.given), is_asked=True): None}
    for call in analysis.once(list_model_calls):
        for message in call.view.request.messages:
            if message.role != "assistant" and len(found) < _TEXTS_READ:
                is_asked = message.role == "user"
                found[_GivenText(call.start, message.text[:_TEXT_READ], is_asked)] = None
    for node in analysis.once(list_tool_calls):
        is_own = not any(each.view.is_model_call for each in node.children)
        if is_own and analysis.was_read(node) and len(found) < 2 * _TEXTS_READ:
            found[_GivenText(node.end, _cut_text(node.view.output), is_asked=False)] = None
    return list(found)


def _cut_text(body: Body) -> str:
    return body.canonical[:_TEXT_READ]


def _explain(
    argument: _Argument, given: Sequence[_GivenText], arguments: Sequence[_Argument]
) -> tuple[str, float]:
    """Why a value that nothing had before is a mistake, as a part of a sentence, and how sure."""
    date = argument.date
    if date is None:
        return _explain_year(argument, given)
    known = {each for text in given for each in _read_dates(text.text)}
    if date in known or len(known) > _MOST_GIVEN:
        return "", 0.0
    asked = {each for text in given if text.is_asked for each in _read_dates(text.text)}
    if _Date(date.year, date.day, date.month) in asked and date.day != date.month:
        turned = _Date(date.year, date.day, date.month)
        return f"though the date asked for was {turned}: day and month changed places", _TURNED
    if _is_asked_twice(date.day, given):
        return "", 0.0
    return _explain_month(argument, date, arguments)


def _is_asked_twice(day: int, given: Sequence[_GivenText]) -> bool:
    """Whether the user wrote the number of a day more than once, as for the same day of two months;
    a trace's input and a request have the same message."""
    number = re.compile(rf"(?<!\d)0?{day}(?!\d)")
    texts = {each.text.casefold() for each in given if each.is_asked and number.search(each.text)}
    longest = max(texts, key=len, default="")
    return len(number.findall(longest)) > 1 or any(text not in longest for text in texts)


def _explain_year(argument: _Argument, given: Sequence[_GivenText]) -> tuple[str, float]:
    if not came_to_nothing(argument.node):
        return "", 0.0
    years = {year for text in given for year in _YEAR_ALONE.findall(text.text)}
    years.update(str(each.year) for text in given for each in _read_dates(text.text))
    for year in sorted(years) if len(years) <= _MOST_GIVEN else ():
        if year[:2] == argument.text[:2] and year[2:] == argument.text[:1:-1] != year[:1:-1]:
            return f"and came to nothing: the year given was {year}", _YEAR_TURNED
    return "", 0.0


def _explain_month(
    argument: _Argument, date: _Date, arguments: Sequence[_Argument]
) -> tuple[str, float]:
    """Another month where all calls before, of other tools, had one date."""
    own = [each for each in arguments if each.node is argument.node]
    before = [each for each in arguments if each.node.end <= argument.node.start]
    names = {each.node.function_name for each in before}
    if len(own) > 1 or len(before) < _LEAST_EQUAL or argument.node.function_name in names:
        return "", 0.0
    dates = {each.date for each in before}
    other = next(iter(dates))
    if len(dates) > 1 or other in (None, date) or other._replace(month=date.month) != date:
        return "", 0.0
    return f"while {len(before)} calls before it were given {other}", _OTHER_MONTH


def _find_first_writer(call: Node, text: str, analysis: TraceAnalysis) -> Node | None:
    """The span that returned a value of a call first."""
    earlier = [
        node
        for node in analysis.tree.nodes
        if node.end <= call.start + CLOCK_TOLERANCE and analysis.was_read(node)
    ]
    earlier.sort(key=by_end)
    return next((node for node in earlier if text.casefold() in node.view.output.canonical), None)
