"""Reads the bodies of chosen spans in few requests: inputs, outputs and metadata, truncated."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import anyio
import structlog

from app.backend_http import ByteAllowance
from app.caller import Caller
from app.errors import OpikAssistError
from app.opik.client import OpikClient
from app.opik.records import Span, Trace

log = structlog.get_logger(__name__)

GAP = 8
"""Unwanted spans between two wanted ones that cost less to read along than another request."""
LONGEST = 100


@dataclass(frozen=True, slots=True)
class PageRun:
    """A page: `limit` records after (that is, older than) `cursor`; "" begins at the newest."""

    cursor: str
    limit: int


def plan_runs(ids: Iterable[str], wanted: Sequence[str]) -> list[PageRun]:
    """Pages that together hold all `wanted` spans, those with the most important ones first."""
    ordered = sorted(ids, reverse=True)
    rank = {span_id: place for place, span_id in enumerate(wanted)}
    places = [place for place, span_id in enumerate(ordered) if span_id in rank]
    groups: list[list[int]] = []
    for place in places:
        if groups and place - groups[-1][-1] <= GAP and place - groups[-1][0] < LONGEST:
            groups[-1].append(place)
        else:
            groups.append([place])
    groups.sort(key=lambda group: min(rank[ordered[place]] for place in group))
    return [
        PageRun(ordered[group[0] - 1] if group[0] else "", group[-1] - group[0] + 1)
        for group in groups
    ]


@dataclass(frozen=True, slots=True)
class SpanBodyLimits:
    """Most bytes and seconds for all pages together, and how many of them at once."""

    bytes: int = 8 * 1024 * 1024
    seconds: float = 3
    parallel: int = 4


class BodyReader:
    """Reads the bodies of chosen spans within a time and a size; what is missed stays unread."""

    def __init__(
        self, client: OpikClient, caller: Caller, trace: Trace, limits: SpanBodyLimits
    ) -> None:
        self._client = client
        self._caller = caller
        self._trace = trace
        self._limits = limits
        self._read: dict[str, Span] = {}
        self._allowance = ByteAllowance(limits.bytes)

    @property
    def bytes(self) -> int:
        """What was read so far."""
        return self._limits.bytes - self._allowance.left

    async def read(self, ids: Sequence[str], wanted: Sequence[str]) -> dict[str, Span]:
        """Spans with bodies, by id; `wanted` in the order of their importance."""
        runs = iter(await anyio.to_thread.run_sync(plan_runs, ids, wanted))
        with anyio.move_on_after(self._limits.seconds):
            async with anyio.create_task_group() as group:
                for _ in range(self._limits.parallel):
                    group.start_soon(self._work, runs, frozenset(wanted))
        return self._read

    async def _work(self, runs: Iterator[PageRun], wanted: frozenset[str]) -> None:
        for run in runs:
            if not self._allowance.left:
                return
            await self._read_run(run, wanted)

    async def _read_run(self, run: PageRun, wanted: frozenset[str]) -> None:
        try:
            page = await self._client.get_span_page(
                self._caller,
                self._trace,
                limit=run.limit,
                cursor=run.cursor,
                allowance=self._allowance,
            )
        except OpikAssistError as error:
            log.info("bodies_not_read", code=error.code, trace=self._trace.id)
            return
        self._read |= {span.id: span for span in page.found if span.id in wanted}
