"""The real service on a real socket, before the stand-in backend on another."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import anyio
import httpx
import uvicorn
from starlette.types import ASGIApp

from app.main import create_app
from app.settings import Settings
from standin.app import Standin
from standin.app import create_app as create_standin
from standin.record_store import Records
from standin.switches import Switches
from testkit.constants import changed_constants, split_constants
from testkit.panel_reader import PanelReader
from testkit.scripted_chat import DirectedChat, answer

TRACE_ID = str(UUID(int=0x0199_0000_0000_7000_8000_0000_0000_0001))
OTHER_TRACE_ID = str(UUID(int=0x0199_0000_0000_7000_8000_0000_0000_0002))
PREFIX = "/opik-ai"
WAIT_SECONDS = 60.0
"""Seconds that a test waits for anything; long, since the machine may be busy."""


async def wait_until(condition: Callable[[], object], seconds: float = WAIT_SECONDS) -> None:
    """Waits until the condition is true; the test fails after `seconds`."""
    with anyio.fail_after(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await anyio.sleep(0.005)


def span_id(number: int) -> str:
    return str(UUID(int=0x0199_0000_0000_7000_8000_0000_0001_0000 + number))


class _Server(uvicorn.Server):
    """Installs no signal handlers, and checks for its end every 10 ms instead of every 100 ms."""

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield

    async def main_loop(self) -> None:
        ticks = 0
        while not await self.on_tick(ticks):
            ticks += 1
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def serving(
    app: ASGIApp,
    *,
    grace: int = 5,
    port: int = 0,
    send_buffer: int | None = None,
    **more: Any,
) -> AsyncIterator[str]:
    """Serves an app on a port of the loopback, 0 for any free one, in this very event loop.

    `send_buffer` is how many bytes the system takes for a reader who does not; `more` is for
    uvicorn. Gives its URL.
    """
    # asyncio switches Nagle's algorithm off only on sockets that say they are TCP.
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:
        if send_buffer is not None:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
        listener.bind(("127.0.0.1", port))
        config = uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=grace, **more)
        server = _Server(config)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:
            if task.done():
                raise RuntimeError("the server did not start")
            await asyncio.sleep(0.005)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task


def record_trace(standin: Standin, trace_id: str = TRACE_ID, **more: Any) -> None:
    """A trace of four spans, of which the third fails, in the stand-in's default workspace."""
    workspace = more.pop("workspace", "default")
    trace = {
        "id": trace_id,
        "project_name": "shop",
        "name": "answer-question",
        "start_time": "2026-11-20T10:00:00Z",
        "end_time": "2026-11-20T10:00:04Z",
        "input": {"question": "Where is order 8812?"},
        "output": {"answer": "I cannot say."},
        **more,
    }
    standin.records.put_traces([trace], workspace)
    if trace_id != TRACE_ID:
        return
    standin.records.put_spans([_span(*each) for each in _SPANS], workspace)


_SPANS: list[tuple[int, int | None, str, str, dict[str, Any]]] = [
    (1, None, "agent", "general", {}),
    (2, 1, "plan", "llm", {"model": "gpt-4.1", "usage": {"prompt_tokens": 900}}),
    (
        3,
        1,
        "lookup_order",
        "tool",
        {
            "input": {"order_id": 8812},
            "error_info": {
                "exception_type": "KeyError",
                "message": "'orders'",
                "traceback": "Traceback (most recent call last):\nKeyError: 'orders'",
            },
        },
    ),
    (4, 1, "answer", "llm", {"output": {"text": "I cannot say."}}),
]


def _span(
    number: int, parent: int | None, name: str, kind: str, more: dict[str, Any]
) -> dict[str, Any]:
    return {
        "id": span_id(number),
        "trace_id": TRACE_ID,
        "parent_span_id": parent and span_id(parent),
        "project_name": "shop",
        "name": name,
        "type": kind,
        "start_time": f"2026-11-20T10:00:0{number - 1}Z",
        "end_time": f"2026-11-20T10:00:0{number if parent else 4}Z",
        **more,
    }


