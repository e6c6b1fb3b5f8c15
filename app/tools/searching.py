"""The tool that searches the trace: what is loaded first, then page by page what is not."""

import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import anyio
from pydantic import BeforeValidator, Field

from app.agent.toolbox import tool
from app.analysis.wording import counted, one_line
from app.errors import OpikAssistError
from app.opik.answers import SpanPage
from app.opik.client import BODIES
from app.opik.schema import Span, Trace
from app.tools.scanning import HITS_KEPT, Hit, Needle, Tally, scan
from app.tools.workbench import Workbench, is_cut_body

SearchField = Literal["name", "input", "output", "metadata", "error"]

ALL_FIELDS: tuple[SearchField, ...] = ("name", "error", "input", "output", "metadata")
_CHUNK = 50
_FIRST_PAGE, _LARGEST_PAGE = 100, 1_000
_PAGE_BYTES = 2 * 1024 * 1024
_MOST_FAILURES = 5
_CLOSING = 400


def _listed(value: Any) -> Any:
    """Models also write a text with commas where a list is asked for."""
    return value.replace(",", " ").split() if isinstance(value, str) else value


Fields = Annotated[
    list[SearchField] | None, BeforeValidator(_listed), Field(description="Where; default: all.")
]


class Search:
    """One search of one turn. `run` goes on where the last run had to stop."""

    def __init__(self, bench: Workbench, needle: Needle, fields: Sequence[SearchField]) -> None:
        self.tally = Tally()
        self.partly = 0
        self.missing = 0
        self.failure = ""
        self._bench = bench
        self._needle = needle
        self._fields = [name for name in ALL_FIELDS if name in fields]
        self._bodies = [name for name in self._fields if name in BODIES]
        self._waiting: list[str] | None = None
        self._cut: list[Span] = []
        self._unread: list[str] = []
        self._whole_left = bench.limits.search.whole
        self._turn = anyio.Lock()

    @property
    def left(self) -> int:
        """Spans whose inputs, outputs and metadata were not searched yet."""
        return len(self._waiting or ()) + len(self._cut) + len(self._unread)

    async def run(self) -> None:
        """Searches until all is searched or the limits of one run are reached."""
        async with self._turn:
            self.failure = ""
            if self._waiting is None:
                await self._structure()
            with anyio.move_on_after(self._bench.limits.search.seconds):
                await self._loaded()
                await self._pages()

    async def _structure(self) -> None:
        """Names and errors of all spans, and the trace's own values."""
        bench = self._bench
        nodes = bench.loaded.seen.tree.nodes
        read = [node.id for node in nodes if bench.body(node.id) is not None]
        unread = [node.id for node in nodes if bench.body(node.id) is None]
        flat = [name for name in self._fields if name not in BODIES]
        await self._scan([bench.loaded.trace], self._fields)
        self.partly += self._is_cut(bench.loaded.trace)
        for start in range(0, len(nodes) if flat else 0, 20 * _CHUNK):
            await self._scan([node.span for node in nodes[start : start + 20 * _CHUNK]], flat)
        self._waiting = read if self._bodies else []
        self._unread = sorted(unread, reverse=True) if self._bodies else []

    async def _scan(self, records: Sequence[Span | Trace], fields: Sequence[str]) -> None:
        def work() -> None:
            for record in records:
                scan(self._needle, record, fields, self.tally)

        await anyio.to_thread.run_sync(work)

    async def _loaded(self) -> None:
        """Bodies that were read; some that the backend cut are read whole."""
        assert self._waiting is not None
        while self._waiting:
            chunk = self._waiting[:_CHUNK]
            spans = [span for each in chunk if (span := self._bench.body(each)) is not None]
            await self._scan([span for span in spans if not self._is_cut(span)], self._bodies)
            self._cut += [span for span in spans if self._is_cut(span)]
            del self._waiting[: len(chunk)]
        while self._cut:
            span = self._cut[0]
            if self._whole_left > 0:
                (opened,) = await self._bench.opened([span], whole=self._bodies)
                self._whole_left -= 1
                span = opened.span
            await self._scan([span], self._bodies)
            self.partly += self._is_cut(span)
            del self._cut[0]

    def _is_cut(self, record: Span | Trace) -> bool:
        return any(is_cut_body(getattr(record, name)) for name in self._bodies)

    async def _pages(self) -> None:
        """Bodies that were not read, newest first; what was searched is not kept."""
        left, size, failures = self._bench.limits.search.bytes, _FIRST_PAGE, 0
        while self._unread and left > 0 and failures < _MOST_FAILURES:
            limit = min(size, len(self._unread))
            try:
                page = await self._bench.page_from(self._unread[0], limit=limit)
            except OpikAssistError as error:
                self.failure = error.message
                return
            await self._take(page, limit)
            left -= page.bytes
            if page.broken:
                failures += not page.records
                size = max(1, limit // 4)
            else:
                fitting = _PAGE_BYTES * page.records // max(1, page.bytes)
                size = max(1, min(fitting, 2 * limit, _LARGEST_PAGE))

    async def _take(self, page: SpanPage, limit: int) -> None:
        """Searches a page and strikes off what it passed, also what it should have held."""
        unread = set(self._unread)
        spans = [span for span in page.spans if span.id in unread]
        await self._scan(spans, self._bodies)
        self.partly += sum(self._is_cut(span) for span in spans)
        if page.cursor is not None:
            rest = [each for each in self._unread if each < page.cursor]
        elif page.broken and limit > 1:
            rest = self._unread
        else:
            rest = self._unread[1:] if page.broken else []
        self.missing += len(unread) - len(rest) - len(spans)
        self._unread = rest


def _display(_: Workbench, pattern: str, **__: Any) -> str:
    shown = one_line(pattern.replace("{", "("), limit=60)
    return f"Searching the trace for “{shown}”"


@tool(display=_display)
async def search_trace(
    bench: Workbench,
    pattern: Annotated[str, Field(description="Plain text, or RE2 with regex. Case is ignored.")],
    regex: bool = False,
    fields: Fields = None,
    offset: Annotated[int, Field(ge=0, description="Skip so many hits, and search on.")] = 0,
) -> str:
    """Where a text stands in names, inputs, outputs, metadata (values and their keys) and errors
    of all spans: each hit with its span, path and surroundings, and the count of all."""
    chosen = tuple(fields or ALL_FIELDS)
    key = (pattern, regex, chosen)
    search = bench.searches.get(key)
    if search is None:
        search = bench.searches[key] = Search(bench, Needle(pattern, regex=regex), chosen)
    before = len(search.tally.hits)
    if offset >= before:
        await search.run()
    arguments = f"pattern={json.dumps(pattern, ensure_ascii=False)}"
    if regex:
        arguments += ", regex=true"
    if fields:
        arguments += f", fields={json.dumps(list(chosen))}"
    return _written(bench, search, min(offset, before), call=arguments)


def _written(bench: Workbench, search: Search, offset: int, *, call: str) -> str:
    tally, room = search.tally, bench.limits.result_characters - _CLOSING - len(call)
    matches = f"{tally.matches:,} {'match' if tally.matches == 1 else 'matches'}"
    found = f"{matches} in {counted(tally.values, 'value')} of {_where(tally)}"
    lines = [found if tally.matches else "No match."]
    size = len(lines[0])
    shown = offset
    for hit in tally.hits[offset:]:
        line = _line(bench, hit)
        if size + len(line) + 1 > room:
            break
        size += len(line) + 1
        lines.append(line)
        shown += 1
    more = len(tally.hits) - shown
    if more > 0:
        lines.append(f"[{counted(more, 'more hit')}: search_trace({call}, offset={shown})]")
    if tally.values > HITS_KEPT:
        lines.append(f"[only the first {HITS_KEPT:,} values are kept; search for something rarer]")
    return "\n".join([*lines, *_limits(search, call, max(1, len(tally.hits)))])


def _limits(search: Search, call: str, offset: int) -> list[str]:
    """What was not searched, and the call that searches on."""
    notes = []
    if search.partly:
        where = counted(search.partly, "span")
        notes.append(f"[of long values of {where} only the first 10,000 characters were searched]")
    if search.missing:
        notes.append(f"[{counted(search.missing, 'span')} could not be read]")
    if search.left:
        spans = counted(search.left, "span")
        reason = f": {one_line(search.failure, limit=160)}" if search.failure else ""
        notes.append(
            f"[inputs, outputs and metadata of {spans} not searched yet{reason};"
            f" go on with search_trace({call}, offset={offset})]"
        )
    return notes


def _where(tally: Tally) -> str:
    spans = len(tally.records - {""})
    return f"{counted(spans, 'span')}{' and the trace itself' if '' in tally.records else ''}"


def _line(bench: Workbench, hit: Hit) -> str:
    """One hit; a match far inside a long value names its character, for an offset."""
    who = bench.aliases.name(hit.record) if hit.record else "trace"
    times = f" ({hit.matches:,} times)" if hit.matches > 1 else ""
    far = f" [character {hit.at:,} of {hit.length:,}]" if hit.length > 2_000 else ""
    return f"{who} {one_line(hit.path, limit=160)}{times}{far}: {hit.snippet}"
