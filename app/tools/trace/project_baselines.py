"""Reads the usual figures of a trace's name beside a turn, and keeps them for a while.

Nothing waits for them before the first model call, and nothing fails because of them: figures that
do not come in time are left out and not asked for again until the entry expires.
"""

import anyio
import structlog
from cachetools import TTLCache

from app.analysis.baseline import Baseline
from app.caller import Caller, Owner
from app.errors import OpikAssistError
from app.opik.client import OpikClient
from app.opik.records import Trace
from app.shared_loads import SharedLoads
from app.tools.trace.project import ProjectReader

log = structlog.get_logger(__name__)

DAYS = 7  # days before the trace that the figures cover: a whole week evens out its days
BASELINE_SECONDS = 1.5  # for the backend: an answer without a baseline is better than a late one
_KEPT = 2_000  # entries of some hundred bytes, one for each owner and trace
_KEPT_SECONDS = 900  # longer than most conversations pause; the percentiles of a week change slowly


class ProjectBaselines:
    """The usual figures of traces' names, by owner and trace."""

    def __init__(self, client: OpikClient) -> None:
        self._client = client
        self._kept: TTLCache[tuple[Owner, str], Baseline | None] = TTLCache(_KEPT, _KEPT_SECONDS)
        self._asking: SharedLoads[Baseline | None] = SharedLoads()

    def get_kept(self, owner: Owner, trace_id: str) -> Baseline | None:
        """The statistics that were read before; None where there are none."""
        return self._kept.get((owner, trace_id))

    async def find(self, caller: Caller, owner: Owner, trace: Trace) -> Baseline | None:
        """The backend's statistics for the trace's name; None where they do not come in time.
        Raises nothing."""
        key = (owner, trace.id)
        if not trace.name:
            return None
        if key not in self._kept:
            usual: Baseline | None = None
            with anyio.move_on_after(BASELINE_SECONDS):
                usual = await self._asking.get(key, lambda: self._read_baseline(caller, trace))
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
