"""Loads a trace and analyses it.

The spans of a small trace come with their bodies by one search; of a larger one, the structure of
all spans is read first, then chosen bodies.

A finished trace is kept for the next turns, per owner, until the backend reports a change of it,
at most five minutes: a span that changes alone does not change its trace's record. Requests of one
owner for a trace that is being loaded share that load. Parsing and analysis run in worker threads.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from time import monotonic

import anyio
import structlog
from cachetools import TTLCache

from app.analysis.analyse_trace import add_bodies, analyse_trace, measure_trace
from app.analysis.body_selection import READ_ALL, select_bodies
from app.analysis.trace_analysis import TraceAnalysis
from app.caller import Caller, Owner
from app.opik.client import OpikClient, SpanList
from app.opik.records import Span, Trace
from app.shared_loads import SharedLoads
from app.tools.trace.bodies import BodyReader, SpanBodyLimits
from app.tools.trace.kept_outline import KeptOutline
from app.worker_threads import ANALYSED_INLINE_BYTES, run_by_size

log = structlog.get_logger(__name__)

# Memory of a kept trace, measured on traces with and without bodies: what was recorded takes three
# times its bytes on the wire, and each span its record and its place in the tree besides.
OBJECT_OVERHEAD = 3
SPAN_BYTES = 1_800

KEPT_SECONDS = 300.0  # for a finished trace: feedback and spans may still be added to it
MAX_SPANS = 50_000  # bounds memory and the time before the first reply; the outline notes the rest

TraceVersion = tuple[datetime | None, int | None, datetime | None]


@dataclass(frozen=True, slots=True)
class LoadLimits:
    """What is read of a trace before the first model call.

    At most `spans` spans in `seconds`; `cache_bytes` is the memory for kept traces of all owners.
    """

    spans: int
    seconds: float
    bodies: SpanBodyLimits = field(default_factory=SpanBodyLimits)
    cache_bytes: int = 34 * 1024 * 1024  # holds one trace of 10,000 spans


@dataclass(frozen=True, slots=True)
class LoadedTrace:
    """An analysed trace, notes on what could not be read of it, its size in memory (bytes), and
    its last outline."""

    analysis: TraceAnalysis
    notes: tuple[str, ...]
    bytes: int
    outline: KeptOutline = field(default_factory=KeptOutline)


class TraceLoader:
    """Loads and analyses traces, and keeps finished ones."""

    def __init__(self, client: OpikClient, limits: LoadLimits) -> None:
        self._client = client
        self._limits = limits
        self._kept: TTLCache[tuple[Owner, str], LoadedTrace] = TTLCache(
            limits.cache_bytes, KEPT_SECONDS, monotonic, getsizeof=lambda loaded: loaded.bytes
        )
        self._loading: SharedLoads[LoadedTrace] = SharedLoads()

    def may_keep(self, trace: Trace) -> bool:
        """Whether a trace is kept once it is loaded, as far as its record shows."""
        size = (trace.span_count or 0) * SPAN_BYTES
        return trace.end_time is not None and size <= self._limits.cache_bytes

    async def load(self, caller: Caller, owner: Owner, trace_id: str) -> LoadedTrace:
        """The trace as the caller may read it now; raises the backend's refusal or failure."""
        trace = await self._client.get_trace(caller, trace_id)
        return await self.load_spans(caller, owner, trace)

    async def load_spans(self, caller: Caller, owner: Owner, trace: Trace) -> LoadedTrace:
        """The trace of a record that the caller has just read; raises the backend's failure.

        A kept or shared load is used only if the trace has not changed.
        """
        key = (owner, trace.id, _version_of(trace))
        return await self._loading.get(key, lambda: self._load(caller, owner, trace))

    async def _load(self, caller: Caller, owner: Owner, trace: Trace) -> LoadedTrace:
        key = (owner, trace.id)
        kept = self._kept.get(key)
        if kept is not None and _version_of(kept.analysis.trace) == _version_of(trace):
            return kept
        self._kept.pop(key, None)
        loaded = await self._read(caller, trace)
        fits = loaded.bytes <= self._limits.cache_bytes
        if fits and not loaded.notes and self.may_keep(trace):
            self._kept[key] = loaded
        return loaded

    async def _read(self, caller: Caller, trace: Trace) -> LoadedTrace:
        began = monotonic()
        reader = BodyReader(self._client, caller, trace, self._limits.bodies)
        found = await reader.read_all(READ_ALL) if self._is_small(trace) else None
        if found is not None:
            analysis = await run_by_size(
                reader.bytes, ANALYSED_INLINE_BYTES, _analyse_whole, trace, found.spans
            )
        else:
            found, analysis = await self._read_in_steps(caller, trace, reader)
        log.info(
            "trace_loaded",
            trace=trace.id,
            spans=len(found.spans),
            bodies=len(analysis.bodies),
            ms=round((monotonic() - began) * 1000),
        )
        return LoadedTrace(
            analysis,
            _note_missing_spans(trace, len(found.spans), cut=found.cut),
            (found.bytes + reader.kept_bytes) * OBJECT_OVERHEAD + len(found.spans) * SPAN_BYTES,
        )

    def _is_small(self, trace: Trace) -> bool:
        """Whether all spans may come by one search; backends that count no spans are asked."""
        return (trace.span_count or 0) <= min(READ_ALL, self._limits.spans)

    async def _read_in_steps(
        self, caller: Caller, trace: Trace, reader: BodyReader
    ) -> tuple[SpanList, TraceAnalysis]:
        found = await self._client.list_spans(
            caller, trace, most=self._limits.spans, seconds=self._limits.seconds
        )
        measured, wanted = await anyio.to_thread.run_sync(_measure, trace, found.spans)
        bodies = await reader.read([span.id for span in found.spans], wanted)
        return found, await anyio.to_thread.run_sync(_analyse_read, measured, bodies.values())


def _analyse_whole(trace: Trace, spans: Sequence[Span]) -> TraceAnalysis:
    try:
        return analyse_trace(trace, spans, bodies=[span.id for span in spans])
    except Exception:
        return _go_without_findings(measure_trace(trace, spans), spans)


def _analyse_read(measured: TraceAnalysis, spans: Collection[Span]) -> TraceAnalysis:
    try:
        return add_bodies(measured, spans)
    except Exception:
        return _go_without_findings(measured, spans)


def _go_without_findings(measured: TraceAnalysis, spans: Collection[Span]) -> TraceAnalysis:
    """The analysis where a rule fails on the spans that were read: the tools can still answer."""
    log.exception("analysis_failed", trace=measured.trace.id)
    return replace(measured, bodies=frozenset(span.id for span in spans))


def _measure(trace: Trace, spans: Sequence[Span]) -> tuple[TraceAnalysis, tuple[str, ...]]:
    """The analysis of the structure, and whose bodies to read."""
    measured = measure_trace(trace, spans)
    return measured, select_bodies(measured)


def _version_of(trace: Trace) -> TraceVersion:
    return trace.last_updated_at, trace.span_count, trace.end_time


def _note_missing_spans(trace: Trace, read: int, *, cut: bool) -> tuple[str, ...]:
    """What the model has to know where not all spans were read."""
    counted = trace.span_count
    if counted is not None and counted > read:
        return (f"Note: only {read:,} of the trace's {counted:,} spans could be read.",)
    if cut:
        return (f"Note: only the newest {read:,} spans were read; there may be more.",)
    return ()
