"""Against a real language model: a very small one, which copies what earlier turns show it."""

import json
import time
from collections.abc import Iterator

import httpx
import pytest

from app.chat.capabilities import Capabilities
from app.messages import Assistant, Message, System, ToolCall, ToolResult, ToolSpec, User
from testkit.limits import chat_options
from tests.chat.proxy import ModelProbe
from tests.peers.running import peer

pytestmark = pytest.mark.slow

TOOL = ToolSpec(
    "get_weather",
    "Tells the weather of a city.",
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)


def example(city: str, number: int) -> list[Message]:
    call = ToolCall(f"call_{number}", "get_weather", json.dumps({"city": city}))
    return [
        User(f"What is the weather in {city}?"),
        Assistant("", (call,)),
        ToolResult(call, '{"degrees": 21}'),
        Assistant(f"It is 21 degrees in {city}."),
    ]


EXAMPLES = [
    m for n, city in enumerate(("Paris", "Rome", "Oslo", "Berlin")) for m in example(city, n)
]
CONVERSATION: list[Message] = [
    System("You answer briefly."),
    *EXAMPLES,
    User("What is the weather in Madrid?"),
]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with peer("real_llm.sh") as port:
        deadline = time.monotonic() + 60
        while httpx.get(f"http://127.0.0.1:{port}/health").status_code != 200:
            assert time.monotonic() < deadline, "the model was not loaded in time"
            time.sleep(0.1)
        yield port


def a_model(http: httpx.AsyncClient, port: int, *, native: bool) -> ModelProbe:
    return ModelProbe(
        http,
        model="smollm2",
        base_url=f"http://127.0.0.1:{port}",
        options=chat_options(temperature=0, max_completion_tokens=120),
        statuses=frozenset({429, 503}),
        capabilities=Capabilities(native_tools=native),
    )


@pytest.mark.parametrize("native", [True, False])
async def test_it_calls_a_tool_natively_and_in_text(
    http: httpx.AsyncClient, port: int, native: bool
) -> None:
    probe = a_model(http, port, native=native)
    reply = await probe.reply(CONVERSATION, tools=(TOOL,))
    assert [call.name for call in reply.calls] == ["get_weather"]
    assert json.loads(reply.calls[0].arguments) == {"city": "Madrid"}
    assert "call" not in "".join(probe.shown)
    assert reply.complete
    assert reply.usage is not None


@pytest.mark.parametrize("native", [True, False])
async def test_it_reads_a_result_and_answers(
    http: httpx.AsyncClient, port: int, native: bool
) -> None:
    probe = a_model(http, port, native=native)
    call = ToolCall("call_9", "get_weather", '{"city": "Madrid"}')
    conversation = [*CONVERSATION, Assistant("", (call,)), ToolResult(call, '{"degrees": 33}')]
    reply = await probe.reply(conversation, tools=(TOOL,))
    assert not reply.calls
    assert "33" in reply.text
    assert len(probe.shown) > 1
