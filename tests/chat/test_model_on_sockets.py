"""The model over real sockets, before the stand-in backend in all its forms."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import anyio
import httpx
import pytest
from starlette.types import Receive, Scope, Send

from app.chat.capabilities import Capabilities
from standin.app import create_app
from standin.chat import Chunk, ScriptedChat, finish, text, tool_arguments, tool_call, usage
from standin.faults import (
    ChatCutAfter,
    ChatErrorAfter,
    CutAfter,
    Delay,
    Effect,
    Fault,
    PauseAfter,
    Refuse,
    garbage,
    html_page,
)
from standin.record_store import Records
from standin.switches import Generation, Switches, UserAccount, WorkspaceKey
from testkit import credentials
from testkit.limits import chat_options
from testkit.service import serving
from tests.chat.proxy import QUESTION, ModelProbe, failed

PATH = "/v1/private/chat/completions"
GENERATIONS: list[Generation] = ["A", "B", "C"]
ANSWER = [text("Hello 😀"), text(" you."), finish("stop"), usage(10, 4)]
CALLS = [
    text("Let me look."),
    tool_call(0, "a", "get_span"),
    tool_arguments(0, '{"id":'),
    tool_arguments(0, "1}"),
    tool_call(1, "b", "get_time"),
    tool_arguments(1, "{}"),
    finish("tool_calls"),
    usage(10, 4),
]

Backend = Callable[..., AbstractAsyncContextManager[ModelProbe]]


@pytest.fixture
def switches() -> Switches:
    return Switches()


@pytest.fixture
def backend(switches: Switches) -> Backend:
    """Opens a model whose backend streams these chunks."""

    @asynccontextmanager
    async def opened(
        *chunks: object, model: str = "openai/gpt-4.1", **more: Any
    ) -> AsyncIterator[ModelProbe]:
        scripted = ScriptedChat(list(chunks))  # type: ignore[arg-type]
        app = create_app(Records(), chat=scripted, switches=switches)
        async with serving(app) as url, httpx.AsyncClient() as http:
            yield ModelProbe(http, model=model, base_url=f"{url}/api", **more)

    return opened


def fault(effect: Effect, times: int | None = None) -> Fault:
    return Fault(effect, path=PATH, times=times)


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_every_generation_streams_text_and_calls(
    generation: Generation, switches: Switches, backend: Backend
) -> None:
    switches.generation = generation
    async with backend(*CALLS) as probe:
        reply = await probe.reply()
    assert reply.text == "".join(probe.shown) == "Let me look."
    assert [(c.name, c.arguments, c.provider_id) for c in reply.calls] == [
        ("get_span", '{"id":1}', "a"),
        ("get_time", "{}", "b"),
    ]
    assert reply.complete
    assert reply.model == "gpt-4.1"
    assert reply.usage is not None
    assert reply.usage.total_tokens == 14


@pytest.mark.parametrize("generation", GENERATIONS)
@pytest.mark.parametrize(
    ("provider", "model"),
    [("anthropic", "anthropic/claude-sonnet-4-5"), ("gemini", "gemini/gemini-2.5-pro")],
)
async def test_providers_without_a_finish_reason_give_whole_replies(
    generation: Generation, provider: str, model: str, switches: Switches, backend: Backend
) -> None:
    switches.generation = generation
    switches.keys = [WorkspaceKey(provider)]
    async with backend(*ANSWER, model=model) as probe:
        reply = await probe.reply(tools=())
    assert (reply.text, reply.complete) == ("Hello 😀 you.", True)


async def test_calls_that_the_proxy_loses_in_streams_are_found(
    switches: Switches, backend: Backend
) -> None:
    switches.keys = [WorkspaceKey("openai", responses_mode=True)]
    async with backend(*CALLS) as probe:
        reply = await probe.reply()
    assert [c.name for c in reply.calls] == ["get_span", "get_time"]
    assert reply.text == "".join(probe.shown) == "Let me look."
    assert [r.body["stream"] for r in switches.requests("POST", PATH)] == [True, False]


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_an_error_of_the_provider_is_explained_in_every_generation(
    generation: Generation, switches: Switches, backend: Backend
) -> None:
    switches.generation = generation
    switches.faults = [fault(ChatErrorAfter(1, 400, "prompt is too long: 9 tokens > 8 maximum"))]
    async with backend(*ANSWER) as probe:
        error = await failed(probe)
    assert error.reason == "context_too_long"
    assert probe.shown == ["Hello 😀"]


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_a_missing_key_is_explained_in_every_generation(
    generation: Generation, switches: Switches, backend: Backend
) -> None:
    switches.generation = generation
    switches.keys = []
    async with backend(*ANSWER) as probe:
        error = await failed(probe)
    assert error.message == (
        "This workspace has no API key for OpenAI: add one under Configuration, AI Providers."
    )


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_a_refused_parameter_is_left_out_in_every_generation(
    generation: Generation, switches: Switches, backend: Backend
) -> None:
    switches.generation = generation
    more = {"options": chat_options(temperature=0.2), "capabilities": Capabilities()}
    async with backend(*ANSWER, model="openai/gpt-5", **more) as probe:
        assert (await probe.reply()).text == "Hello 😀 you."
    bodies = [r.body for r in switches.requests("POST", PATH)]
    assert ["temperature" in body for body in bodies] == [True, False]


@pytest.mark.parametrize("generation", GENERATIONS)
@pytest.mark.parametrize("effect", [ChatCutAfter(1), CutAfter(lines=1)])
async def test_a_cut_stream_keeps_its_text_and_is_incomplete(
    effect: Effect, generation: Generation, switches: Switches, backend: Backend
) -> None:
    switches.generation = generation
    switches.faults = [fault(effect)]
    async with backend(*ANSWER) as probe:
        reply = await probe.reply()
    assert (reply.text, reply.complete) == ("Hello 😀", False)


@pytest.mark.parametrize(
    ("effect", "reason"),
    [
        (garbage(), "not_understood"),
        (html_page(200), "not_understood"),
        (html_page(502), "unreachable"),
        (Refuse(), "unreachable"),
        (Delay(1), "timeout"),
        (PauseAfter(0, 30), "timeout"),
        (PauseAfter(60, 30), "timeout"),
    ],
)
async def test_an_answer_that_is_no_reply_fails(
    effect: Effect, reason: str, switches: Switches, backend: Backend
) -> None:
    switches.faults = [fault(effect)]
    options = chat_options(silence_seconds=0.2, reply_bytes=4_096)
    async with backend(*ANSWER, options=options) as probe:
        assert (await failed(probe)).reason == reason


async def test_a_connection_that_is_refused_once_is_tried_again(
    switches: Switches, backend: Backend
) -> None:
    switches.faults = [fault(Refuse(), times=1)]
    async with backend(*ANSWER) as probe:
        assert (await probe.reply()).complete
    assert probe.pauses == [0.5]


async def test_a_backend_that_compresses_its_answers_still_streams(
    switches: Switches, backend: Backend
) -> None:
    switches.gzip_answers = True
    async with backend(*ANSWER) as probe:
        assert (await probe.reply()).text == "Hello 😀 you."


async def test_the_callers_own_session_and_workspace_decide(
    switches: Switches, backend: Backend
) -> None:
    switches.accounts = {credentials.SESSION: UserAccount("ada", frozenset({"team"}))}
    async with backend(*ANSWER) as probe:
        assert (await probe.reply()).complete
        switches.accounts = {credentials.SESSION: UserAccount("ada", frozenset({"other"}))}
        assert (await failed(probe)).reason == "not_allowed"
        switches.accounts = {}
        assert (await failed(probe)).reason == "not_signed_in"


class Pondering:
    """A model that says one word and then thinks for ever."""

    def __init__(self) -> None:
        self.given_up = anyio.Event()

    async def reply(self, request: dict[str, Any], /) -> AsyncIterator[Chunk]:
        yield text("Well")
        try:
            await anyio.sleep_forever()
        finally:
            self.given_up.set()


async def test_a_cancelled_reply_hangs_up_on_the_backend(switches: Switches) -> None:
    chat = Pondering()
    app = create_app(Records(), chat=chat, switches=switches)
    async with serving(app) as url, httpx.AsyncClient() as http:
        probe = ModelProbe(http, base_url=f"{url}/api")
        with anyio.CancelScope() as scope:

            def stop(piece: str) -> None:
                scope.cancel()

            await probe.model.reply(QUESTION, tools=(), on_text=stop, on_withdrawn=list)
        assert scope.cancelled_caught
        with anyio.fail_after(60):
            await chat.given_up.wait()


async def test_an_endless_stream_is_closed(switches: Switches) -> None:
    left = anyio.Event()

    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        message = {"type": "http.response.body", "body": b": ping\n" * 1_000, "more_body": True}
        async with anyio.create_task_group() as group:

            async def watch() -> None:
                while (await receive())["type"] != "http.disconnect":
                    pass
                left.set()
                group.cancel_scope.cancel()

            group.start_soon(watch)
            while True:
                await send(message)
                await anyio.lowlevel.checkpoint()

    async with serving(endless) as url, httpx.AsyncClient() as http:
        error = await failed(
            ModelProbe(http, options=chat_options(reply_bytes=4_096), base_url=url)
        )
        assert error.reason == "not_understood"
        with anyio.fail_after(60):
            await left.wait()


async def test_one_connection_serves_one_reply_after_the_other(
    switches: Switches, backend: Backend
) -> None:
    async with backend(*ANSWER) as probe:
        for _ in range(3):
            assert (await probe.reply()).complete
    assert switches.chats.finished == 3
