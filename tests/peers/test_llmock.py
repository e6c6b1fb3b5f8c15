"""Against PyPI's llmock: tools of its own choosing, and faults that it knows how to make."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from app.chat.frames import parse_json_object
from app.errors import ModelFailed
from app.messages import Assistant, Message, ToolResult, ToolSpec, User
from testkit.limits import chat_options
from tests.chat.proxy import ModelProbe
from tests.peers.running import peer

pytestmark = pytest.mark.slow

TOOL = ToolSpec(
    "get_span",
    "Reads one span of the trace.",
    {
        "type": "object",
        "properties": {"span_id": {"type": "string"}, "whole": {"type": "boolean"}},
        "required": ["span_id"],
    },
)
QUESTION: list[Message] = [User("What does get_span say of span s3?")]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with peer("llmock.sh") as port:
        yield port


class Llmock:
    def __init__(self, http: httpx.AsyncClient, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.http = http
        options = chat_options(silence_seconds=10)
        self.probe = ModelProbe(http, model="gpt-4o", base_url=self.url, options=options)

    async def shall(self, *behaviors: dict[str, Any]) -> None:
        body = {"behaviors": list(behaviors)}
        (await self.http.post(f"{self.url}/_llmock/scenario", json=body)).raise_for_status()


@pytest.fixture
async def llmock(http: httpx.AsyncClient, port: int) -> Llmock:
    mock = Llmock(http, port)
    await http.post(f"{mock.url}/_llmock/reset")
    return mock


async def test_a_tool_is_called_and_its_result_answered(llmock: Llmock) -> None:
    reply = await llmock.probe.reply(QUESTION, tools=(TOOL,))
    assert [call.name for call in reply.calls] == ["get_span"]
    assert isinstance(json.loads(reply.calls[0].arguments)["span_id"], str)
    messages = [
        *QUESTION,
        Assistant(reply.text, reply.calls),
        ToolResult(reply.calls[0], "It failed with a KeyError."),
    ]
    answer = await llmock.probe.reply(messages, tools=(TOOL,))
    assert answer.text
    assert answer.complete
    assert not answer.calls
    assert answer.usage is not None


async def test_a_rate_limit_is_waited_for_as_long_as_it_asks(llmock: Llmock) -> None:
    await llmock.shall({"type": "fail", "status": 429, "retry_after": 3, "times": 1})
    assert (await llmock.probe.reply(QUESTION, tools=())).text
    assert llmock.probe.pauses == [3]


async def test_an_outage_is_reported_as_a_readable_message(llmock: Llmock) -> None:
    await llmock.shall({"type": "fail", "status": 503, "times": None})
    with pytest.raises(ModelFailed) as failure:
        await llmock.probe.reply(QUESTION, tools=())
    assert failure.value.message
    assert len(llmock.probe.pauses) == 2


@pytest.mark.parametrize("kind", ["disconnect", "truncate", "malformed"])
async def test_a_broken_stream_keeps_its_text_and_is_never_taken_for_whole(
    llmock: Llmock, kind: str
) -> None:
    await llmock.shall({"type": "stream_fault", "kind": kind, "after_chunks": 3})
    reply = await llmock.probe.reply(QUESTION, tools=())
    assert reply.text == "".join(llmock.probe.shown)
    assert reply.text
    assert not reply.complete


@pytest.mark.parametrize("kind", ["malformed_arguments", "unknown_tool"])
async def test_a_broken_tool_call_is_passed_on_to_the_toolbox(llmock: Llmock, kind: str) -> None:
    await llmock.shall({"type": "tool_fault", "kind": kind})
    (call,) = (await llmock.probe.reply(QUESTION, tools=(TOOL,))).calls
    if kind == "unknown_tool":
        assert call.name != "get_span"
    else:
        assert parse_json_object(call.arguments) is None


async def test_a_prompt_over_the_context_is_recognised(llmock: Llmock) -> None:
    words = "This model's maximum context length was exceeded."
    await llmock.shall({"type": "fail", "status": 400, "message": words})
    with pytest.raises(ModelFailed) as failure:
        await llmock.probe.reply(QUESTION, tools=())
    assert failure.value.reason == "context_too_long"
