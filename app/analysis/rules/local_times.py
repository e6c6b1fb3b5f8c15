"""Local times of a question that a call was given as if they were UTC.

The question says three in the afternoon, the known time zone is nine hours ahead, and the call has
15:00 with the sign of UTC.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.analysis.finding import Finding
from app.analysis.rules.asked_calls import TEXT_READ, AskedCall, build_scope_finding, read_before
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis

_CONFIDENCE = 0.75
_NOON = 12  # hours
_ZONES_READ = 8
_TEXTS_READ = 200
_IN_UTC = re.compile(
    r"(\d{4}-\d\d-\d\d)T(\d\d):(\d\d)(?::00(?:\.0+)?)?(?:Z|\+00:?00)", re.IGNORECASE
)
_ZONE = re.compile(
    r"\b(?:africa|america|asia|europe|australia|pacific|atlantic|indian)/[a-z_]{3,20}(?:/[a-z_]{3,20})?",
    re.IGNORECASE,
)
_NAMES_UTC = re.compile(r"\b(?:utc|gmt|zulu)\b|\d\d?:\d\d\s?z\b", re.IGNORECASE)
_CLOCK = re.compile(
    r"(?<![\d.:,/-])(?P<late>오후|下午|午後|晚上)?\s?(?P<hour>\d{1,2})"
    r"(?:[:.](?P<minute>[0-5]\d)(?![\d.])(?::00)?|\s?(?:h|uhr|시|時|点|點|uur|часов|часа)\s?(?P<more>[0-5]\d)?)?"
    r"\s?(?P<half>[ap]\.?m\b)?",
    re.IGNORECASE,
)


def find_local_time(
    question: str, calls: Sequence[AskedCall], analysis: TraceAnalysis
) -> Finding | None:
    """The first call with such a time, where no call has the one that is right in a known zone."""
    given = [
        (call, moment)
        for call in calls
        for leaf in call.leaves
        if isinstance(leaf.value, str) and (moment := _read_moment(leaf.value)) is not None
    ]
    if not given or _NAMES_UTC.search(question):
        return None
    times = set(_read_times(question))
    call, moment = next(
        (each for each in given if (each[1].hour, each[1].minute) in times), (None, None)
    )
    if call is None or moment is None:
        return None
    zones = _list_zones(call, analysis)
    right = [moment.replace(tzinfo=zone).astimezone(UTC) for zone in zones]
    if not zones or any(each == moment for each in right):
        return None
    if any(each == other for each in right for _, other in given):
        return None
    zone, clock = one_line(zones[0].key, limit=40), f"{moment:%H:%M}"
    what = (
        f"was given {clock} UTC, the {clock} of the question, but {zone} is the time zone that was"
        f" known before: {right[0]:%H:%M} UTC"
    )
    return build_scope_finding(call.node, what, _CONFIDENCE, analysis)


def _read_moment(text: str) -> datetime | None:
    found = _IN_UTC.fullmatch(text.strip())
    if found is None:
        return None
    try:
        return datetime.fromisoformat(f"{found[1]}T{found[2]}:{found[3]}:00+00:00")
    except ValueError:
        return None


def _read_times(question: str) -> Iterator[tuple[int, int]]:
    """Hours and minutes of the times of day that a question names."""
    for found in _CLOCK.finditer(question):
        hour, minute = int(found["hour"]), int(found["minute"] or found["more"] or 0)
        half = (found["half"] or "").casefold()[:1]
        if not (
            half or found["late"] or found["minute"] or len(found[0].strip()) > len(found["hour"])
        ):
            continue
        if hour < _NOON and (half == "p" or found["late"]):
            hour += _NOON
        yield (0 if half == "a" and hour == _NOON else hour), minute


def _list_zones(call: AskedCall, analysis: TraceAnalysis) -> list[ZoneInfo]:
    """The time zones that texts before a call name."""
    names: dict[str, None] = {}
    for number, text in enumerate(read_before(call.node, analysis)):
        if number < _TEXTS_READ and "/" in text:
            names.update(dict.fromkeys(map(str.casefold, _ZONE.findall(text[:TEXT_READ]))))
    zones = []
    for name in list(names)[:_ZONES_READ]:
        try:
            zones.append(ZoneInfo(_spell(name)))
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue
    return zones


def _spell(name: str) -> str:
    """`America/New_York` of any letter case."""
    return "/".join("_".join(map(str.capitalize, part.split("_"))) for part in name.split("/"))
