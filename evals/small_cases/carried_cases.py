"""Values that the next step needs: carried along, dropped by a step."""

from typing import Any

from evals.small_cases.builder import CaseList, SpanPlan, calls, model, says, span, tool

CARRIED = CaseList("carried_value")
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
