"""A trace in the stand-in backend, opened over a real socket as a turn would open it."""

import ast
import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import anyio
import anyio.lowlevel
import httpx
from starlette.types import ASGIApp, Receive, Scope, Send

from app.agent.citations import Aliases
from app.agent.toolbox import CompletedCall
from app.caller import Caller, Owner
from app.messages import ToolCall
from app.opik.client import OpikClient
from app.tools import TOOLS
from app.tools.trace.bodies import SpanBodyLimits
from app.tools.trace.loader import LoadLimits, TraceLoader
from app.tools.trace.trace_context import ToolLimits, TraceContext
from app.tools.trace.trace_opener import TraceOpener
from standin.app import Standin
from standin.app import create_app as create_standin
from standin.record_store import Records
from standin.switches import ReceivedRequest, Switches
from testkit.backend import rest_client_at
from testkit.limits import load_limits, tool_limits
from testkit.scripted_chat import DirectedChat
from testkit.service import TRACE_ID, WAIT_SECONDS, span_id

CALLER = Caller()
OWNER = Owner("default", "user:ada")
PROJECT = "shop"
_CALL = re.compile(
    r"(get_trace_data|get_span_details|search_trace|follow_value|compare|get_thread|compare_traces)(\(.*?\))(?=$|[\s;.\]])"
)
_DAY = "2026-11-20T10:00"

UNHURRIED = SpanBodyLimits(seconds=WAIT_SECONDS)
"""On a busy machine the backend takes longer than a user should wait for bodies."""


class Socket:
    """An ASGI app that hands everything to the backend of the test that runs."""

    def __init__(self) -> None:
        self.url = ""
        self.backend: ASGIApp | None = None
        self._start = create_standin(Records(), chat=DirectedChat([]), switches=Switches())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self.backend or self._start)(scope, receive, send)


SOCKET = Socket()


def a_span(number: int, parent: int | None = None, /, **more: Any) -> dict[str, Any]:
    """A span that began so many milliseconds after the trace and took one."""
    return {
        "id": span_id(number),
        "trace_id": TRACE_ID,
        "parent_span_id": parent and span_id(parent),
        "project_name": PROJECT,
        "name": f"step {number}",
        "type": "general",
        "start_time": f"{_DAY}:{number // 1000:02d}.{number % 1000:03d}000Z",
        "end_time": f"{_DAY}:{number // 1000:02d}.{number % 1000:03d}900Z",
        **more,
    }


def a_trace(**more: Any) -> dict[str, Any]:
    return {
        "id": TRACE_ID,
        "project_name": PROJECT,
        "name": "answer-question",
        "start_time": f"{_DAY}:00Z",
        "end_time": f"{_DAY}:59Z",
        **more,
    }


def a_call(trace: dict[str, Any], number: int, *, cost: float, tokens: int) -> dict[str, Any]:
    """A span of another trace that cost something."""
    return {
        **a_span(1_000_000 + number),
        "trace_id": trace["id"],
        "project_name": trace["project_name"],
        "total_estimated_cost": cost,
        "usage": {"total_tokens": tokens},
    }


@dataclass
class TraceHarness:
    """The backend, the parts that open traces, and one opened trace."""

    standin: Standin
    client: OpikClient
    loader: TraceLoader
    aliases: Aliases
    context: TraceContext

    @property
    def switches(self) -> Switches:
        return self.standin.switches

    def requests(self, part: str) -> list[ReceivedRequest]:
        return [each for each in self.switches.received if part in each.path]

    def bodies_asked(self) -> list[int]:
        """How many spans each page with bodies asked for, in order."""
        pages = self.requests("/spans/search")
        return [each.body["limit"] for each in pages if not each.body["exclude"]]

    async def answer(self, tool: str, **arguments: Any) -> CompletedCall:
        call = ToolCall("c1", tool, json.dumps(arguments))
        return await self.context.toolbox.run(call, seconds=30)

    async def call(self, tool: str, **arguments: Any) -> str:
        """What the model reads of a call that went well."""
        answer = await self.answer(tool, **arguments)
        assert answer.outcome == "ok", answer.text
        assert len(answer.text) <= self.context.limits.result_characters
        answer.text.encode()
        return answer.text

    async def follow(self, text: str) -> str:
        """What the last call that a text names shows."""
        tool, arguments = _CALL.findall(text)[-1]
        call = ast.parse(f"f{arguments.replace('=true', '=True')}", mode="eval").body
        assert isinstance(call, ast.Call)
        values = {str(each.arg): ast.literal_eval(each.value) for each in call.keywords}
        return await self.call(tool, **values)

    async def display(self, tool: str, **arguments: Any) -> str:
        return self.context.toolbox.describe_call(ToolCall("c1", tool, json.dumps(arguments))).text

    async def reopen(self, *, complete: bool = True) -> None:
        """Opens the trace as the next turn would, with what comes late unless not `complete`."""
        opener = build_opener(self.client, self.loader, self.context.limits)
        self.context = await open_trace(opener, self.client, self.aliases)
        if complete:
            await self.context.complete()


_running: set[asyncio.Task[None]] = set()


def _start_soon(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    task = asyncio.ensure_future(work())
    _running.add(task)
    task.add_done_callback(_running.discard)


def build_opener(
    client: OpikClient, loader: TraceLoader, limits: ToolLimits | None = None
) -> TraceOpener:
    """An opener as the service has it."""
    return TraceOpener(client, loader, TOOLS, limits or tool_limits(), start_soon=_start_soon)


async def open_trace(opener: TraceOpener, client: OpikClient, aliases: Aliases) -> TraceContext:
    """The trace as a turn opens it: what comes late is awaited by its first tool call."""
    trace = await client.get_trace(CALLER, TRACE_ID)
    return await opener.begin(CALLER, OWNER, trace).open(aliases)


@contextlib.asynccontextmanager
async def backend_with(
    trace: dict[str, Any], spans: list[dict[str, Any]]
) -> AsyncIterator[tuple[Standin, OpikClient]]:
    """A stand-in that holds one trace, and a client that talks to it over a socket."""
    standin = create_standin(Records(), chat=DirectedChat([]), switches=Switches())
    standin.records.put_traces([trace])
    standin.records.put_spans(spans)
    SOCKET.backend = standin
    async with httpx.AsyncClient(timeout=60) as http:
        rest = rest_client_at(
            SOCKET.url,
            http,
            timeout=20,
            attempts=2,
            sleep=lambda _: anyio.lowlevel.checkpoint(),
        )
        yield standin, OpikClient(rest)


@contextlib.asynccontextmanager
async def opened_trace_of(
    *spans: dict[str, Any],
    trace: dict[str, Any] | None = None,
    load: LoadLimits | None = None,
    limits: ToolLimits | None = None,
    switches: dict[str, Any] | None = None,
) -> AsyncIterator[TraceHarness]:
    """A trace of these spans, opened, with what comes late; the n-th is named `sn`."""
    async with backend_with(trace or a_trace(), list(spans)) as (standin, client):
        for name, value in (switches or {}).items():
            setattr(standin.switches, name, value)
        loader = TraceLoader(client, load or load_limits(seconds=WAIT_SECONDS, bodies=UNHURRIED))
        aliases = Aliases(str(each["id"]) for each in spans)
        opener = build_opener(client, loader, limits or tool_limits())
        context = await open_trace(opener, client, aliases)
        await context.complete()
        yield TraceHarness(standin, client, loader, aliases, context)
