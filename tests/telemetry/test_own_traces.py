"""Traces of our own turns, as an Opik backend receives them."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app import __version__
from standin.chat import ChatError, text
from standin.faults import Answer, ChatCutAfter, Fault
from testkit import credentials
from testkit.scripted_chat import answer, calling
from testkit.service import OTHER_TRACE_ID, TRACE_ID, record_trace, span_id, wait_until
from tests.telemetry.observed import PROJECT, observed

QUESTION, ANSWER, STATUS, ARGUMENT, TOOL, REFUSAL = (
    "ask-5e0c",
    "say-3b9f",
    "status-41d7",
    "argument-c0de",
    "tool-77aa",
    "refusal-9b2e",
)
RECORDED = ("lookup_order", "KeyError", "8812")
"""Words of the trace that is asked about."""
_FAILED_SPAN = json.dumps({"span_id": span_id(3), "include_input": True})
LOOKING = calling(("get_span_details", _FAILED_SPAN), status="Looking.")
ANSWERED = answer("It was the tool.")


def named(spans: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """The spans of that name, in the order of their starts."""
    found = [each for each in spans if each["name"] == name]
    return sorted(found, key=lambda each: str(each["start_time"]))


def times(record: dict[str, Any]) -> tuple[datetime, datetime]:
    start, end = (datetime.fromisoformat(record[name]) for name in ("start_time", "end_time"))
    return start, end


@pytest.mark.parametrize("content", ["none", "full"])
async def test_a_question_about_our_own_trace_gets_its_model_and_tool_calls(
    tmp_path: Path, content: str
) -> None:
    async with observed(tmp_path, apart=False, opik_internal_content=content) as running:
        trace, _ = await running.ask(LOOKING, ANSWERED)
        running.plays(answer("I looked at one span."))
        reader = await running.service.ask("What did you do?", trace_id=trace["id"])
        outline = running.service.chat.requests[0]["messages"][1]["content"]
    assert reader.texts == ["I looked at one span."]
    assert "Trace answer_question" in outline
    for shown in ("read_trace [general]", "get_span_details [tool]", "model_reply [llm]"):
        assert shown in outline
    assert "Findings: none" in outline, "a healthy turn looks healthy, without its words, too"


async def test_calls_of_models_and_tools_have_their_real_times(tmp_path: Path) -> None:
    gate = asyncio.Event()
    async with observed(tmp_path) as running:
        before = datetime.now(UTC)
        running.plays([gate, *LOOKING], ANSWERED)
        asking = asyncio.create_task(running.service.ask())
        await running.service.chat.asked.wait()
        asked = datetime.now(UTC)
        gate.set()
        await asking
        trace, spans = await running.arrived()
    (begun, first_end), (second, second_end) = (times(each) for each in named(spans, "model_reply"))
    (tool,) = (times(each) for each in named(spans, "get_span_details"))
    (read,) = (times(each) for each in named(spans, "read_trace"))
    whole = times(trace)
    assert before <= whole[0] == read[0] <= read[1] <= begun <= asked <= first_end
    assert first_end - timedelta(milliseconds=1) <= tool[0] <= tool[1] <= second
    assert second <= second_end <= whole[1]


async def test_a_trace_holds_what_was_analysed_and_its_cost(tmp_path: Path) -> None:
    async with observed(tmp_path) as running:
        trace, spans = await running.ask(LOOKING, ANSWERED)
        first, second = named(spans, "model_reply")
        (tool,) = named(spans, "get_span_details")
        (read,) = named(spans, "read_trace")
        facts = trace["metadata"]
        project = running.service.standin.records.workspace().projects["shop"]["id"]
    assert trace["name"] == "answer_question"
    assert trace["project_name"] == PROJECT
    assert trace["tags"] == ["opik-assist", "turn_finished"]
    assert facts.items() >= {
        ("trace_id", TRACE_ID),
        ("project_id", project),
        ("span_count", 4),
        ("workspace", "default"),
        ("outcome", "turn_finished"),
        ("model", "gpt-4.1"),
        ("steps", 2),
        ("tool_calls", 1),
        ("prompt_tokens", 200),
        ("completion_tokens", 20),
        ("version", __version__),
    }
    assert facts["request_id"]
    for call in (first, second):
        assert (call["type"], call["model"], call["provider"]) == ("llm", "gpt-4.1", "openai")
        assert call["usage"] == {
            "prompt_tokens": 100,
            "completion_tokens": 10,
            "total_tokens": 110,
        }
    assert (first["input"]["messages"], second["input"]["messages"]) == (3, 5)
    assert first["output"] == {"finish_reason": "tool_calls", "characters": 8, "calls": 1}
    assert second["output"] == {"finish_reason": "stop", "characters": 16, "calls": 0}
    assert (tool["type"], tool["metadata"]["outcome"]) == ("tool", "ok")
    assert tool["output"]["characters"] > 100
    assert (read["type"], read["output"]) == ("general", {"spans": 4})
    assert (trace["input"], trace["output"]) == ({"characters": 4}, {"characters": 16})
    assert {each["trace_id"] for each in spans} == {trace["id"]}
    assert not any(each["error_info"] for each in (trace, *spans))


async def test_a_conversation_is_a_thread_and_a_new_one_another(tmp_path: Path) -> None:
    async with observed(tmp_path) as running:
        first, _ = await running.ask(ANSWERED)
        second, _ = await running.ask(ANSWERED)
        await running.service.http.delete(running.service.session())
        third, _ = await running.ask(ANSWERED)
    assert first["thread_id"] == second["thread_id"] != third["thread_id"]
    assert len({first["id"], second["id"], third["id"]}) == 3


async def test_traces_without_content_quote_no_text(tmp_path: Path) -> None:
    scripts = [
        calling(("search_spans", json.dumps({"text": ARGUMENT})), (TOOL, "{}"), status=STATUS),
        LOOKING,
        answer(f"It was {ANSWER}."),
    ]
    async with observed(tmp_path) as running:
        _, spans = await running.ask(*scripts, message=f"What about {QUESTION}?")
        await running.ask([ChatError(400, f"Unheard of: {REFUSAL}")], message=QUESTION)
        await running.ask([text(ANSWER), ChatError(500, REFUSAL)], message=QUESTION)
        history = json.dumps(await running.service.history())
    sent = running.target.read_requests_as_text()
    for word in (QUESTION, ANSWER, STATUS, TOOL, REFUSAL):
        assert word in history
        assert word not in sent
    for word in (ARGUMENT, *RECORDED):
        assert word not in sent
    assert named(spans, "unknown_tool")


async def test_full_content_adds_questions_answers_arguments_and_results(tmp_path: Path) -> None:
    scripts = [
        calling(("search_spans", json.dumps({"text": ARGUMENT})), status=STATUS),
        LOOKING,
        answer(f"It was {ANSWER}."),
    ]
    async with observed(tmp_path, opik_internal_content="full") as running:
        trace, spans = await running.ask(*scripts, message=f"What about {QUESTION}?")
        failed, calls = await running.ask([ChatError(400, f"Unheard of: {REFUSAL}")])
    assert trace["input"]["question"] == f"What about {QUESTION}?"
    assert trace["output"]["answer"] == f"It was {ANSWER}."
    (search,) = named(spans, "search_spans")
    (details,) = named(spans, "get_span_details")
    assert ARGUMENT in search["input"]["arguments"]
    for word in RECORDED:
        assert word in details["output"]["result"]
    reply = named(spans, "model_reply")[0]["output"]
    assert (reply["content"], reply["tool_calls"][0]["name"]) == (STATUS, "search_spans")
    assert REFUSAL in failed["error_info"]["message"]
    assert REFUSAL in calls[-1]["error_info"]["message"]


async def test_a_failing_tool_is_an_error_of_its_span_alone(tmp_path: Path) -> None:
    async with observed(tmp_path) as running:
        trace, spans = await running.ask(calling(("get_span_details", "{}")), ANSWERED)
    (tool,) = named(spans, "get_span_details")
    assert tool["error_info"]["exception_type"] == "tool_failed"
    assert tool["error_info"]["traceback"].strip()
    assert trace["error_info"] is None


async def test_a_failing_model_is_an_error_of_its_span_and_its_trace(tmp_path: Path) -> None:
    async with observed(tmp_path) as running:
        trace, spans = await running.ask([ChatError(401, "Incorrect API key provided")])
    (call,) = named(spans, "model_reply")
    codes = {each["error_info"]["exception_type"] for each in (trace, call)}
    assert codes == {"bad_key"} == {trace["metadata"]["outcome"]}
    assert trace["tags"] == ["opik-assist", "bad_key"]
    assert call["model"] == "openai/gpt-4.1"


async def test_a_reply_that_breaks_off_is_an_error(tmp_path: Path) -> None:
    async with observed(tmp_path) as running:
        running.service.switches.faults = [Fault(ChatCutAfter(1))]
        trace, spans = await running.ask(answer("Half", " an answer."))
    (call,) = named(spans, "model_reply")
    assert call["error_info"]["exception_type"] == "cut"
    assert trace["error_info"]["exception_type"] == "cut"


async def test_a_trace_that_cannot_be_read_is_an_error_without_calls(tmp_path: Path) -> None:
    async with observed(tmp_path, retry_max_attempts=1) as running:
        record_trace(running.service.standin, OTHER_TRACE_ID)
        running.service.switches.faults = [Fault(Answer(500), path="/v1/private/spans")]
        running.plays(ANSWERED)
        assert (await running.service.ask(trace_id=OTHER_TRACE_ID)).error
        await wait_until(lambda: running.target.traces)
    (trace,) = running.target.traces
    assert trace["error_info"]["exception_type"] == "backend_unavailable"
    assert running.target.spans == []


async def test_a_stopped_turn_is_cancelled_and_no_error(tmp_path: Path) -> None:
    async with observed(tmp_path, opik_internal_content="full") as running:
        running.plays([text("Half an "), asyncio.Event()])
        async with running.service.asking() as stream:
            await stream.until(lambda each: each.reader.texts)
        trace, spans = await running.arrived()
    (call,) = named(spans, "model_reply")
    assert call["output"] == {"finish_reason": "cancelled"}
    assert trace["metadata"]["outcome"] == "turn_cancelled"
    assert trace["output"]["answer"] == "Half an "
    assert not any(each["error_info"] for each in (trace, *spans))


async def test_only_credentials_of_its_own_reach_the_backend_of_the_traces(tmp_path: Path) -> None:
    values = {
        "opik_internal_api_key": credentials.OWN_TRACES_KEY,
        "opik_internal_workspace": "default",
    }
    async with observed(tmp_path, **values, opik_internal_project="own") as running:
        running.service.headers = {
            "Cookie": f"sessionToken={credentials.ANNA}",
            "Comet-Workspace": "default",
        }
        trace, _ = await running.ask(LOOKING, ANSWERED)
        received = list(running.target.standin.switches.received)
    assert trace["project_name"] == "own"
    for each in received:
        assert each.headers["authorization"] == credentials.OWN_TRACES_KEY
        assert each.headers["comet-workspace"] == "default"
    assert credentials.ANNA not in running.target.read_requests_as_text()
    forwarded = running.service.switches.received
    assert not any(credentials.OWN_TRACES_KEY in json.dumps(each.headers) for each in forwarded)


@pytest.mark.parametrize("content", ["none", "full"])
async def test_a_conversation_deleted_while_it_answers_leaves_no_content(
    tmp_path: Path, content: str
) -> None:
    async with observed(tmp_path, opik_internal_content=content) as running:
        running.plays([text(ANSWER), asyncio.Event()])
        async with running.service.asking(QUESTION) as stream:
            await stream.until(lambda each: each.reader.texts)
            await running.service.http.delete(running.service.session())
        await wait_until(lambda: running.target.traces)
    (trace,) = running.target.traces
    assert trace["metadata"]["outcome"] == "turn_lost"
    assert QUESTION not in running.target.read_requests_as_text()
    assert ANSWER not in running.target.read_requests_as_text()
