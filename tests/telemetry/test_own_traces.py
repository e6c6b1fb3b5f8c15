"""Traces of our own turns, as an Opik backend receives them."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import httpx

from demo.standin.app import Standin
from demo.standin.app import create_app as create_standin
from demo.standin.records import Records
from demo.standin.switches import Received, Switches
from tests.fakes.chat import DirectedChat, answer, calling
from tests.fakes.service import (
    PATIENCE,
    Service,
    record_trace,
    service_at,
    serving,
)

QUESTION, ANSWER, WORDS = "ask-5e0c", "say-3b9f", "trace-words-88a1"
PRIVATE = "/v1/private"
DETAILS = ("get_span_details", json.dumps({"span_id": "s3"}))


@dataclass
class Observed:
    """A service, and the backend that gets its own traces."""

    service: Service
    target: Standin

    @property
    def received(self) -> list[Received]:
        return [each for each in self.target.switches.received if each.method != "GET"]

    def sent(self, method: str, path: str) -> list[Any]:
        """The bodies that came to that path, in order."""
        return [each.body for each in self.target.switches.requests(method, PRIVATE + path)]

    @property
    def traces(self) -> list[dict[str, Any]]:
        return [each for body in self.sent("POST", "/traces/batch") for each in body["traces"]]

    @property
    def spans(self) -> list[dict[str, Any]]:
        return [each for body in self.sent("POST", "/spans/batch") for each in body["spans"]]

    def said(self) -> str:
        """Every word that came, headers included."""
        return json.dumps([[each.path, each.headers, each.body] for each in self.received])

    async def ask(self, *scripts: Any, message: str = "Why?", **more: Any) -> list[dict[str, Any]]:
        """Asks, the model playing these scripts; the spans of the turn's trace once they came."""
        before = len(self.spans)
        self.service.chat.scripts = list(scripts)
        self.service.chat.requests.clear()
        await self.service.ask(message, **more)
        await until(lambda: len(self.spans) > before)
        return self.spans[before:]


async def until(condition: Any) -> None:
    """Waits for what is bound to happen; a test that waits too long fails."""
    with anyio.fail_after(PATIENCE):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.005)


def backend(chat: DirectedChat) -> Standin:
    standin = create_standin(Records(), chat=chat, switches=Switches())
    record_trace(standin, input={"question": WORDS})
    return standin


@contextlib.asynccontextmanager
async def observed(folder: Path, *, apart: bool = True, **settings: Any) -> AsyncIterator[Observed]:
    """`apart`: its traces go to another backend than the one it reads from."""
    chat = DirectedChat(answer("It was the tool."))
    standin = backend(chat)
    target = backend(chat) if apart else standin
    uri = f"sqlite:///{folder / 'observed.db'}"
    async with contextlib.AsyncExitStack() as stack:
        url = await stack.enter_async_context(serving(standin, grace=1))
        internal = await stack.enter_async_context(serving(target, grace=1)) if apart else url
        values = {"opik_internal_url": f"{internal}/api", **settings}
        at = await stack.enter_async_context(service_at(url, uri, **values))
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=20))
        yield Observed(Service(at, url, uri, standin, chat, http), target)


async def test_a_question_about_our_own_trace_gets_its_model_and_tool_calls(
    tmp_path: Path,
) -> None:
    async with observed(tmp_path, apart=False) as running:
        await running.ask(calling(DETAILS, status="Looking."), answer("It was the tool."))
        (trace,) = running.traces
        running.service.chat.requests.clear()
        running.service.chat.scripts = [answer("I looked at one span.")]
        reader = await running.service.ask("What did you do?", trace_id=trace["id"])
        outline = json.dumps(running.service.chat.requests[0]["messages"])
    assert reader.texts == ["I looked at one span."]
    assert trace["name"] == "answer_question"
    for shown in ("answer_question", "read_trace", "get_span_details", "model_reply", "gpt-4.1"):
        assert shown in outline
