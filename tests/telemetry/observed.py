"""A service whose own turns are traced, and the backend that gets the traces."""

import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from standin.app import Standin
from standin.app import create_app as create_standin
from standin.record_store import Records
from standin.switches import Switches
from testkit.scripted_chat import DirectedChat, Step, answer
from testkit.service import TRACE_ID, Service, record_trace, service_at, serving, wait_until

PRIVATE = "/v1/private"
PROJECT = "opik-assist"


@dataclass
class Target:
    """The backend that gets the traces, and what it got."""

    standin: Standin

    def sent(self, method: str, path: str) -> list[Any]:
        """The bodies that came to that path, in order."""
        return [each.body for each in self.standin.switches.requests(method, PRIVATE + path)]

    @property
    def traces(self) -> list[dict[str, Any]]:
        return [each for body in self.sent("POST", "/traces/batch") for each in body["traces"]]

    @property
    def spans(self) -> list[dict[str, Any]]:
        return [each for body in self.sent("POST", "/spans/batch") for each in body["spans"]]

    @property
    def scores(self) -> list[tuple[str, float]]:
        """The scores that stand, as pairs of name and value."""
        kept = self.standin.records.workspace().scores.values()
        return [(name, score["value"]) for each in kept for name, score in each.items()]

    def read_requests_as_text(self) -> str:
        """All received requests as one JSON text, headers included."""
        received = self.standin.switches.received
        return json.dumps([[each.path, each.headers, each.body] for each in received])


@dataclass
class Observed:
    service: Service
    target: Target

    async def ask(
        self, *scripts: list[Step], message: str = "Why?", trace_id: str = TRACE_ID
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Asks, the model playing these scripts; the turn's trace and spans, once they came."""
        traces, spans = len(self.target.traces), len(self.target.spans)
        self.plays(*scripts)
        await self.service.ask(message, trace_id=trace_id)
        return await self.arrived(traces, spans)

    def plays(self, *scripts: list[Step]) -> None:
        self.service.chat.scripts = list(scripts)
        self.service.chat.requests.clear()
        self.service.chat.asked.clear()

    async def arrived(
        self, traces: int = 0, spans: int = 0
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The trace and the spans that come after so many."""
        await wait_until(lambda: len(self.target.spans) > spans)
        return self.target.traces[traces], self.target.spans[spans:]


def backend(chat: DirectedChat) -> Standin:
    standin = create_standin(Records(), chat=chat, switches=Switches())
    record_trace(standin)
    return standin


@contextlib.asynccontextmanager
async def observed(folder: Path, *, apart: bool = True, **settings: Any) -> AsyncIterator[Observed]:
    """`apart`: the traces go to another backend than the one that the service reads from."""
    chat = DirectedChat(answer("It was the tool."))
    standin = backend(chat)
    target = create_standin(Records(), chat=chat, switches=Switches()) if apart else standin
    uri = f"sqlite:///{folder / 'observed.db'}"
    async with contextlib.AsyncExitStack() as stack:
        url = await stack.enter_async_context(serving(standin, grace=1))
        internal = await stack.enter_async_context(serving(target, grace=1)) if apart else url
        values = {"opik_internal_url": f"{internal}/api", **settings}
        at = await stack.enter_async_context(service_at(url, uri, **values))
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=60))
        yield Observed(Service(at, url, uri, standin, chat, http), Target(target))
