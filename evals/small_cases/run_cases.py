"""Whole runs of other programs: batches, bots, coding agents, judges, clients of MCP servers."""

import json

from evals.small_cases.builder import (
    CaseList,
    Json,
    SpanPlan,
    calls,
    failed,
    model,
    says,
    span,
    tool,
)

RUNS = CaseList("program")


# A batch without models.
def _load(shards: list[Json | None], *, at: float | None = 0.0) -> SpanPlan:
    def shard(number: int, result: Json | None) -> SpanPlan:
        given = {"shard": f"2026-05-{number + 1:02d}"}
        return span(
            "load_shard",
            tool("fetch", given, result or {"status": "ok", "rows": []}, right=result is None),
            span("store", input=given, output={"stored": bool(result)}),
            input=given,
            output={"stored": bool(result)},
            at=at,
            right=result is None,
        )

    return span("load_all", *[shard(number, result) for number, result in enumerate(shards)])


_ROWS: Json = {
    "status": "ok",
    "rows": [{"ship": "Anna", "seats": 14}, {"ship": "Berta", "seats": 9}],
}
RUNS.add("batch_healthy", _load([_ROWS] * 12), answer={"shards": 12})
RUNS.add(
    "batch_one_shard_empty_then_key_error",
    _load([_ROWS] * 7 + [None] + [_ROWS] * 4),
    span("build_report", input={"days": 12}, **failed("KeyError", "'2026-05-08'")),
    answer=None,
)


# A bot that speaks, a bot that polls, an agent that mends code.
def _voice(first_ms: float, seconds: float, *, right: bool = False) -> list[SpanPlan]:
    return [
        tool("speech_to_text", {"audio": "[audio]"}, {"text": "When is high tide?"}, seconds=0.4),
        model(
            says("High tide is at 19:00, and low tide is at 01:10 in the night."),
            seconds=seconds,
            ttft=first_ms,
            right=right,
        ),
        tool(
            "text_to_speech", {"text": "High tide is at 19:00."}, {"audio": "[audio]"}, seconds=0.6
        ),
    ]


RUNS.add("voice_healthy", *_voice(420.0, 1.4), answer="19:00")
RUNS.add("voice_silence", *_voice(11_600.0, 12.4, right=True), answer="19:00")


def _job(states: list[str], *, right: bool = False) -> list[SpanPlan]:
    start = tool("start_export", {"year": 2025}, {"job": "J-8", "state": "queued"})
    polls = [
        tool(
            "get_job",
            {"job": "J-8"},
            {"job": "J-8", "state": state, "percent": number * 9 if not right else 0},
            right=right,
            seconds=2.0,
        )
        for number, state in enumerate(states)
    ]
    return [start, *polls]


RUNS.add(
    "job_that_ends_healthy",
    *_job(["running"] * 5 + ["done"]),
    answer="The export is done.",
)
RUNS.add(
    "job_that_never_starts",
    *_job(["queued"] * 14, right=True),
    answer="The export is not done yet.",
)


def _coder(results: list[str], *, right: bool = False) -> list[SpanPlan]:
    steps = []
    for number, result in enumerate(results):
        text = "Run the tests." if right else f"Change {number} of seats.py, then run the tests."
        steps.append(model(calls("run_tests", {"path": "tests"}), asked=text, right=right))
        if not right:
            change = {"path": "seats.py", "line": 10 + number}
            steps.append(tool("edit_file", change, {"saved": True}))
        steps.append(tool("run_tests", {"path": "tests"}, result, right=right, seconds=3.0))
    return steps


_RED = "FAILED tests/test_seats.py::test_count - assert 13 == 14\n1 failed, 11 passed in 0.4s"
RUNS.add(
    "coder_makes_tests_pass_healthy",
    *_coder([_RED, _RED.replace("13", "15"), "12 passed in 0.4s"]),
    answer="All tests pass.",
)
RUNS.add(
    "coder_changes_nothing",
    *_coder([_RED] * 7, right=True),
    answer="I stopped after 7 steps.",
)


