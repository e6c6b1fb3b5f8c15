"""Reads inputs, outputs and metadata of chosen spans, truncated, in few requests."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import anyio
import structlog

from app.analysis.tree import newest_by_id
from app.backend_http import ByteAllowance
from app.caller import Caller
from app.errors import OpikAssistError, RequestRefused
from app.opik.client import OpikClient, SpanList
from app.opik.records import Span, Trace
from app.opik.responses import SpanPage
from app.worker_threads import run_by_size

log = structlog.get_logger(__name__)

GAP = 8  # unwanted spans between two wanted ones that cost less to read along than another request
# The same in bytes, for spans that are known to be smaller: parsed in less than half the time that
# a request takes of the service alone.
_GAP_BYTES = 65_536
LONGEST = 100  # spans of one page: with bodies cut at 10,001 characters it stays below some 3 MB
# The same in bytes, for spans that are known to be smaller, and the most of them: a thousand spans
# are still read side by side.
_LONGEST_BYTES = 3_000_000
_LONGEST_SMALL = 300
_PLANNED_INLINE = 5_000  # spans whose ids are sorted within some 3 ms


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Asks for `limit` records older than the id `cursor`; "" begins at the newest."""

    cursor: str
    limit: int


def plan_pages(
    ids: Iterable[str], wanted: Sequence[str], *, gap: int = GAP, longest: int = LONGEST
) -> list[PageRequest]:
    """Pages of up to `longest` spans that together hold all `wanted` ones; pages with the most
    important spans first. Up to `gap` others between two of them are read along."""
    ordered = sorted(ids, reverse=True)
    rank = {span_id: place for place, span_id in enumerate(wanted)}
    places = [place for place, span_id in enumerate(ordered) if span_id in rank]
    groups: list[list[int]] = []
    for place in places:
        if groups and place - groups[-1][-1] <= gap and place - groups[-1][0] < longest:
            groups[-1].append(place)
        else:
            groups.append([place])
    groups.sort(key=lambda group: min(rank[ordered[place]] for place in group))
    return [
        PageRequest(ordered[group[0] - 1] if group[0] else "", group[-1] - group[0] + 1)
        for group in groups
    ]


@dataclass(frozen=True, slots=True)
class SpanBodyLimits:
    """Bytes and seconds for all pages together, and the number of requests at once.

    8 MB is some 300 spans with full bodies; the first model call waits at most 3 s for them.
    """

    bytes: int = 8 * 1024 * 1024
    seconds: float = 3
    parallel: int = 4


class BodyReader:
    """Reads bodies within a time and a size; what does not come in time stays unread.

    `kept_bytes` is the size on the wire of the spans that are kept, without those read along.
    """

    def __init__(
        self, client: OpikClient, caller: Caller, trace: Trace, limits: SpanBodyLimits
    ) -> None:
        self._client = client
        self._caller = caller
        self._trace = trace
        self._limits = limits
        self._read: dict[str, Span] = {}
        self._allowance = ByteAllowance(limits.bytes)
        self._records = 0
        self.kept_bytes = 0

    @property
    def bytes(self) -> int:
        """Bytes read so far, on the wire."""
        return self._limits.bytes - self._allowance.left

    async def read_all(self, most: int) -> SpanList | None:
        """All spans of the trace with their bodies, by one search; None where there are more than
        `most` or not all came. Raises the backend's refusal."""
        with anyio.move_on_after(self._limits.seconds):
            try:
                page = await self._client.get_span_page(
                    self._caller, self._trace, limit=most + 1, cursor="", allowance=self._allowance
                )
            except RequestRefused:
                raise
            except OpikAssistError as error:
                log.info("body_page_failed", code=error.code, trace=self._trace.id)
                return None
            self._keep(page, page.found)
            if not page.broken and page.records <= most:
                return SpanList(tuple(page.found), page.records - len(page.found))
        return None

    async def read(self, ids: Sequence[str], wanted: Sequence[str]) -> dict[str, Span]:
        """Spans with bodies, by id; `wanted` in the order of their importance."""
        with anyio.move_on_after(self._limits.seconds):
            pages = await self._plan(ids, wanted)
            await self._read_pages(pages[: self._limits.parallel], wanted)
            if len(pages) > self._limits.parallel:
                # How large the spans are is known now.
                average = max(1, self.bytes // max(1, self._records))
                gap = max(GAP, min(LONGEST, _GAP_BYTES // average))
                longest = max(LONGEST, min(_LONGEST_SMALL, _LONGEST_BYTES // average))
                pages = await self._plan(ids, wanted, gap=gap, longest=longest)
                await self._read_pages(pages, wanted)
        return self._read

    async def _plan(
        self, ids: Sequence[str], wanted: Sequence[str], **lengths: int
    ) -> Sequence[PageRequest]:
        """Pages for what is wanted and was not read yet."""
        left = [each for each in wanted if each not in self._read]
        return await run_by_size(
            len(ids), _PLANNED_INLINE, partial(plan_pages, ids, left, **lengths)
        )

    async def _read_pages(self, pages: Sequence[PageRequest], wanted: Sequence[str]) -> None:
        """Reads several pages at a time, as long as bytes are left."""
        waiting, chosen = iter(pages), frozenset(wanted)

        async def read_next() -> None:
            for request in waiting:
                if not self._allowance.left:
                    return
                await self._read_page(request, chosen)

        async with anyio.create_task_group() as group:
            for _ in range(min(self._limits.parallel, len(pages))):
                group.start_soon(read_next)

    async def _read_page(self, request: PageRequest, wanted: frozenset[str]) -> None:
        try:
            page = await self._client.get_span_page(
                self._caller,
                self._trace,
                limit=request.limit,
                cursor=request.cursor,
                allowance=self._allowance,
                only=wanted,
            )
        except OpikAssistError as error:
            log.info("body_page_failed", code=error.code, trace=self._trace.id)
            return
        self._keep(page, [span for span in page.found if span.id in wanted])

    def _keep(self, page: SpanPage, found: Sequence[Span]) -> None:
        self._records += page.records
        self.kept_bytes += page.bytes * len(found) // max(1, page.records)
        self._read |= newest_by_id(found)
