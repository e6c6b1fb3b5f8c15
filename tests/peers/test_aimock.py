"""Against npm's aimock: tool deltas as OpenAI itself cuts them, one after the other."""

import json
from collections.abc import Iterator

import httpx
import pytest

from app.chat.capabilities import Capabilities
from app.messages import User
from tests.chat.proxy import ModelProbe
from tests.peers.npm import install_npm_package
from tests.peers.running import peer

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    install_npm_package("@copilotkit/aimock")
    with peer("aimock.sh") as port:
        yield port


@pytest.fixture
def probe(http: httpx.AsyncClient, port: int) -> ModelProbe:
    return ModelProbe(http, model="gpt-4o", base_url=f"http://127.0.0.1:{port}")


async def test_a_call_in_many_deltas_is_one_call(probe: ModelProbe) -> None:
    (call,) = (await probe.reply([User("one call")])).calls
    assert call.name == "get_span"
    assert json.loads(call.arguments) == {"span_id": "s1", "note": "naïve 😀"}


async def test_text_and_parallel_calls_come_apart(probe: ModelProbe) -> None:
    reply = await probe.reply([User("two calls")])
    assert reply.text == "".join(probe.shown) == "Let me look."
    assert [json.loads(call.arguments)["span_id"] for call in reply.calls] == ["s1", "s2"]
    assert len({call.provider_id for call in reply.calls}) == 2


async def test_text_comes_in_pieces_and_whole(probe: ModelProbe) -> None:
    reply = await probe.reply([User("hello")])
    assert reply.text == "".join(probe.shown) == "Hello, naïve 😀 world."
    assert len(probe.shown) > 2
    assert reply.complete


async def test_reasoning_is_no_part_of_the_answer(probe: ModelProbe) -> None:
    reply = await probe.reply([User("think")])
    assert reply.text == "".join(probe.shown) == "Open answer."


async def test_a_request_in_text_is_a_call_and_never_shown(
    http: httpx.AsyncClient, port: int
) -> None:
    probe = ModelProbe(
        http,
        model="gpt-4o",
        base_url=f"http://127.0.0.1:{port}",
        capabilities=Capabilities(native_tools=False),
    )
    reply = await probe.reply([User("text call")])
    assert reply.text == "".join(probe.shown) == "Let me look."
    assert [call.name for call in reply.calls] == ["get_span"]
