"""Opens traces for turns: spans, analysis and outline, with the caller's rights."""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from app.agent.citations import Aliases
from app.agent.toolbox import Tool
from app.analysis.baseline import Baseline
from app.analysis.baseline_findings import add_baseline_findings
from app.background_result import BackgroundResult
from app.caller import Caller, Owner
from app.opik.client import OpikClient
from app.opik.records import Trace
from app.tools.trace.loader import LoadedTrace, TraceLoader
from app.tools.trace.project_baselines import ProjectBaselines
from app.tools.trace.trace_context import ToolLimits, TraceContext
from app.worker_threads import run_by_size

WRITTEN_INLINE_SPANS = 20  # whose outline is written within some 5 ms

LATE_PAUSE_SECONDS = 0.05
"""Before the project's statistics are read: the first model call is on its way by then, which their
requests would hold up, and hardly any model begins its answer before they have come."""


class TraceOpener:
    """Opens traces. An outline holds the usual figures of the trace's name where they are known
    already; otherwise they are read during the first model call, and `TraceContext.complete` adds
    them."""

    def __init__(
        self,
        client: OpikClient,
        loader: TraceLoader,
        tools: Sequence[Tool],
        limits: ToolLimits,
        *,
        start_soon: Callable[[Callable[[], Coroutine[Any, Any, None]]], object],
    ) -> None:
        """`start_soon` runs a function in a task of its own, which outlives an opening."""
        self._client = client
        self._baselines = ProjectBaselines(client)
        self._loader = loader
        self._tools = tuple(tools)
        self._limits = limits
        self._start_soon = start_soon

    def begin(self, caller: Caller, owner: Owner, trace: Trace) -> "TraceOpening":
        """Starts to read the spans of a record that the caller has just read."""
        loading = BackgroundResult(partial(self._loader.load_spans, caller, owner, trace))
        self._start_soon(loading.run)
        return TraceOpening(
            loading,
            partial(self._baselines.find, caller, owner, trace),
            partial(self._build_context, caller, owner, trace),
        )

    async def prepare(self, caller: Caller, owner: Owner, trace_id: str) -> None:
        """Reads and analyses a trace and the usual figures of its name, and writes its outline, all
        of which the owner's next opening finds; raises the backend's failure. Does nothing for a
        trace that would not be kept."""
        trace = await self._client.get_trace(caller, trace_id)
        if not self._loader.may_keep(trace):
            return
        usual = BackgroundResult(partial(self._baselines.find, caller, owner, trace))
        self._start_soon(usual.run)
        loaded = await self._loader.load_spans(caller, owner, trace)
        await usual.get()
        await self._build_context(caller, owner, trace, loaded, Aliases())

    async def _build_context(
        self,
        caller: Caller,
        owner: Owner,
        trace: Trace,
        loaded: LoadedTrace,
        aliases: Aliases,
    ) -> TraceContext:
        usual = self._baselines.get_kept(owner, trace.id)
        if usual is not None:
            loaded = replace(loaded, analysis=add_baseline_findings(loaded.analysis, usual))
        outline = loaded.outline.find(
            loaded.analysis, aliases, budget_tokens=self._limits.outline_tokens
        )
        if outline is None:
            outline = await run_by_size(
                len(loaded.analysis.tree.nodes),
                WRITTEN_INLINE_SPANS,
                self._write_outline,
                loaded,
                aliases,
            )
        late: BackgroundResult[Baseline | None] | None = None
        if usual is None:
            late = BackgroundResult(
                partial(self._baselines.find, caller, owner, trace), pause=LATE_PAUSE_SECONDS
            )
            self._start_soon(late.run)
        return TraceContext(
            loaded,
            aliases,
            client=self._client,
            caller=caller,
            tools=self._tools,
            limits=self._limits,
            outline="\n".join([outline, *loaded.notes]),
            load=partial(self._loader.load, caller, owner),
            late=late,
        )

    def _write_outline(self, loaded: LoadedTrace, aliases: Aliases) -> str:
        text = loaded.outline.write(
            loaded.analysis, aliases, budget_tokens=self._limits.outline_tokens
        )
        # What tools need of it is computed again: a turn looks at few of the spans.
        for node in loaded.analysis.tree.nodes:
            node.drop_view()
        return text


class TraceOpening:
    """A trace whose spans are being read."""

    def __init__(
        self,
        loading: BackgroundResult[LoadedTrace],
        find_usual: Callable[[], Awaitable[Baseline | None]],
        build: Callable[[LoadedTrace, Aliases], Awaitable[TraceContext]],
    ) -> None:
        self._loading = loading
        self._find_usual = find_usual
        self._build = build

    async def open(self, aliases: Aliases, *, complete: bool = False) -> TraceContext:
        """The trace, its spans named by `aliases`; raises the backend's refusal or failure.

        A `complete` one waits for the usual figures, for readers who got no outline before.
        """
        loaded = await self._loading.get()
        if complete:
            await self._find_usual()  # which keeps them
        return await self._build(loaded, aliases)

    def cancel(self) -> None:
        """Reads no further, since nobody will open the trace."""
        self._loading.cancel()
