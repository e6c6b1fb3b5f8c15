"""Reads the usual figures of a trace's name while the trace loads, and keeps them for a while.

Opening a trace never fails because of them and waits at most half a second longer: figures that do
not come in time are left out and not asked for again until the entry expires. Because they are
kept, the outline stays the same from turn to turn.
"""

import time
from collections.abc import Callable
from dataclasses import replace

import anyio
import structlog
from cachetools import TTLCache

from app.analysis.baseline import Baseline
from app.analysis.baseline_findings import add_baseline_findings
from app.caller import Caller, Owner
from app.errors import OpikAssistError
from app.opik.client import OpikClient
from app.opik.records import Trace
from app.tools.trace.loader import LoadedTrace, SharedLoads, TraceLoader
from app.tools.trace.project import ProjectReader

log = structlog.get_logger(__name__)

DAYS = 7  # days before the trace that the figures cover: a whole week evens out its days
BASELINE_SECONDS = 1.5  # for the backend: an answer without a baseline is better than a late one
GRACE_SECONDS = 0.5  # that opening a trace may wait after its spans were loaded
_KEPT = 2_000  # entries of some hundred bytes, one for each owner and trace
_KEPT_SECONDS = 900  # longer than most conversations pause; the percentiles of a week change slowly


class ProjectBaselines:
    """The usual figures of traces' names, by owner and trace."""

    def __init__(self, client: OpikClient, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._kept: TTLCache[tuple[Owner, str], Baseline | None] = TTLCache(
            _KEPT, _KEPT_SECONDS, timer=clock
        )
        self._asking: SharedLoads[Baseline | None] = SharedLoads()

    async def load(
        self, loader: TraceLoader, caller: Caller, owner: Owner, *, trace_id: str
    ) -> LoadedTrace:
        """The trace as the loader gives or refuses it, with the usual figures of its name and the
        findings from them where these come in time."""
        answered = anyio.Event()
        usual: Baseline | None = None
        loaded: LoadedTrace | OpikAssistError

        async def ask(trace: Trace) -> None:
            nonlocal usual
            usual = await self.find(caller, owner, trace)
            answered.set()

        async with anyio.create_task_group() as group:
            try:
                loaded = await loader.load(
                    caller, owner, trace_id, on_trace=lambda trace: group.start_soon(ask, trace)
                )
                with anyio.move_on_after(GRACE_SECONDS):
                    await answered.wait()
            except OpikAssistError as refusal:
                loaded = refusal
            group.cancel_scope.cancel()
        if isinstance(loaded, OpikAssistError):
            raise loaded
        if usual is None:
            return loaded
        return replace(loaded, analysis=add_baseline_findings(loaded.analysis, usual))

    async def find(self, caller: Caller, owner: Owner, trace: Trace) -> Baseline | None:
        """The backend's statistics for the trace's name; None where they do not come in time.
        Raises nothing."""
        key = (owner, trace.id)
        if not trace.name:
            return None
        if key not in self._kept:
            usual: Baseline | None = None
            try:
                with anyio.move_on_after(BASELINE_SECONDS):
                    usual = await self._asking.get(key, lambda: self._read_baseline(caller, trace))
            finally:
                self._kept[key] = usual
        return self._kept.get(key)

    async def _read_baseline(self, caller: Caller, trace: Trace) -> Baseline | None:
        project = ProjectReader(self._client, caller, trace)
        try:
            found = await project.read_baseline(trace.name or "", project.make_window(DAYS))
        except OpikAssistError as error:
            log.info("baseline_unavailable", code=error.code, trace=trace.id)
            return None
        return found[0] if found else None
