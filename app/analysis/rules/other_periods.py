"""Calls for another day, month or year than the question names, or for a part of the time only.

What the program had read before, what lies as many days around the asked time as the question
says, and what the answer gives beside the asked time is no mistake.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from app.analysis.finding import Finding
from app.analysis.recorded.body import Body
from app.analysis.rules.asked_calls import (
    TEXT_READ,
    AskedCall,
    build_scope_finding,
    read_before,
    was_seen,
)
from app.analysis.text.asked_periods import find_asked_periods, find_asked_ranges
from app.analysis.text.named_periods import Period, find_argument_period, find_periods
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.user_question import find_answer

_NO_CALL = 0.7  # confidences: a program may look at another time for a reason that is not recorded
_NO_CALL_OF_FUNCTION = 0.65
_ONE_OF_SEVERAL = 0.55
_PART = 0.65
_ANSWER_READ = 2_000  # characters
_LEAST_PART = 28  # days of a range that is asked for in part: a month
_DAYS_OF_MONTH, _DAYS_OF_YEAR = 31, 366
_ANY_YEAR = re.compile(r"(?:19|20)\d\d")
_WITH_TIME = re.compile(r"\d\d-\d\dt\d\d:\d\d")
"""A point in time, which may be the day before or after in the time zone of the question."""
_ABOUT_NOW = re.compile(
    r"\b(?:today|now|current|currently|tomorrow|yesterday|tonight|latest|last|next|this|recent"
    r"|heute|jetzt|aktuell\w*|morgen|gestern|letzte\w*|nächste\w*|aujourd|demain|hier|actuel\w*"
    r"|hoy|ahora|mañana|ayer|hoje|agora|amanhã|ontem|oggi|domani|ieri|vandaag|dziś|dzisiaj|jutro"
    r"|wczoraj|teraz|dnes|zítra|včera|nyní|tänään|huomenna|eilen|bugün|yarın|dün|şimdi|сегодня"
    r"|завтра|вчера|сейчас|idag|imorgon|igår|(?:i|til)\s(?:dag|morgen|går|morgon))\b"
    r"|今天|现在|今日|明日|昨日|현재|오늘|내일|어제|지금",
    re.IGNORECASE,
)
_COMPARED = re.compile(
    r"\b(?:before|after|previous|prior|earlier|compar\w+|chang\w+|differ\w+|growth|trend|vs|versus"
    r"|vor\w{0,4}|vergl\w+|nach|davor|précédent\w*|avant|après|compar\w+|anterior\w*|antes|después"
    r"|precedent\w*|prima|dopo|vorig\w*|vergel\w+|forrige|förra|sammenlign\w+|jämför\w+|poprzedni\w*"
    r"|porówn\w+|předchozí\w*|porovn\w+|edellis\w+|önceki|предыдущ\w+|сравн\w+)\b|前年|前月|比べ|比较|이전|비교",
    re.IGNORECASE,
)


class _Dated(NamedTuple):
    call: AskedCall
    period: Period

    @property
    def days(self) -> int:
        return self.period.end - self.period.start


def find_other_period(
    question: str, calls: Sequence[AskedCall], analysis: TraceAnalysis
) -> Finding | None:
    """The first call for a time that the question does not name: where no call is for one that it
    names, none of the same function is, or the others of the function are."""
    began = date.fromordinal(1)
    if analysis.trace.start_time is not None:
        began = analysis.trace.start_time.date()
    asked = find_asked_periods(question, near=began)
    if not asked or _ABOUT_NOW.search(question):
        return None
    dated = list(_date_calls(calls, began))
    right = [each for each in dated if _is_asked(each, asked)]
    wrong = [each for each in dated if each not in right]
    if wrong:
        for each, confidence in _list_suspects(wrong, right, asked, question):
            if not _is_known(each, asked, analysis):
                return _build_other(each, asked, bool(right), confidence, analysis)
    ranges = find_asked_ranges(question, near=began)
    return _find_part(dated, ranges, calls, analysis, today=began) if ranges else None


def _date_calls(calls: Sequence[AskedCall], began: date) -> Iterator[_Dated]:
    """The calls for a time, but for those of the day of the trace."""
    for call in calls:
        period = find_argument_period(call.leaves)
        if period is not None and not period.start <= began.toordinal() < period.end:
            yield _Dated(call, period)


def _is_asked(each: _Dated, asked: Sequence[Period]) -> bool:
    around = 1 if _WITH_TIME.search(each.call.text) else 0
    period = Period(each.period.start - around, each.period.end + around)
    return any(map(period.overlaps, asked))


def _list_suspects(
    wrong: Sequence[_Dated], right: Sequence[_Dated], asked: Sequence[Period], question: str
) -> Iterator[tuple[_Dated, float]]:
    """Calls whose time may be a mistake, each with the confidence in it."""
    if not right:
        yield wrong[0], _NO_CALL
        return
    named = {each.call.node.function_name for each in right}
    size = _size_of(min(each.end - each.start for each in asked))
    for each in wrong:
        if each.call.node.function_name not in named and _size_of(each.days) == size:
            yield each, _NO_CALL_OF_FUNCTION
    others = [each for each in wrong if each.call.node.function_name in named]
    if len(others) == 1 and not _COMPARED.search(question) and size == _DAYS_OF_YEAR:
        each = others[0]
        rest = _list_other_values(each)
        same = [one for one in right if one.call.node.function_name == each.call.node.function_name]
        if (
            rest
            and size == _size_of(each.days)
            and all(_list_other_values(o) != rest for o in same)
        ):
            yield each, _ONE_OF_SEVERAL


def _size_of(days: int) -> int:
    """Whether a time is a day, a month at most, or longer."""
    if days <= 1:
        return 1
    return _DAYS_OF_MONTH if days <= _DAYS_OF_MONTH else _DAYS_OF_YEAR


def _list_other_values(each: _Dated) -> list[str]:
    """The arguments of a call without its time."""
    values = (str(leaf.value) for leaf in each.call.leaves)
    return [value for value in values if not find_periods(value)]


def _is_known(each: _Dated, asked: Sequence[Period], analysis: TraceAnalysis) -> bool:
    """Whether a time was read before the call, or the answer gives it beside the asked one."""
    node = each.call.node
    values = [leaf.value for leaf in each.call.leaves if isinstance(leaf.value, str)]
    if any(find_periods(value) and was_seen(value, node, analysis) for value in values):
        return True
    if any(_names(text, each) for text in read_before(node, analysis)):
        return True
    answer = find_answer(Body(analysis.trace.output).opened, limit=_ANSWER_READ)
    if each.period.start <= 1 or not _names(answer, each):
        return False
    near = date.fromordinal(each.period.start)
    if any(_differ_in_years(each.period, one) for one in asked) and not _ANY_YEAR.search(answer):
        return False  # the day that the answer names is the asked one
    return any(
        period.overlaps(one)
        for period in find_asked_periods(answer, near=near)
        for one in asked
        if _size_of(one.end - one.start) == _size_of(period.end - period.start)
    )


def _differ_in_years(period: Period, other: Period) -> bool:
    first, second = (date.fromordinal(max(1, each.start)) for each in (period, other))
    return first.year != second.year and (first.month, first.day) == (second.month, second.day)


def _names(text: str, each: _Dated) -> bool:
    """Whether a text names the time of a call: the same one, or days that hold it where it is a
    month or less."""
    if each.period.start <= 1:
        return False
    near = date.fromordinal(each.period.start)
    size = _size_of(each.days)
    return any(
        period.start == each.period.start and abs(period.end - each.period.end) <= 1
        if size == _DAYS_OF_YEAR
        else _size_of(period.end - period.start) <= size and _holds(period, each.period)
        for period in find_asked_periods(text[:TEXT_READ], near=near)
    )


def _find_part(
    dated: Sequence[_Dated],
    ranges: Sequence[Period],
    calls: Sequence[AskedCall],
    analysis: TraceAnalysis,
    *,
    today: date,
) -> Finding | None:
    """The first function that was asked for the beginning or the end of the named time only, where
    no other one was asked for all of it."""
    ranges = [each for each in ranges if each.end <= today.toordinal()]
    if not ranges or not dated:
        return None
    begun = dated[0].call.node.start
    if any(call.node.error is not None for call in calls if call.node.start >= begun):
        return None
    whole: dict[str, Period] = {}
    first: dict[str, _Dated] = {}
    for each in dated:
        name, period = each.call.node.function_name, each.period
        known = whole.get(name, period)
        whole[name] = Period(min(known.start, period.start), max(known.end, period.end))
        first.setdefault(name, each)
    if any(_covers(period, each) for period in whole.values() for each in ranges):
        return None
    for name, period in whole.items():
        for asked in ranges:
            if _is_part(period, asked):
                if _names_part(first[name], period, analysis):
                    return None
                return _build_part(first[name], period, asked, analysis)
    return None


def _covers(period: Period, asked: Period) -> bool:
    return period.start <= asked.start and asked.end - 1 <= period.end


def _holds(period: Period, other: Period) -> bool:
    return period.start <= other.start and other.end <= period.end


def _is_part(period: Period, asked: Period) -> bool:
    """Whether a time of a month at least is the beginning or the end of another one."""
    shares_end = period.start == asked.start or period.end == asked.end
    return shares_end and _holds(asked, period) and period.end - period.start >= _LEAST_PART


def _names_part(each: _Dated, period: Period, analysis: TraceAnalysis) -> bool:
    part = _Dated(each.call, period)
    answer = find_answer(Body(analysis.trace.output).opened, limit=_ANSWER_READ)
    return _names(answer, part) or any(
        _names(text, part) for text in read_before(each.call.node, analysis)
    )


def _build_other(
    each: _Dated,
    asked: Sequence[Period],
    has_right: bool,
    confidence: float,
    analysis: TraceAnalysis,
) -> Finding:
    about = min(asked, key=lambda one: (one.end - one.start, abs(one.start - each.period.start)))
    rest = "which no call of a tool covers"
    if has_right:
        rest = "which other calls are for"
    what = (
        f"was called for a time that {_format_period(each.period)}, but the trace was asked about"
        f" {_format_asked(about)}, {rest}"
    )
    return build_scope_finding(each.call.node, what, confidence, analysis)


def _build_part(each: _Dated, period: Period, asked: Period, analysis: TraceAnalysis) -> Finding:
    if date.fromordinal(period.end + 1).day == 1:
        period = Period(period.start, period.end + 1)  # the last day of a range is often left out
    what = (
        f"was called for {_format_asked(period)} only, but the trace was asked about"
        f" {_format_asked(asked)}, and no call of a tool covers the rest"
    )
    return build_scope_finding(each.call.node, what, _PART, analysis)


def _format_period(period: Period) -> str:
    if period.start <= 1:
        return f"ends on {date.fromordinal(period.end - 1)}"
    return f"begins on {date.fromordinal(period.start)}"


def _format_asked(period: Period) -> str:
    first, last = date.fromordinal(period.start), date.fromordinal(period.end - 1)
    return first.isoformat() if first == last else f"{first} to {last}"
