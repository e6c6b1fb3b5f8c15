"""Reads what the page shows, with a caller's rights and within limits of the process."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from weakref import WeakValueDictionary

import anyio
from pydantic_core import to_json

from app.analysis.recorded.error import effective_error
from app.caller import Caller
from app.errors import BackendUnavailable, LimitReached, NotFound, Unprocessable
from app.explorer.span_rows import Waterfall, build_waterfall
from app.explorer.trace_list import (
    ProjectList,
    TraceListReader,
    TracePage,
    TraceQuery,
    TraceRow,
    build_trace_row,
)
from app.opik.client import BODIES, OpikClient
from app.opik.lists import Attachment, AttachmentOwner, ListClient
from app.opik.records import ErrorInfo, FeedbackScore, Span, Trace

SPANS_SHOWN = 20_000
"""Spans of one trace that the page gets: 4 MB of JSON; nobody reads a longer waterfall."""
READS_AT_ONCE = 16
"""Reads of this process at the same time; each may hold tens of MB for a moment."""
READS_PER_CALLER = 8
"""Of these; the other half is left to others. A browser keeps six connections to one host."""
READ_WAIT_SECONDS = 10.0
"""How long a read waits for its turn before the page shows why."""
READ_SECONDS = 55.0
"""How long a read may take; nginx gives up an answer of which nothing has come for 60 s."""
SPANS_SECONDS = 45.0
"""Then the waterfall shows the spans that have come; some seconds are left to draw it up."""
BODY_CHARACTERS = 1_000_000
"""Of input, output and metadata each, as JSON: more makes a browser slow."""
ATTACHMENT_BYTES = 20 * 1024 * 1024
"""The largest attachment that is handed on; larger ones can be opened in Opik itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """Everything recorded in a trace or span.

    `cut` names the bodies that were too long: each is then the beginning of its JSON, as a text.
    """

    input: Any = None
    output: Any = None
    metadata: Any = None
    cut: tuple[str, ...]
    error: ErrorInfo | None = None
    usage: dict[str, float]
    scores: tuple[FeedbackScore, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceDetails:
    """A trace with its bodies."""

    trace: TraceRow
    end_time: datetime | None = None
    details: Details


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanDetails:
    """A span with its bodies; times and durations (ms) as recorded, cost in USD."""

    id: str
    name: str
    type: str
    start_time: datetime | None = None
    end_time: datetime | None = None
    duration_ms: float | None = None
    ttft_ms: float | None = None
    model: str | None = None
    provider: str | None = None
    cost: float | None = None
    tags: tuple[str, ...]
    details: Details


@dataclass(frozen=True, slots=True)
class AttachmentList:
    """The files of a trace or span."""

    attachments: tuple[Attachment, ...]


class Explorer:
    """Lists projects and traces, and reads traces, spans and attachments."""

    def __init__(self, client: OpikClient, lists: ListClient) -> None:
        self._client = client
        self._lists = lists
        self._lister = TraceListReader(client, lists)
        self._limiter = anyio.Semaphore(READS_AT_ONCE)
        self._shares: WeakValueDictionary[Caller, anyio.Semaphore] = WeakValueDictionary()

    async def list_projects(self, caller: Caller) -> ProjectList:
        """The projects of the workspace, the one with the newest trace first."""
        async with self.reserve_read(caller):
            return ProjectList(await self._lister.list_projects(caller))

    async def list_traces(self, caller: Caller, query: TraceQuery) -> TracePage:
        """One page of traces."""
        async with self.reserve_read(caller):
            return await self._lister.list_traces(caller, query)

    async def read_trace(self, caller: Caller, trace_id: str) -> TraceDetails:
        """A trace with its bodies."""
        async with self.reserve_read(caller):
            trace = await self._client.get_trace(caller, trace_id)
            details = await anyio.to_thread.run_sync(_build_details, trace)
        return TraceDetails(
            trace=build_trace_row(trace, ""), end_time=trace.end_time, details=details
        )

    async def read_waterfall(self, caller: Caller, trace_id: str) -> Waterfall:
        """The spans of a trace without their bodies."""
        async with self.reserve_read(caller):
            trace = await self._client.get_trace(caller, trace_id)
            found = await self._client.list_spans(
                caller, trace, most=SPANS_SHOWN, seconds=SPANS_SECONDS
            )
            return await anyio.to_thread.run_sync(build_waterfall, found)

    async def read_span(
        self, caller: Caller, trace_id: str, span_id: str, *, project_id: str | None
    ) -> SpanDetails:
        """A span of this trace with its bodies; its project helps where it is very large."""
        scope = Trace(id=trace_id, project_id=project_id)
        async with self.reserve_read(caller):
            span = await self._client.get_span(caller, span_id, trace=scope)
            details = await anyio.to_thread.run_sync(_build_details, span)
        return SpanDetails(
            id=span.id,
            name=span.name or "",
            type=span.type or "general",
            start_time=span.start_time,
            end_time=span.end_time,
            duration_ms=span.duration,
            ttft_ms=span.ttft,
            model=span.model,
            provider=span.provider,
            cost=span.total_estimated_cost,
            tags=tuple(span.tags),
            details=details,
        )

    async def list_attachments(
        self, caller: Caller, trace_id: str, *, span_id: str | None, project_id: str
    ) -> AttachmentList:
        """The files of a trace, or of one of its spans."""
        owner = _attachment_owner(trace_id, span_id, project_id)
        async with self.reserve_read(caller):
            return AttachmentList(await self._lists.list_attachments(caller, owner))

    async def read_attachment(
        self, caller: Caller, trace_id: str, name: str, *, span_id: str | None, project_id: str
    ) -> tuple[Attachment, bytes]:
        """A file that is listed; NotFound for others, Unprocessable for one that is too large."""
        owner = _attachment_owner(trace_id, span_id, project_id)
        async with self.reserve_read(caller):
            listed = await self._lists.list_attachments(caller, owner)
            file = next((each for each in listed if each.file_name == name), None)
            if file is None:
                raise NotFound("There is no such attachment.")
            read = await self._lists.read_attachment(caller, owner, file, limit=ATTACHMENT_BYTES)
        if read.end != "whole":
            raise Unprocessable("This attachment is too large to be shown here; open it in Opik.")
        return file, read.body

    @asynccontextmanager
    async def reserve_read(self, caller: Caller) -> AsyncIterator[None]:
        """Holds one of the places for reads, of the caller's and of all.

        Raises LimitReached when none gets free in time, BackendUnavailable where the read takes
        longer than READ_SECONDS. Callers without a token are one and have no share of their own.
        """
        places = [self._limiter]
        if caller.secret is not None:
            places.insert(0, self._shares.setdefault(caller, anyio.Semaphore(READS_PER_CALLER)))
        async with AsyncExitStack() as held:
            try:
                with anyio.fail_after(READ_WAIT_SECONDS):
                    for place in places:
                        await held.enter_async_context(place)
            except TimeoutError:
                message = "Too many traces are being opened now. Try again in a moment."
                raise LimitReached(message, retry_after=1) from None
            with anyio.move_on_after(READ_SECONDS) as scope:
                yield
            if scope.cancelled_caught:
                raise BackendUnavailable(
                    "Opik took too long to return this. Try again in a moment."
                )


def _build_details(record: Trace | Span) -> Details:
    bodies: dict[str, Any] = {}
    cut = []
    for field in BODIES:
        value = getattr(record, field)
        text = to_json(value, inf_nan_mode="null").decode()
        if len(text) > BODY_CHARACTERS:
            value = text[:BODY_CHARACTERS]
            cut.append(field)
        bodies[field] = value
    return Details(
        **bodies,
        cut=tuple(cut),
        error=effective_error(record),
        usage=record.usage,
        scores=tuple(record.feedback_scores),
    )


def _attachment_owner(trace_id: str, span_id: str | None, project_id: str) -> AttachmentOwner:
    kind, record_id = ("span", span_id) if span_id else ("trace", trace_id)
    return AttachmentOwner(kind, record_id, project_id)
