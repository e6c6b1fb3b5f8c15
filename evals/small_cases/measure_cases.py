"""Numbers and days that changed their meaning on the way: units that nothing converted, and days
of another time zone."""

from typing import Any

from evals.small_cases.builder import CaseList, SpanPlan, model, says, span, tool

UNITS = CaseList("unconverted_unit")
ZONES = CaseList("lost_zone")

_QUESTION = "Does the container of booking B-19 fit on MF Ida?"
_ANSWER = "No, the container of B-19 is too heavy for MF Ida."


def _step(name: str, given: Any, result: Any, *, right: bool = False) -> SpanPlan:
    return span(name, input=given, output=result, right=right, seconds=0.2)


def _units(name: str, *steps: SpanPlan) -> None:
    UNITS.add(
        name, *steps, model(says(_ANSWER), asked=_QUESTION), question=_QUESTION, answer=_ANSWER
    )


_POUNDS = {"booking": "B-19", "gross_lb": 5290}
_BESIDE = {"booking": "B-19", "gross": 5290, "gross_unit": "lb"}
_WITHIN = {"booking": "B-19", "gross": {"value": 5290, "unit": "lbs"}}
for _name, _found in {"key": _POUNDS, "key_beside": _BESIDE, "object": _WITHIN}.items():
    _units(
        f"stated_by_{_name}",
        tool("read_manifest", {"booking": "B-19"}, _found),
        _step("load_plan", {"gross": 5290}, {"gross_kg": 5290}, right=True),
        tool("deck_limit", {"ship": "MF Ida"}, {"limit_kg": 3500}),
    )
_units(
    "given_to_a_tool",
    tool("read_manifest", {"booking": "B-19"}, _POUNDS),
    tool("reserve_deck", {"ship": "MF Ida", "grossKg": 5290}, {"accepted": False}, right=True),
)
_units(
    "cents_as_euros",
    tool("fetch_fare", {"booking": "B-19"}, {"fare_cents": 12850}),
    _step("price_offer", {"fare": 12850}, {"fare_eur": 12850, "vat_pct": 7}, right=True),
)
_units(
    "converted_healthy",
    tool("read_manifest", {"booking": "B-19"}, _BESIDE),
    _step("load_plan", _BESIDE, {"gross_kg": 2399.5}),
)
_units(
    "same_number_of_another_record_healthy",
    tool("read_manifest", {"booking": "B-19"}, _POUNDS),
    tool("read_manifest", {"booking": "B-20"}, {"booking": "B-20", "gross_kg": 5290}),
)
_units(
    "round_number_healthy",
    _step("set_limits", {"wait": 30}, {"wait_s": 30}),
    _step("set_pause", {"wait": 30}, {"wait_ms": 30}),
)
_units(
    "one_unit_for_several_numbers_healthy",
    _step("read_hold", {"length": 12.4, "width": 8.15, "unit": "ft"}, {"length_m": 12.4}),
)


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
