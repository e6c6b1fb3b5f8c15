"""Numbers in the unit that they were given in, and in another one without having been converted."""

from typing import Any

from evals.small_cases.builder import CaseList, SpanPlan, calls, model, says, span, tool, turn_with

UNITS = CaseList("mixed_unit")


def _step(name: str, given: Any, result: Any, *, right: bool = False) -> SpanPlan:
    return span(name, input=given, output=result, right=right, seconds=0.2)


def _ballast(name: str, given: Any, result: Any, *, right: bool = False) -> None:
    """A ferry's load as a register has it, and the step that makes a plan's fields of it."""
    answer = "The load is planned."
    UNITS.add(
        name if right else f"{name}_healthy",
        tool("ship_register", {"ship": "Tern"}, given),
        _step("to_plan", given, result, right=right),
        tool("stability", {"ship": "Tern"}, {"stable": True}),
        model(says(answer), asked="Plan the load of the Tern."),
        question="Plan the load of the Tern.",
        answer=answer,
    )


_ballast("beside", {"draught": 14.5, "unit": "ft"}, {"draught_m": 14.5}, right=True)
_ballast("letter_alone", {"carga": 5250, "unidad": "t"}, {"carga_kg": 5250}, right=True)
_ballast("in_its_key", {"deckLoadKg": 5250}, {"deck_load_t": 5250}, right=True)
_ballast("in_the_text", {"gust": "34 knots"}, {"gust_km_h": 34}, right=True)
_ballast("of_its_own", {"beam": 27.5, "beam_unit": "ft", "unit": "m"}, {"beam_m": 27.5}, right=True)
_ballast("of_many", {"rows": [{"wt": 815, "uom": "lb"}]}, {"rows": [{"wt_kg": 815}]}, right=True)
_ballast("speed_of_letters", {"风速": 54, "单位": "km/h"}, {"风速_ms": 54}, right=True)
_ballast("converted", {"draught": 14.5, "unit": "ft"}, {"draught_m": 4.42})
_ballast("same_unit", {"draught": 14.5, "unit": "m"}, {"draught_m": 14.5})
_ballast("spelt_otherwise", {"load": 5250, "unit": "Kilograms"}, {"load_kg": 5250})
_ballast("other_name", {"draught": 14.5, "unit": "ft"}, {"height_m": 14.5})
_ballast("other_measure", {"ramp": 125, "unit": "kg"}, {"ramp_mm": 125})
_ballast("size_of_a_letter", {"size": "M", "chest": 96}, {"chest_cm": 96})
_ballast("both_units", {"draught_ft": 14.5, "draught_m": 14.5}, {"draught_m": 14.5})
_ballast("round_number", {"speed": 20, "unit": "kn"}, {"speed_kmh": 20})
_ballast("waits", {"wait_s": 15}, {"wait_ms": 15})
_ballast("no_unit", {"draught": 14.5}, {"draught_m": 14.5})


def _converted(name: str, to: str, result: Any, *, right: bool = False) -> None:
    given = {"value": 8571, "from": "lb", "to": to}
    UNITS.add(
        name if right else f"{name}_healthy",
        tool("weigh_truck", {"lane": 3}, {"weight_lb": 8571}),
        tool("convert", given, result, right=right),
        tool("book_deck", {"lane": 3}, {"ok": True}),
        question="Book lane 3.",
        answer="Lane 3 is booked.",
    )


_converted("left_as_it_was", "kg", {"value": 8571, "unit": "kg"}, right=True)
_converted("conversion", "kg", {"value": 3888, "unit": "kg"})
_converted("given_back", "kg", {"value": 8571, "unit": "lb", "converted": 3888})


def _asked(name: str, arguments: Any, *, right: bool = False) -> None:
    """A model that reads a wind in knots and asks a tool with it."""
    question = "May the ramp be lowered?"
    UNITS.add(
        name if right else f"{name}_healthy",
        *turn_with(tool("read_wind", {"pier": 3}, {"wind": 38, "unit": "kn"}))[:2],
        model(calls("ramp_limit", arguments), asked=question, right=right),
        tool("ramp_limit", arguments, {"allowed": True}, right=right),
        model(says("Yes, it may."), asked=question),
        question=question,
        answer="Yes, it may.",
    )


_asked("knots_as_kilometres", {"wind_kmh": 38}, right=True)
_asked("knots_as_knots", {"wind_kn": 38})
_asked("knots_converted", {"wind_kmh": 70.4})


def _told(name: str, answer: str, *, right: bool = False) -> None:
    """An answer about the temperature of a hold, which its sensor gives in degrees Fahrenheit."""
    sensor = tool("read_hold", {"hold": 2}, {"temperature": 48.2, "unit": "°F", "hold": 2})
    first, used, last = turn_with(sensor, answer, "How warm is hold 2?")
    last = model(says(answer), asked=last.fields["input"]["messages"], right=right)
    UNITS.add(
        name if right else f"{name}_healthy",
        first,
        used,
        last,
        question="How warm is hold 2?",
        answer=answer,
        says="the number did not" if right else "",
    )


_told("told_as_celsius", "Hold 2 has 48.2 °C.", right=True)
_told("told_as_it_is", "Hold 2 has 48,2 °F.")
_told("told_in_both", "Hold 2 has 48.2 °F (9 °C).")
_told("told_converted", "Hold 2 has 9 °C.")