# A judge scores answers; an MCP server answers; a stream is closed by its user.
RUNS.add(
    "judge_run_healthy",
    *[
        span(
            "evaluate_item",
            model(says(f"Answer {number}: deck {number}."), name="task"),
            model(says(json.dumps({"score": 0.8, "reason": "right deck"})), name="judge"),
            output={"scores": {"correctness": 0.8, "hallucination": 0.0}},
            at=0.0,
        )
        for number in range(6)
    ],
    answer={"items": 6},
    source="experiment",
)
RUNS.add(
    "mcp_structured_content_healthy",
    tool("tools/list", {}, {"tools": [{"name": "tide"}], "nextCursor": None}),
    tool(
        "tools/call tide",
        {"harbour": "Bodø"},
        {"content": [], "structuredContent": {"high": "19:00"}, "isError": False},
    ),
    model(says("High tide is at 19:00.")),
    answer="19:00",
)
RUNS.add(
    "mcp_tool_refused",
    tool("tools/list", {}, {"tools": [{"name": "tide"}], "nextCursor": None}),
    tool(
        "tools/call tide",
        {"harbour": "Bodø"},
        {"content": [{"type": "text", "text": "harbour must be a number"}], "isError": True},
        right=True,
    ),
    model(says("High tide is at noon.")),
    answer="noon",
    says="harbour must be a number",
)
RUNS.add(
    "two_searches_one_empty_healthy",
    tool("search_rules", {"q": "hund på dekk"}, {"documents": []}),
    tool("search_rules", {"q": "dogs on deck"}, {"documents": ["Dogs travel on deck 2."]}),
    model(says("Dogs travel on deck 2.")),
    answer="Dogs travel on deck 2.",
)
RUNS.add(
    "user_has_no_invoices_healthy",
    tool("list_invoices", {"user": "U-1", "state": "open"}, {"invoices": [], "total": 0}),
    model(says("You have no open invoices.")),
    question="Do I have open invoices?",
    answer="You have no open invoices.",
)
RUNS.add(
    "moderation_and_answer_healthy",
    span("moderate", type="llm", output={"results": [{"flagged": False, "categories": {}}]}),
    model(says("Sorry to hear that your trip was cancelled! The next ferry leaves at 21:10.")),
    span("moderate", type="llm", output={"results": [{"flagged": False, "categories": {}}]}),
    answer="The next ferry leaves at 21:10.",
)


# A runner of agents that writes what it raised, and its own log, behind the last reply.
_RUNNER_LOG = """Next speaker WebSurfer
Error processing publish message
Traceback (most recent call last):
  File "/opt/runner/runtime.py", line 410, in process
    await gather(*responses)
  File "/opt/runner/models/client.py", line 1638, in request
    raise self._error_from(response)
openai.BadRequestError: Error code: 400 - the prompt was filtered
/opt/runner/start.py:116: UserWarning: the model's name is not known
{rest}
RUN COMPLETE"""
_EXPLAINED = """Your program stops in its second function:

```
Traceback (most recent call last):
  File "/srv/berths/main.py", line 4, in <module>
    print(find("B7"))
  File "/srv/berths/main.py", line 2, in find
    return BERTHS[name]
KeyError: 'B7'
```

Use `BERTHS.get(name)` there."""
_FOUND = {"title": "Ferry to Sandholm", "text": "Boats leave at 08:10 and 16:40."}


def _talk(last: str, *, right: bool = False) -> list[SpanPlan]:
    plan = model("I will look for the timetable.", asked="When does the last ferry leave?")
    read = tool("open_page", {"url": "https://example.com/ferry"}, _FOUND)
    return [plan, read, model(last, asked="Go on.", right=right)]


for _name, _rest, _fails in (
    ("end", "", True),
    ("before_an_answer", "FINAL ANSWER: 16:40", True),
    ("within_a_page_healthy", "The next question of the page. " * 60, False),
):
    _log = _RUNNER_LOG.format(rest=_rest)
    RUNS.add(f"logged_traceback_{_name}", *_talk(_log, right=_fails), answer=_log)
RUNS.add("explained_traceback_healthy", *_talk(_EXPLAINED), answer=_EXPLAINED)
