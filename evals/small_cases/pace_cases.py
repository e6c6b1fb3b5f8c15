"""Slow calls with a reason and without one, work served from a cache, and calls told apart by ids
of the machinery only; healthy twins."""

from typing import Any

from evals.small_cases.builder import CaseList, SpanPlan, calls, model, says, span, tool

PACE = CaseList("pace")
AGAIN = CaseList("done_again")

_FAILED = {"exception_type": "RateLimitError", "message": "429: slow down", "traceback": ""}


def _berth(number: int, *more: SpanPlan, seconds: float = 0.4, right: bool = False) -> SpanPlan:
    """A step that measures one berth; `more` is what it does besides."""
    measured = tool("read_gauge", {"berth": number}, {"depth_m": 8 + number % 3}, seconds=seconds)
    return span("survey_berth", measured, *more, input={"berth": number}, right=right, at=0.0)


_SURVEYED = [_berth(number) for number in range(12)]
PACE.add(
    "slow_without_a_reason",
    *_SURVEYED,
    span(
        "survey_berth",
        tool("read_gauge", {"berth": 12}, {"depth_m": 8}, seconds=9, right=True),
        input={"berth": 12},
        at=0.0,
        right=True,
    ),
)
PACE.add(
    "slow_for_a_step_that_others_did_not_need_healthy",
    *_SURVEYED,
    _berth(12, tool("send_diver", {"berth": 12}, {"found": "silt"}, seconds=2.4)),
)
PACE.add(
    "slow_for_an_attempt_that_failed_healthy",
    *_SURVEYED,
    span(
        "survey_berth",
        tool("ask_harbour", {"berth": 12}, None, seconds=1.2, error_info=_FAILED),
        span("backoff", input={"seconds": 1}, output={"slept": 1}, seconds=1),
        tool("ask_harbour", {"berth": 12}, {"free": True}, seconds=0.3),
        input={"berth": 12},
        at=0.0,
    ),
)


def _long_step(name: str, *, right: bool) -> None:
    PACE.add(
        name if right else f"{name}_healthy",
        *[
            tool("read_part", {"part": part}, {"lines": 40 + part}, seconds=0.3)
            for part in range(3)
        ],
        tool(name, {"file": "council.mp3"}, {"characters": 48_110}, seconds=14, right=right),
        model(says("The council met and agreed."), asked="Sum up the meeting."),
        answer="The council met and agreed.",
    )


_long_step("transcribe_audio", right=False)
_long_step("lookup_member", right=True)


def _translated(number: int, *, seconds: float, cached: bool, right: bool = False) -> SpanPlan:
    """A dish of one of 12 menus, each with the same three dishes."""
    asked = f"Translate dish {number % 3} of the menu into Danish, please."
    return span(
        f"menu_{number // 3}",
        model(
            says(f"Dish {number % 3}: frikadeller med kold kartoffelsalat og agurk"),
            asked=asked,
            seconds=seconds,
            metadata={"cache_hit": cached},
            right=right,
        ),
        right=right,
    )


AGAIN.add(
    "translations_made_anew",
    *[_translated(number, seconds=0.8, cached=False, right=True) for number in range(36)],
)
AGAIN.add(
    "translations_from_a_cache_healthy",
    *[_translated(number, seconds=0.8, cached=False) for number in range(3)],
    *[_translated(number, seconds=0.6, cached=True) for number in range(3, 36)],
)


def _cycle(number: int, given: Any, result: Any, *, right: bool) -> SpanPlan:
    """A turn of an agent whose tool is given a message with the id of its call."""
    message = {"role": "tool", "content": given, "id": f"tooluse_a7{number:02}kd93mq{number:02}x"}
    return span(
        "execute_event_loop_cycle",
        model(calls("read_logs", given), asked="Find the cause.", right=right),
        span("execute_tool read_logs", type="tool", input=message, output=result, right=right),
        input={"event_loop.cycle_id": f"c0ffee{number * 37:02x}-{number}"},
        right=right,
    )


AGAIN.add(
    "same_query_with_other_call_ids",
    *[_cycle(n, {"from": "2025-05-04"}, {"rows": [], "scanned": 0}, right=True) for n in range(9)],
    answer=None,
    output={"finish": "max_cycles"},
)
AGAIN.add(
    "other_query_each_time_healthy",
    *[
        _cycle(n, {"from": f"2026-05-0{n + 1}"}, {"rows": [f"line {n}"]}, right=False)
        for n in range(5)
    ],
    answer="The cause is line 4.",
)
_PAID = {"customer": "C-66", "amount": 128.0}
AGAIN.add(
    "tool_named_in_the_name_of_its_span",
    model(calls("pay", _PAID)),
    span("tool: 'pay'", type="tool", input=_PAID, output={"payment": "PY-550"}, right=True),
    model(calls("pay", _PAID), right=True),
    span("tool: 'pay'", type="tool", input=_PAID, output={"payment": "PY-551"}, right=True),
    model(says("You paid 128.00.")),
    answer="You paid 128.00.",
)


def _graph_turn(position: int, *, right: bool) -> list[SpanPlan]:
    """Two nodes of a graph that only report `ok`; what happened stands in the call inside."""
    given, result = {"list": "cardiology", "patient": "P-5582"}, {"position": position}
    return [
        span(
            "agent",
            model(calls("read_list", given), asked=f"Place {position}: my turn?", right=right),
            input={"patient": "P-5582"},
            output={"tool_calls": ["read_list"]},
            right=right,
        ),
        span(
            "tools",
            tool("read_list", given, result, right=right),
            input={"tool_calls": ["read_list"]},
            output={"ok": True},
            right=right,
        ),
    ]


AGAIN.add(
    "nodes_that_report_ok_while_a_place_moves_healthy",
    *[part for place in (5, 4, 3, 2, 1) for part in _graph_turn(place, right=False)],
    answer="It is your turn.",
)
AGAIN.add(
    "nodes_that_report_ok_while_nothing_moves",
    *[part for _ in range(7) for part in _graph_turn(5, right=True)],
    answer="Sorry, I could not finish this.",
)


def _answers_from_manual(name: str, *, seconds: float) -> None:
    """An agent that reads one page and takes its time for a short answer."""
    right = not name.endswith("_healthy")
    page = "The ramp does not lower: reset the hydraulic pump."
    PACE.add(
        name,
        span("Task", tool("search_manual", {"query": "ramp"}, {"page": page}, seconds=0.4)),
        model(says("Reset the pump."), tokens=(210, 30), seconds=seconds, right=right),
        answer="Reset the pump.",
    )


_answers_from_manual("model_call_of_six_seconds_healthy", seconds=6)
_answers_from_manual("model_call_of_sixteen_seconds", seconds=16)
