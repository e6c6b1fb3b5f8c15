"""Sends questions to the ASGI app in this event loop, without a socket.

So a client can leave at any step of the loop, and what the app leaves behind can be counted.
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import anyio
import httpx
from anyio.lowlevel import checkpoint
from sqlalchemy import event
from sqlalchemy.pool import Pool
from starlette.applications import Starlette
from starlette.types import Message

from app.main import create_app
from app.settings import Settings
from testkit.audits.clients import AskedQuestion
from testkit.constants import changed_constants, split_constants

_SETTLING_SECONDS = 30.0


@dataclass
class LeavePoint:
    """When a client leaves: after so many steps of the loop, answers of the app, or seconds.

    `storing` shows afterwards whether the service used its database at that very moment.
    """

    steps: int | None = None
    sends: int | None = None
    seconds: float = 60.0
    storing: bool = False


@dataclass
class _Client:
    """Both ends of one ASGI connection."""

    asked: AskedQuestion
    moment: LeavePoint
    service: "DirectService"
    left: anyio.Event = field(default_factory=anyio.Event)
    status: int = 0
    _rest: str = ""
    _sends: int = 0
    _sent_body: bool = False

    async def receive(self) -> Message:
        if not self._sent_body:
            self._sent_body = True
            body = {"message": self.asked.question, "streaming": True}
            return {"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        await checkpoint()
        if self.left.is_set():
            return
        if message["type"] == "http.response.start":
            self.status = message["status"]
        else:
            *lines, self._rest = (self._rest + message.get("body", b"").decode()).split("\n")
            self.asked.frames += [json.loads(x[6:]) for x in lines if x.startswith("data: ")]
            self.asked.whole = not message.get("more_body", False)
        self._sends += 1
        if self._sends == self.moment.sends:
            self._disconnect_client()

    async def wait_and_leave(self) -> None:
        if self.moment.steps is not None:
            for _ in range(self.moment.steps):
                await checkpoint()
        else:
            await anyio.sleep(self.moment.seconds)
        self._disconnect_client()

    def _disconnect_client(self) -> None:
        self.moment.storing = self.service.connections_in_use > 0
        self.left.set()


class DirectService:
    """The app with its own database and HTTP client; made by `direct_service`."""

    def __init__(self, app: Starlette, state: Any, transport: httpx.AsyncHTTPTransport) -> None:
        self._app = app
        self._state = state
        self._transport = transport
        self._in_use = 0
        self._tasks = asyncio.all_tasks()
        self.errors: list[str] = []

    @property
    def connections_in_use(self) -> int:
        """Connections to the database that are out of their pool."""
        return self._in_use

    async def ask(
        self, asked: AskedQuestion, moment: LeavePoint, *, cancelled: bool = False
    ) -> int:
        """One question; the status of its answer, 0 for none.

        At its moment the client leaves; `cancelled` means that the server drops the request.
        """
        client = _Client(asked, moment, self)
        async with anyio.create_task_group() as group:
            group.start_soon(client.wait_and_leave)
            with anyio.CancelScope() as request:
                if cancelled:
                    group.start_soon(_cancel_at, client.left, request)
                await self._app(
                    _build_scope("POST", asked.trace_id, self._state), client.receive, client.send
                )
            group.cancel_scope.cancel()
        asked.whole = asked.whole and not request.cancelled_caught
        asked.ended = anyio.current_time()
        return client.status

    async def delete(self, trace_id: str) -> None:
        """DELETE of a conversation."""

        async def nothing(_: Message | None = None) -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        await self._app(_build_scope("DELETE", trace_id, self._state), nothing, nothing)  # type: ignore[arg-type]

    async def leaks(self) -> list[str]:
        """What is still there of tasks and connections once all questions have ended."""
        with anyio.move_on_after(_SETTLING_SECONDS):
            while self._left_behind():  # noqa: ASYNC110 - what is waited for has no event
                await anyio.sleep(0.05)
        return self._left_behind()

    def _left_behind(self) -> list[str]:
        found = [f"left behind: {task!r}" for task in self._new_tasks()]
        if self._in_use:
            found.append(f"{self._in_use} connections to the database were not given back")
        pool = self._transport._pool
        found += [f"left open: {each!r}" for each in pool.connections if not each.is_idle()]
        if "0 active, 0 queued" not in repr(pool):
            found.append(f"the HTTP client is busy: {pool!r}")
        return found

    def _new_tasks(self) -> set[asyncio.Task[Any]]:
        return asyncio.all_tasks() - self._tasks - {t for t in [asyncio.current_task()] if t}

    @contextlib.contextmanager
    def watched(self) -> Any:
        def taken(*_: object) -> None:
            self._in_use += 1

        def given_back(*_: object) -> None:
            self._in_use -= 1

        class Errors(logging.Handler):
            def emit(_, record: logging.LogRecord) -> None:  # noqa: N805 - `self` is the service
                self.errors.append(f"logged {record.levelname}: {record.getMessage()}")

        handler = Errors(logging.ERROR)
        watches: list[tuple[str, Callable[..., None]]] = [
            ("checkout", taken),
            ("checkin", given_back),
        ]
        for name, watch in watches:
            event.listen(Pool, name, watch)
        logging.getLogger().addHandler(handler)
        try:
            yield
        finally:
            logging.getLogger().removeHandler(handler)
            for name, watch in watches:
                event.remove(Pool, name, watch)


@contextlib.asynccontextmanager
async def direct_service(**settings: Any) -> AsyncIterator[DirectService]:
    """The app with these settings and constants, opened as a server would open it."""
    transport = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=200))
    constants, values = split_constants({"log_level": "ERROR", **settings})
    app = create_app(Settings(_env_file=None, **values), transport=transport)
    with changed_constants(**constants):
        async with app.router.lifespan_context(app) as state:
            service = DirectService(app, state, transport)
            with service.watched():
                yield service


async def _cancel_at(left: anyio.Event, request: anyio.CancelScope) -> None:
    await left.wait()
    request.cancel()


def _build_scope(method: str, trace_id: str, state: Any) -> dict[str, Any]:
    path = f"/trace-analyzer/session/{trace_id}"
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", b"service"), (b"content-type", b"application/json")],
        "client": ("127.0.0.1", 1),
        "server": ("service", 80),
        "state": dict(state),
    }
