"""What a trace waits for: the branch that ends last, one step that takes half a minute; healthy
twins."""

from evals.small_cases.builder import CaseList, Json, SpanPlan, model, says, span, tool

WAITING = CaseList("waiting")

_REPLY = "The tide lets you through the lock at 14:10."
_JAVA_REPLY: Json = {
    "generations": [{"message": {"text": _REPLY, "messageType": "ASSISTANT"}}],
    "metadata": {"usage": {"promptTokens": 512, "completionTokens": 41}},
}


def _branches(slow: str, seconds: float, beside: float, *, right: bool = False) -> list[SpanPlan]:
    """Branches that start together; the plan needs all of them."""
    gauge = {"gauge": "Pogum"}
    return [
        tool("read_lock", {"lock": "Ems"}, {"open": True}, seconds=0.4),
        span(
            "fan_out",
            span(
                "depth_branch",
                tool("sonar_tiles", {"zone": 4}, {"tiles": 90}, seconds=beside / 3),
                tool("merge_tiles", {"zone": 4}, {"min_m": 3.1}, seconds=beside / 4),
                at=0.0,
            ),
            tool("fee_table", {"class": "B"}, {"eur": 44}, seconds=beside, at=0.0),
            span(
                "tide_branch",
                tool("gauge_history", gauge, {"rows": 640}, seconds=1.1),
                tool(slow, gauge, {"high": "14:02"}, seconds=seconds, right=right),
                at=0.0,
            ),
        ),
        tool("choose_slot", {"slots": 6}, {"slot": "14:10"}, seconds=1.2),
        model(_JAVA_REPLY, asked="When can we pass the lock?", name="call_model", seconds=0.9),
    ]


WAITING.add("branch_that_ends_last", *_branches("tide_model", 17, 13, right=True), answer=_REPLY)
WAITING.add("branch_that_takes_seconds_healthy", *_branches("tide_model", 4.2, 3.5), answer=_REPLY)
WAITING.add("branch_that_imports_healthy", *_branches("import_survey", 14, 11), answer=_REPLY)

for _name in ("warten_auf_flut", "aguardar_maré", "czekaj_na_przypływ"):
    WAITING.add(
        f"{_name}_healthy",
        *_branches("tide_model", 4.2, 3.5)[:-1],
        tool(_name, {"gauge": "Pogum", "level": 2}, {"level": 2.1}, seconds=95),
        model(_JAVA_REPLY, asked="When can we pass the lock?", name="call_model", seconds=0.9),
        answer=_REPLY,
    )


def _alone(name: str, seconds: float, *, right: bool = False) -> list[SpanPlan]:
    """Steps in a row, one of them long; the others are many, and take a third of the time."""
    read = [
        tool("read_log", {"day": day}, {"lines": 400 + day}, seconds=seconds / 12)
        for day in range(5)
    ]
    return [
        *read,
        tool(name, {"days": 5}, {"mean": 3.4}, seconds=seconds, right=right),
        model(says(_REPLY), asked="When can we pass?", seconds=1.2),
    ]


WAITING.add("step_of_half_a_minute", *_alone("fit_current", 36, right=True), answer=_REPLY)
WAITING.add("step_of_some_seconds_healthy", *_alone("fit_current", 13), answer=_REPLY)
WAITING.add("batch_of_half_a_minute_healthy", *_alone("batch_upload", 36), answer=_REPLY)
