"""One trace on the bench for a turn, with the caller's rights: what every tool works on."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import anyio

from app.agent.citations import Aliases
from app.agent.toolbox import Tool, Toolbox
from app.analysis.outline import outline_of
from app.caller import Caller, Owner
from app.errors import ToolFailed
from app.opik.client import OpikClient
from app.opik.schema import Span
from app.tools.loading import Loaded, TraceLoader

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ToolLimits:
    """Characters of one tool result, seconds of one call, tokens of the outline."""

    result_characters: int = 8_000
    seconds: float = 30
    outline_tokens: int = 6_000


class Workbench:
    """A loaded trace, the conversation's names for its spans, and the way to their full bodies."""

    def __init__(
        self,
        loaded: Loaded,
        aliases: Aliases,
        *,
        client: OpikClient,
        caller: Caller,
        limits: ToolLimits,
    ) -> None:
        self.loaded = loaded
        self.aliases = aliases
        self.limits = limits
        self._client = client
        self._caller = caller
        self._full: dict[str, Span] = {}

    def outline(self) -> str:
        """The outline of the trace, and what could not be read of it."""
        text = outline_of(
            self.loaded.seen, alias=self.aliases.name, budget_tokens=self.limits.outline_tokens
        )
        return "\n".join([text, *self.loaded.notes])

    def label(self, span_id: str) -> str | None:
        """A span's name as a person reads it; None for a span that is not of this trace."""
        span = self.loaded.spans.get(span_id)
        return None if span is None else (span.name or "unnamed")

    def find(self, reference: str) -> Span:
        """The span of an alias or an id, without its full bodies; ToolFailed for anything else."""
        wanted = reference.strip().strip("[]⟦⟧").removeprefix("span:").lower()
        span_id = self.aliases.span_id(wanted) or wanted
        span = self.loaded.spans.get(span_id)
        if span is None:
            raise ToolFailed(
                "This trace has no such span. Name spans as the outline does (s1, s2, ...)."
            )
        return span

    async def full(self, span: Span) -> Span:
        """The span with its whole bodies, asked of the backend once a turn."""
        if not is_uuid(span.id):
            return span
        if span.id not in self._full:
            self._full[span.id] = await self._client.span(
                self._caller, span.id, trace=self.loaded.trace
            )
        return self._full[span.id]


@dataclass(frozen=True, slots=True)
class ReadyBench:
    """A trace ready for a turn: its outline for the prompt, its tools for the loop."""

    outline: str
    toolbox: Toolbox
    bench: Workbench

    @property
    def project_id(self) -> str:
        return self.bench.loaded.trace.project_id or ""

    @property
    def span_count(self) -> int:
        return len(self.bench.loaded.spans)

    def label(self, span_id: str) -> str | None:
        return self.bench.label(span_id)


class Workshop:
    """Opens workbenches."""

    def __init__(
        self, client: OpikClient, loader: TraceLoader, tools: Sequence[Tool], limits: ToolLimits
    ) -> None:
        self._client = client
        self._loader = loader
        self._tools = tuple(tools)
        self._limits = limits

    async def __call__(
        self, caller: Caller, owner: Owner, trace_id: str, aliases: Aliases
    ) -> ReadyBench:
        """Loads a trace and its spans; raises the backend's refusal or failure."""
        loaded = await self._loader.load(caller, owner, trace_id)
        bench = Workbench(loaded, aliases, client=self._client, caller=caller, limits=self._limits)
        outline = await anyio.to_thread.run_sync(bench.outline)
        toolbox = Toolbox(
            self._tools,
            bench,
            seconds=self._limits.seconds,
            characters=self._limits.result_characters,
        )
        return ReadyBench(outline, toolbox, bench)


def is_uuid(text: str) -> bool:
    """Whether the text is a UUID in its usual form, and so may become a part of a path."""
    return _UUID.fullmatch(text) is not None
