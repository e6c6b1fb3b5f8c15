"""Values that the next step needs: carried along, dropped by a step, widened to all."""

from typing import Any

from evals.small_cases.builder import CaseList, SpanPlan, calls, model, says, span, tool

CARRIED = CaseList("carried_value")
WIDENED = CaseList("widened_scope")
DISPATCHED = CaseList("dispatched_tool")

_ANSWER = "The timetable of the pier is drawn."


def _step(name: str, given: Any, result: Any, *, right: bool = False) -> SpanPlan:
    return span(name, input=given, output=result, right=right, seconds=0.2)


def _carried(name: str, *steps: SpanPlan, says_so: str = "") -> None:
    CARRIED.add(
        name,
        *steps,
        model(says(_ANSWER), asked="Write a caption."),
        question="Draw the timetable of the northern pier, please.",
        answer=_ANSWER,
        says=says_so,
    )


_PARSED = _step("read_order", {"text": "pier N2, not S1"}, {"pier": "N2", "weeks": 2})
_DRAWN = tool("get_departures", {"pier": None, "weeks": 2}, {"pier": "S1 (default)", "at": [6, 9]})
_WHOLE = {"pier": "N2", "weeks": 2, "to": "plotter"}
_carried(
    "dropped_with_the_rest_kept",
    _PARSED,
    _step("pass_on", _WHOLE, {"weeks": 2, "to": "plotter"}, right=True),
    _DRAWN,
    says_so="pier “N2”",
)
_carried(
    "kept_healthy",
    _PARSED,
    _step("pass_on", _WHOLE, {"pier": "N2", "weeks": 2}),
    tool("get_departures", {"pier": "N2", "weeks": 2}, {"pier": "N2", "at": [7, 10]}),
)
_carried(
    "dropped_and_not_missed_healthy",
    _PARSED,
    _step("pass_on", _WHOLE, {"weeks": 2, "to": "plotter"}),
    tool("get_paper", {"weeks": 2}, {"sheets": 4}),
)
_carried(
    "long_text_left_out_healthy",
    _step(
        "brief",
        {"agent": "plotter", "remarks": "Take the new colours, and no grid this time."},
        {"agent": "plotter", "ready": True},
    ),
    tool("get_departures", {"pier": "N2", "remarks": None}, {"pier": "N2", "at": [7, 10]}),
)


def _widened(
    name: str, asked: str, arguments: Any, *, told: str = "", ran: str = "send_log", right: bool
) -> None:
    """A model that sends what a passenger asked for, by a tool whose span has another name."""
    WIDENED.add(
        name if right else f"{name}_healthy",
        model(calls("share_log", arguments), asked=asked, right=right),
        tool(ran, arguments, {"sent": 318}, right=right),
        model(says("I have sent it."), asked=told or asked),
        question="Please send me my log.",
        answer="I have sent it.",
        says="had been asked about" if right else "",
    )


_ASKED = "Please send the log of booking K-4471 to m.rud@example.org."
_widened("star_for_a_booking", _ASKED, {"booking_id": "*", "mail": "m.rud@example.org"}, right=True)
_widened("all_for_a_passenger", _ASKED, {"passenger_id": "all"}, right=True)
_widened("one_booking", _ASKED, {"booking_id": "K-4471"}, right=False)
_widened(
    "all_were_asked_for",
    "Please send the logs of all bookings since K-4471 to m.rud@example.org.",
    {"booking_id": "*"},
    right=False,
)
_widened("any_class", _ASKED, {"booking_id": "K-4471", "cabin": "any"}, right=False)
_BERTHS = "Free berths 3 and 4 of pier N2 for the regatta, the others stay."
_widened("star_for_a_station", "Wie viele Helfer fehlen an Pier 07?", {"pier": "*"}, right=True)
_widened("more_than_were_named", _BERTHS, {"pier": "N2", "berths": [1, 2, 3, 4, 5]}, right=True)
_widened(
    "more_codes_than_named", "Stop lines L-2 & L-5.", {"lines": ["L-2", "L-5", "L-9"]}, right=True
)
_widened("as_were_named", _BERTHS, {"pier": "N2", "berths": [3, 4]}, right=False)
_widened("a_range", "Free berths 3 to 6 of pier N2.", {"berths": [3, 4, 5, 6]}, right=False)
_widened("a_range_with_a_dash", "Free berths 3-6.", {"berths": [3, 4, 5, 6]}, right=False)
_widened("a_range_in_german", "Liegeplätze: berths 3 bis 6.", {"berths": [3, 4, 5, 6]}, right=False)
_widened("every_berth", "Free every berth but berth 9.", {"berths": [1, 2, 9]}, right=False)
_widened("others_were_named", _BERTHS, {"days": [1, 2, 3, 4, 5]}, right=False)
_widened("looks_at_more", _BERTHS, {"berths": [1, 2, 3, 4]}, ran="get_berths", right=False)
_widened("a_berth_for_two", "A berth for 2 boats.", {"berth": "any"}, right=False)
_widened("nobody_was_named", "Send the logs.", {"booking_id": "*"}, right=False)


# A tool that nobody offered: that the dispatcher says so is the effect.
_OFFERED = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}
    for name in ("hoist_sail", "drop_anchor")
]
DISPATCHED.add(
    "tool_that_was_not_offered",
    model(
        calls("blow_horn", {"times": 2}),
        asked={
            "messages": [{"role": "user", "content": "Blow the horn, please."}],
            "tools": _OFFERED,
        },
        right=True,
    ),
    tool(
        "run_tool",
        {"name": "blow_horn"},
        {"output": "blow_horn is not a valid tool, try one of [hoist_sail, drop_anchor]."},
    ),
    model(says("The horn was blown twice."), asked="Blow the horn, please."),
    question="Blow the horn, please.",
    answer="The horn was blown twice.",
    says="not among the 2 tools",
)
