"""Loads a trace in two tiers and examines it: all spans' structure first, then chosen bodies.

A finished trace is kept for the next turns, per owner, and dropped as soon as the backend shows
that it changed, or after five minutes: a span that changes alone leaves no mark on its trace.
Whoever asks for what the same owner is just loading gets that. Parsing and analysis run in worker
threads, page by page.
"""

import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

import anyio
import structlog
from cachetools import TTLCache

from app.analysis.analyse_trace import add_bodies, measure_trace
from app.analysis.body_selection import select_bodies
from app.analysis.trace_analysis import TraceAnalysis
from app.caller import Caller, Owner
from app.errors import BackendUnavailable
from app.opik.client import OpikClient
from app.opik.records import Trace
from app.tools.trace.bodies import BodyReader, SpanBodyLimits

log = structlog.get_logger(__name__)

T = TypeVar("T")


@dataclass(slots=True)
class _SharedLoad(Generic[T]):
    """What one asker does for all; both `found` and `failure` are empty where it was given up."""

    done: anyio.Event = field(default_factory=anyio.Event)
    found: tuple[T, ...] = ()
    failure: BackendUnavailable | None = None


class SharedLoads(Generic[T]):
    """Joins equal work that runs at the same time; nothing is kept after it."""

    def __init__(self) -> None:
        self._running: dict[Hashable, _SharedLoad[T]] = {}

    async def get(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """What `make` gives, or what another's `make` of the same key gives that runs already.

        A backend that fails fails for all who wait, since each of them would wait as long again.
        A refusal is the first one's own, and when the first is cancelled another does the work.
        """
        while (other := self._running.get(key)) is not None:
            await other.done.wait()
            if other.found:
                return other.found[0]
            if other.failure is not None:
                raise BackendUnavailable(other.failure.message, detail=other.failure.detail)
        work = self._running[key] = _SharedLoad()
        try:
            found = await make()
            work.found = (found,)
        except BackendUnavailable as failure:
            work.failure = failure
            raise
        finally:
            del self._running[key]
            work.done.set()
        return found


OBJECT_OVERHEAD = 4
"""What a span takes in memory, as a multiple of its bytes on the wire (measured, rounded up)."""

KEPT_SECONDS = 300.0

Stamp = tuple[datetime | None, int | None, datetime | None]


@dataclass(frozen=True, slots=True)
class LoadLimits:
    """How much of a trace is read before the first model call, in at most how many seconds."""

    spans: int = 50_000
    seconds: float = 240
    body_spans: int = 200
    bodies: SpanBodyLimits = field(default_factory=SpanBodyLimits)
    cache_bytes: int = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class LoadedTrace:
    """An analysed trace, notes on what could not be read of it, and its size in memory."""

    analysis: TraceAnalysis
    notes: tuple[str, ...]
    bytes: int


class TraceLoader:
    def __init__(
        self,
        client: OpikClient,
        limits: LoadLimits,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock` gives seconds and tells how old a kept trace is."""
        self._client = client
        self._limits = limits
        self._kept: TTLCache[tuple[Owner, str], LoadedTrace] = TTLCache(
            limits.cache_bytes, KEPT_SECONDS, clock, getsizeof=lambda loaded: loaded.bytes
        )
        self._loading: SharedLoads[LoadedTrace] = SharedLoads()

    async def load(
        self,
        caller: Caller,
        owner: Owner,
        trace_id: str,
        *,
        begun: Callable[[Trace], object] = lambda _: None,
    ) -> LoadedTrace:
        """The trace as the caller may read it now; raises the backend's refusal or failure.

        Each caller asks for the trace itself: what is kept or being loaded is for those only who
        may read it, and only as long as it is the trace of now. `begun` is told the trace before
        its spans are read.
        """
        trace = await self._client.get_trace(caller, trace_id)
        begun(trace)
        key = (owner, trace_id, _stamp(trace))
        return await self._loading.get(key, lambda: self._load(caller, owner, trace))

    async def _load(self, caller: Caller, owner: Owner, trace: Trace) -> LoadedTrace:
        trace_id = trace.id
        kept = self._kept.get((owner, trace_id))
        if kept is not None and _stamp(kept.analysis.trace) == _stamp(trace):
            return kept
        self._kept.pop((owner, trace_id), None)
        loaded = await self._read(caller, trace)
        if trace.end_time is not None and not loaded.notes and self._fits(loaded):
            self._kept[owner, trace_id] = loaded
        return loaded

    def _fits(self, loaded: LoadedTrace) -> bool:
        return loaded.bytes <= self._limits.cache_bytes // 2

    async def _read(self, caller: Caller, trace: Trace) -> LoadedTrace:
        began = time.monotonic()
        limits = self._limits
        found = await self._client.list_spans(
            caller, trace, most=limits.spans, seconds=limits.seconds
        )
        measured = await anyio.to_thread.run_sync(measure_trace, trace, found.spans)
        wanted = await anyio.to_thread.run_sync(
            lambda: select_bodies(measured, most=limits.body_spans)
        )
        reader = BodyReader(self._client, caller, trace, limits.bodies)
        bodies = await reader.read([span.id for span in found.spans], wanted)
        analysis = await anyio.to_thread.run_sync(add_bodies, measured, bodies.values())
        log.info(
            "trace_loaded",
            trace=trace.id,
            spans=len(found.spans),
            bodies=len(bodies),
            ms=round((time.monotonic() - began) * 1000),
        )
        return LoadedTrace(
            analysis,
            _shortfall(trace, len(found.spans), cut=found.cut),
            (found.bytes + reader.bytes) * OBJECT_OVERHEAD,
        )


def _stamp(trace: Trace) -> Stamp:
    return trace.last_updated_at, trace.span_count, trace.end_time


def _shortfall(trace: Trace, read: int, *, cut: bool) -> tuple[str, ...]:
    """What the model has to know where not all spans could be read."""
    counted = trace.span_count
    if counted is not None and counted > read:
        return (f"Note: only {read:,} of the trace's {counted:,} spans could be read.",)
    if cut:
        return (f"Note: only the newest {read:,} spans were read; there may be more.",)
    return ()
