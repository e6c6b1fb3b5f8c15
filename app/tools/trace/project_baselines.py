"""What is usual for a trace's name, asked beside the loading of the trace and kept for a while.

An opening never fails for it and waits for it hardly ever: what does not come in time is left out,
and is not asked again before long. Being kept, the outline stays the same from turn to turn.
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

DAYS = 7
GRACE_SECONDS = 0.5
"""How much longer than its loading the opening of a trace may take for this."""
_KEPT = 2_000
_KEPT_SECONDS = 900


class ProjectBaselines:
    def __init__(
        self,
        client: OpikClient,
        *,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`seconds` is how long the backend may take for it; 0 asks never."""
        self._client = client
        self._seconds = seconds
        self._kept: TTLCache[tuple[Owner, str], Baseline | None] = TTLCache(
            _KEPT, _KEPT_SECONDS, timer=clock
        )
        self._asking: SharedLoads[Baseline | None] = SharedLoads()

    async def load(
        self, loader: TraceLoader, caller: Caller, owner: Owner, *, trace_id: str
    ) -> LoadedTrace:
        """The trace as the loader gives or refuses it, examined with what is usual for its name
        where that is told in time."""
        told = anyio.Event()
        usual: Baseline | None = None
        loaded: LoadedTrace | OpikAssistError

        async def ask(trace: Trace) -> None:
            nonlocal usual
            usual = await self.of(caller, owner, trace)
            told.set()

        async with anyio.create_task_group() as group:
            try:
                loaded = await loader.load(
                    caller, owner, trace_id, begun=lambda trace: group.start_soon(ask, trace)
                )
                with anyio.move_on_after(GRACE_SECONDS):
                    await told.wait()
            except OpikAssistError as refusal:
                loaded = refusal
            group.cancel_scope.cancel()
        if isinstance(loaded, OpikAssistError):
            raise loaded
        return (
            loaded
            if usual is None
            else replace(loaded, analysis=add_baseline_findings(loaded.analysis, usual))
        )

    async def of(self, caller: Caller, owner: Owner, trace: Trace) -> Baseline | None:
        """What the backend's statistics say of the trace's name; None where it does not say it in
        time. Raises nothing."""
        key = (owner, trace.id)
        if not self._seconds or not trace.name:
            return None
        if key not in self._kept:
            usual: Baseline | None = None
            try:
                with anyio.move_on_after(self._seconds):
                    usual = await self._asking.get(key, lambda: self._ask(caller, trace))
            finally:
                self._kept[key] = usual
        return self._kept.get(key)

    async def _ask(self, caller: Caller, trace: Trace) -> Baseline | None:
        around = ProjectReader(self._client, caller, trace)
        try:
            told = await around.usual(trace.name or "", around.window(DAYS))
        except OpikAssistError as error:
            log.info("baseline_unavailable", code=error.code, trace=trace.id)
            return None
        return told[0] if told else None
