"""The demo as a newcomer runs it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from standin.app import create_app
from standin.chat import ChatError, Chunk
from standin.forwarding import ForwardingChat
from standin.offline_model import LABEL, OfflineModel
from standin.record_store import Records
from standin.switches import Switches
from testkit.case_tables import each_case
from testkit.scripted_chat import DirectedChat, answer, calling
from testkit.service import serving

ROOT = Path(__file__).parents[2]
TRACES = ROOT / "demo" / "traces"

OUTLINE = """The trace that this conversation is about:
<<<data 0123
Trace zebra-run: 2 s
Findings (1, most important first):
1. error_origin (95% sure): QuaggaError began in stripes. Spans: s7, s2.
Tree:
s2 * zebra [general] 2.00 s
  s7 * stripes [tool] 1.00 s, ERROR QuaggaError
data 0123>>>"""
TOOL = {
    "type": "function",
    "function": {
        "name": "look",
        "parameters": {
            "type": "object",
            "properties": {"span_id": {"type": "string"}, "include_output": {"type": "boolean"}},
            "required": ["span_id"],
        },
    },
}


def environment(**more: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, "PYTHONPATH": str(ROOT), **more}


def test_one_question_is_answered_with_tools_in_the_terminal(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "demo", "--once"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "What caused this error?" in done.stdout
    assert "✓ Fetching span details for look_up_order\n" in done.stdout
    assert "Offline stand-in model" in done.stdout
    assert "KeyError" in done.stdout
    assert "Traceback" not in done.stderr


async def reply(model: OfflineModel, **request: Any) -> list[Chunk]:
    return [chunk async for chunk in model.reply({"messages": [], **request})]


def join_text(chunks: list[Chunk]) -> str:
    deltas = [each["choices"][0]["delta"] for each in chunks if each["choices"]]
    return "".join(delta.get("content") or "" for delta in deltas)


def called(chunks: list[Chunk]) -> list[str]:
    deltas = [each["choices"][0]["delta"] for each in chunks if each["choices"]]
    pieces = [call for delta in deltas for call in delta.get("tool_calls", [])]
    return re.findall(r"\{.*?\}", "".join(each["function"]["arguments"] for each in pieces))


def talk(*more: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"role": "system", "content": "…"},
        {"role": "user", "content": OUTLINE},
        {"role": "user", "content": "Why did it fail?"},
        *more,
    ]


async def test_the_offline_model_looks_at_the_spans_that_the_outline_names() -> None:
    chunks = await reply(OfflineModel(0), messages=talk(), tools=[TOOL])
    assert [json.loads(each) for each in called(chunks)] == [
        {"span_id": "s7", "include_output": True},
        {"span_id": "s2", "include_output": True},
    ]


async def test_the_offline_model_answers_from_what_it_was_given_and_says_what_it_is() -> None:
    result = {"role": "tool", "content": "<<<data 0123\ns7 stripes [tool]\nerror: Q: 17\n>>>"}
    text = join_text(await reply(OfflineModel(0), messages=talk(result), tools=[TOOL]))
    assert text.startswith(LABEL)
    assert "**QuaggaError began in [s7] ([s2]) (95 % sure).**" in text
    assert "- [s7]: `error: Q: 17`" in text


async def test_the_offline_model_names_each_span_once_and_repeats_no_proposed_call() -> None:
    path = "- critical path, most of its time in: s2 zebra 2.0 s (66 %), s7 stripes 1.0 s (33 %)"
    more = ", 9 more in get_trace_data(view=path)"
    outline = OUTLINE.replace("Tree:", f"Profile (1.0 spans in parallel):\n{path}{more}\nTree:")
    messages = [{"role": "user", "content": outline}, {"role": "user", "content": "Why so slow?"}]
    slow = join_text(await reply(OfflineModel(0), messages=messages))
    assert "**The trace waited longest for [s2] 2.0 s (66 %), [s7] 1.0 s (33 %).**" in slow
    assert "get_trace_data" not in slow
    hint = 'How one differs: compare_traces(trace="t4")'
    result = {
        "role": "tool",
        "content": f"<<<data 0\nA: this\ns7 stripes: fails\n{hint}\ndata 0>>>",
    }
    ask = {"role": "user", "content": "Is it usual?"}
    beyond = join_text(await reply(OfflineModel(0), messages=[messages[0], ask, result]))
    assert "- [s7]: fails" in beyond
    assert "compare_traces" not in beyond


def a_tool(name: str) -> dict[str, Any]:
    parameters = {"type": "object", "properties": {"trace": {"type": "string"}}}
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


@pytest.mark.parametrize(
    ("question", "tool", "arguments"),
    [
        ("How did this conversation go so far?", "get_thread", "{}"),
        (
            "What do healthy runs do that this one does not?",
            "find_similar_traces",
            '{"outcome": "healthy"}',
        ),
        ("Is this slower than usual?", "compare_with_project", "{}"),
    ],
)
async def test_the_offline_model_looks_beyond_the_trace_where_the_question_does(
    question: str, tool: str, arguments: str
) -> None:
    messages = [*talk()[:-1], {"role": "user", "content": question}]
    offered = [TOOL, a_tool(tool)]
    assert called(await reply(OfflineModel(0), messages=messages, tools=offered)) == [arguments]
    without = await reply(OfflineModel(0), messages=messages, tools=[TOOL])
    assert json.loads(called(without)[0])["span_id"] == "s7"
    result = {"role": "tool", "content": "<<<data 0\nThread x: 2 turns\nt1 turn 1\ndata 0>>>"}
    reply_text = join_text(
        await reply(OfflineModel(0), messages=[*messages, result], tools=offered)
    )
    assert "**Thread x: 2 turns**" in reply_text
    assert "- [t1] turn 1" in reply_text


async def test_the_offline_model_makes_the_call_that_a_result_names() -> None:
    ask = {"role": "user", "content": "What do healthy runs do that this one does not?"}
    hint = 'Others:\nt4 2026\nHow one differs: compare_traces(trace="t4")'
    result = {"role": "tool", "content": f"<<<data 0\n{hint}\ndata 0>>>"}
    messages = [*talk()[:-1], ask, result]
    offered = [TOOL, a_tool("compare_traces")]
    assert called(await reply(OfflineModel(0), messages=messages, tools=offered)) == [
        '{"trace": "t4"}'
    ]
    difference = {"role": "tool", "content": "<<<data 0\nA: t4 x\nB: this\ndata 0>>>"}
    last = await reply(OfflineModel(0), messages=[*messages, difference], tools=offered)
    assert called(last) == []
    assert "**A: [t4] x**" in join_text(last)


async def test_the_offline_model_answers_without_tools_and_without_an_outline() -> None:
    assert "[s7]" in join_text(await reply(OfflineModel(0), messages=talk()))
    empty = join_text(await reply(OfflineModel(0), messages=[{"role": "user", "content": "Hm?"}]))
    assert empty.startswith(LABEL)


def test_the_offline_model_knows_nothing_of_the_recorded_traces() -> None:
    source = (ROOT / "standin" / "offline_model.py").read_text()
    records = recorded()
    names = {entry.fields["name"] for entry in records.workspace().spans.values()}
    assert len(names) > 15
    assert not [name for name in names if len(name) > 6 and name in source]


def recorded() -> Records:
    records = Records()
    for path in sorted(TRACES.iterdir()):
        records.load(path)
    return records


def test_the_recordings_contain_the_cases_of_the_demo() -> None:
    workspace = recorded().workspace()
    traces = [entry.fields for entry in workspace.traces.values()]
    assert len(traces) >= 10
    threads = [each["thread_id"] for each in traces if each.get("thread_id")]
    assert sorted(threads.count(thread) for thread in set(threads)) == [2, 3, 8]
    tags = {tag for each in traces for tag in each.get("tags", [])}
    assert {"live-coach", "live-feedback", "tts", "session-summary"} <= tags
    assert {"fretcoach-hub", "practice-planning"} <= tags
    assert len(workspace.spans) > 1_500
    assert any(each.get("error_info") for each in traces)


def test_the_recordings_hold_enough_runs_of_one_name_to_tell_what_is_usual() -> None:
    workspace = recorded().workspace()
    runs = [e.fields for e in workspace.traces.values() if e.fields["name"] == "order-status"]
    assert len(runs) == 40
    assert sum(1 for each in runs if each.get("error_info")) == 4
    assert sum(path.stat().st_size for path in TRACES.iterdir()) < 400_000


def test_the_recordings_come_from_several_ways_of_instrumenting() -> None:
    workspace = recorded().workspace()
    metadata = [entry.fields.get("metadata") or {} for entry in workspace.spans.values()]
    assert {"langchain", "openai"} <= {each.get("created_from") for each in metadata}
    checks = [check.result for found in workspace.guardrails.values() for check in found]
    assert sorted(checks) == ["failed", "passed"]


@each_case("path", sorted(TRACES.iterdir()))
def test_no_recording_names_a_path_of_a_machine(path: Path) -> None:
    records = Records()
    records.load(path)
    text = json.dumps([entry.fields for entry in records.workspace().spans.values()], default=str)
    assert not re.search(r"/(?:root|home|work|Users|tmp)/", text)


@pytest.fixture
def provider() -> DirectedChat:
    return DirectedChat(calling(("look", '{"span_id": "s1"}')), answer("Forwarded."))


async def test_the_proxy_can_forward_to_an_openai_compatible_server(
    provider: DirectedChat,
) -> None:
    upstream = create_app(Records(), chat=provider, switches=Switches())
    async with serving(upstream, grace=1) as url:
        model = ForwardingChat(f"{url}/v1/private", key="k-1", model="gpt-4.1-mini")
        request = {"model": "gpt-4.1", "messages": [{"role": "user", "content": "Hi"}]}
        first = [chunk async for chunk in model.reply({**request, "tools": [TOOL]})]
        second = [chunk async for chunk in model.reply(request)]
    assert called(first) == ['{"span_id": "s1"}']
    assert join_text(second) == "Forwarded."
    assert provider.requests[0]["model"] == "gpt-4.1-mini"
    assert provider.requests[0]["tools"]


async def test_usage_is_asked_of_the_server_where_the_request_asks_for_it_and_not_otherwise(
    provider: DirectedChat,
) -> None:
    """A server may refuse `stream_options`; the service then leaves it out."""
    async with serving(create_app(Records(), chat=provider, switches=Switches()), grace=1) as url:
        model = ForwardingChat(f"{url}/v1/private")
        for wish in ({"stream_options": {"include_usage": True}}, {}):
            request = {"model": "gpt-4.1", "messages": [{"role": "user", "content": "Hi"}], **wish}
            assert [chunk async for chunk in model.reply(request)]
    asked, left_out = provider.requests
    assert asked["stream_options"] == {"include_usage": True}
    assert "stream_options" not in left_out


async def test_a_refusal_of_the_forwarded_server_is_handed_on(provider: DirectedChat) -> None:
    switches = Switches(keys=[])
    async with serving(create_app(Records(), chat=provider, switches=switches), grace=1) as url:
        model = ForwardingChat(f"{url}/v1/private")
        with pytest.raises(ChatError) as refusal:
            async for _ in model.reply({"model": "gpt-4.1", "messages": []}):
                pass
    assert refusal.value.status == 400
