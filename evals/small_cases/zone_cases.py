"""Days that became those of another time zone on the way."""

from typing import Any

from evals.small_cases.builder import CaseList, SpanPlan, model, says, span, tool

ZONES = CaseList("lost_zone")


def _step(name: str, given: Any, result: Any, *, right: bool = False) -> SpanPlan:
    return span(name, input=given, output=result, right=right, seconds=0.2)


def _zone(name: str, moment: str, result: Any, *, right: bool = False) -> None:
    answer = "The ferry is booked."
    ZONES.add(
        name if right else f"{name}_healthy",
        tool("read_booking", {"booking": "B-19"}, {"booking": "B-19", "departs": moment}),
        _step("plan_day", {"departs": moment}, result, right=right),
        tool("book_pier", {"booking": "B-19"}, {"pier": 3}),
        model(says(answer), asked="Book B-19."),
        question="Book B-19.",
        answer=answer,
    )


_NIGHT = "2026-06-12T00:20:00+02:00"
_zone("day_before", _NIGHT, {"day": "2026-06-11", "time": "22:20"}, right=True)
_zone("day_after", "2026-06-11T21:40:00-0400", {"day": "2026-06-12"}, right=True)
_zone("without_its_zone", _NIGHT, {"from": "2026-06-11T22:20:00"}, right=True)
_zone("with_its_zone", _NIGHT, {"from": "2026-06-11T22:20:00Z"})
_zone("named_so", _NIGHT, {"day_utc": "2026-06-11"})
_zone("own_day", _NIGHT, {"day": "2026-06-12", "time": "00:20"})
_zone("by_day", "2026-06-12T10:20:00+02:00", {"day": "2026-06-12", "time": "08:20"})