@dataclass
class Service:
    """A running service with its backend, and requests as the panel makes them."""

    url: str
    backend: str
    database_uri: str
    standin: Standin
    chat: DirectedChat
    http: httpx.AsyncClient
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def switches(self) -> Switches:
        return self.standin.switches

    def session(self, trace_id: str = TRACE_ID) -> str:
        return f"{self.url}{PREFIX}/trace-analyzer/session/{trace_id}"

    def question(
        self, message: str = "What caused this error?", *, trace_id: str = TRACE_ID, **more: Any
    ) -> httpx.Request:
        headers = {**self.headers, **more.pop("headers", {})}
        query = more.pop("query", None)
        body = {"message": message, "streaming": True, **more}
        return self.http.build_request(
            "POST", self.session(trace_id), params=query, json=body, headers=headers
        )

    @contextlib.asynccontextmanager
    async def asking(
        self, message: str = "What caused this error?", **more: Any
    ) -> AsyncIterator["Stream"]:
        """A question whose answer is read by hand; leaving the block closes the connection."""
        response = await self.http.send(self.question(message, **more), stream=True)
        try:
            yield Stream(response)
        finally:
            await response.aclose()

    async def ask(self, message: str = "What caused this error?", **more: Any) -> PanelReader:
        """Asks and reads to the end, as the panel would."""
        async with self.asking(message, **more) as stream:
            assert stream.response.status_code == 200, await stream.response.aread()
            return await stream.rest()

    async def history(self, **more: Any) -> list[dict[str, Any]]:
        response = await self.http.get(self.session(**more), headers=self.headers)
        assert response.status_code == 200, response.text
        content: list[dict[str, Any]] = response.json()["content"]
        return content

    async def read_messages(self, **more: Any) -> list[tuple[str, str]]:
        """The history as pairs of role and text, tool rows as their display names."""
        return [
            (
                each["role"],
                json.dumps([row["display_name"] for row in each["toolCalls"]])
                if "toolCalls" in each
                else each["content"],
            )
            for each in await self.history(**more)
        ]


class Stream:
    """An answer as it comes, one network read after the other."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.reader = PanelReader()
        self.bytes = b""
        self._reads = response.aiter_raw()

    async def until(self, shown: Callable[["Stream"], object]) -> PanelReader:
        """Reads on until the panel shows what is looked for."""
        with anyio.fail_after(WAIT_SECONDS):
            while not shown(self):
                self._feed_reader(await anext(self._reads))
        return self.reader

    async def rest(self) -> PanelReader:
        """Reads to the end."""
        with anyio.fail_after(WAIT_SECONDS):
            async for data in self._reads:
                self._feed_reader(data)
        return self.reader

    def _feed_reader(self, data: bytes) -> None:
        self.bytes += data
        self.reader.read(data)


@contextlib.asynccontextmanager
async def running(
    database_uri: str,
    *,
    chat: Any = None,
    network: httpx.AsyncBaseTransport | None = None,
    **settings: Any,
) -> AsyncIterator[Service]:
    """A service on this database before a stand-in that knows one trace.

    `chat` answers for the models, a DirectedChat where none is given.
    `network` is what the service reaches the stand-in through.
    """
    chat = chat or DirectedChat(answer("It was ", "the tool."))
    standin = create_standin(Records(), chat=chat, switches=Switches())
    record_trace(standin)
    async with contextlib.AsyncExitStack() as stack:
        backend = await stack.enter_async_context(serving(standin, grace=1))
        url = await stack.enter_async_context(
            service_at(backend, database_uri, network=network, **settings)
        )
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=WAIT_SECONDS))
        yield Service(url, backend, database_uri, standin, chat, http)


@contextlib.asynccontextmanager
async def service_at(
    backend: str,
    database_uri: str,
    *,
    network: httpx.AsyncBaseTransport | None = None,
    send_buffer: int | None = None,
    **settings: Any,
) -> AsyncIterator[str]:
    """One process's worth of service; several may share a database. Gives its URL.

    `settings` may name constants of `testkit.constants` too.
    """
    constants, values = split_constants(settings)
    values = {
        "agent_opik_url": backend,
        "session_service_uri": database_uri,
        "url_prefix": PREFIX,
        "retry_backoff_factor": 0.001,
        "shutdown_seconds": 1,
        "migrate_at_start": True,
        **values,
    }
    with changed_constants(**constants):
        app = create_app(Settings(_env_file=None, **values), transport=network)
        async with serving(app, send_buffer=send_buffer) as url:
            yield url
