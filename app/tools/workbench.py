"""One trace, loaded once for a turn with the caller's rights: what every tool works on."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import anyio

from app.agent.toolbox import Tool, Toolbox
from app.analysis.outline import write_outline
from app.caller import Caller
from app.errors import ToolFailed
from app.opik.client import OpikClient
from app.opik.schema import Span, Trace

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def is_uuid(text: str) -> bool:
    """Whether the text is a UUID in its usual form, and so may become a part of a path."""
    return _UUID.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class ReadingLimits:
    """How much of a trace is read and told: spans of a trace, characters of a tool result."""

    spans: int = 50_000
    result_characters: int = 8_000
    tool_seconds: float = 30


class Workbench:
    """The trace and its spans, without their bodies; bodies are fetched span by span."""

    def __init__(
        self,
        client: OpikClient,
        caller: Caller,
        trace: Trace,
        spans: Sequence[Span],
        *,
        notes: Sequence[str],
        outline: str,
        limits: ReadingLimits,
    ) -> None:
        self.trace = trace
        self.spans = {span.id.lower(): span for span in spans}
        self.notes = tuple(notes)
        self.limits = limits
        self._outline = outline
        self._client = client
        self._caller = caller
        self._bodies: dict[str, Span] = {}

    @property
    def outline(self) -> str:
        return "\n".join([self._outline, *self.notes])

    async def span(self, span_id: str) -> Span:
        """One span of this trace with its bodies; ToolFailed for anything else."""
        wanted = span_id.strip().lower()
        if not is_uuid(wanted):
            raise ToolFailed("This is not a span id. Ids are UUIDs, as the outline gives them.")
        if wanted not in self.spans and not self.notes:
            raise ToolFailed("This trace has no such span. Its spans are in the outline.")
        if wanted not in self._bodies:
            self._bodies[wanted] = await self._client.span(self._caller, wanted, trace=self.trace)
        return self._bodies[wanted]


@dataclass(frozen=True, slots=True)
class LoadedTrace:
    """A trace ready for a turn: its outline for the prompt, its tools for the loop."""

    outline: str
    toolbox: Toolbox


class Workshop:
    """Opens workbenches."""

    def __init__(self, client: OpikClient, tools: Sequence[Tool], limits: ReadingLimits) -> None:
        self._client = client
        self._tools = tuple(tools)
        self._limits = limits

    async def __call__(self, caller: Caller, trace_id: str) -> LoadedTrace:
        """Loads a trace and its spans; raises the backend's refusal or failure."""
        limits = self._limits
        trace = await self._client.trace(caller, trace_id)
        found = await self._client.spans(caller, trace, most=limits.spans)
        notes = _shortfall(trace, len(found.spans), cut=found.cut)
        outline = await anyio.to_thread.run_sync(_outline, trace, found.spans)
        bench = Workbench(
            self._client, caller, trace, found.spans, notes=notes, outline=outline, limits=limits
        )
        toolbox = Toolbox(
            self._tools, bench, seconds=limits.tool_seconds, characters=limits.result_characters
        )
        return LoadedTrace(bench.outline, toolbox)


def _outline(trace: Trace, spans: Sequence[Span]) -> str:
    return write_outline(trace, spans, alias=lambda span_id: span_id)


def _shortfall(trace: Trace, read: int, *, cut: bool) -> list[str]:
    """What the model has to know where not all spans could be read."""
    counted = trace.span_count
    if counted is not None and counted > read:
        return [f"Note: only {read:,} of the trace's {counted:,} spans could be read."]
    if cut:
        return [f"Note: only the newest {read:,} spans were read; there may be more."]
    return []
