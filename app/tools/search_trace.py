"""The tool that searches the trace: what is loaded first, then what is not.

The backend itself chooses the spans for a plain text in inputs and outputs; what it cannot or does
not choose is read page by page, and only the hits are kept.
"""

import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import anyio
from pydantic import BeforeValidator, Field

from app.agent.toolbox import tool
from app.analysis.json_values import is_cut_body
from app.analysis.text.one_line import format_count, one_line
from app.errors import OpikAssistError
from app.opik.client import BODIES
from app.opik.records import Span, Trace
from app.opik.responses import SpanPage
from app.tools.search_scan import HITS_KEPT, Hit, HitCounter, SearchPattern, scan
from app.tools.trace.project import PageSize
from app.tools.trace.text_filter import Selection
from app.tools.trace.trace_context import TraceContext

SearchField = Literal["name", "input", "output", "metadata", "error"]

ALL_FIELDS: tuple[SearchField, ...] = ("name", "error", "input", "output", "metadata")
_PLURALS = {"input": "inputs", "output": "outputs", "metadata": "metadata"}
_CHUNK = 50
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

    def __init__(
        self, context: TraceContext, needle: SearchPattern, fields: Sequence[SearchField]
    ) -> None:
        self.tally = HitCounter()
        self.partly: set[str] = set()
        self.missing = 0
        self.failure = ""
        self._context = context
        self._needle = needle
        self._fields = [name for name in ALL_FIELDS if name in fields]
        self._bodies: list[str] = [name for name in self._fields if name in BODIES]
        self._chosen = Selection(context.contains, needle.plain, self._bodies)
        self._waiting: list[str] | None = None
        self._cut: dict[str, tuple[Span, list[str]]] = {}
        self._unread: list[str] = []
        self._whole_left = context.limits.search.whole
        self._bytes_left = 0
        self._turn = anyio.Lock()

    @property
    def left(self) -> int:
        """Spans of which the fields in `left_fields` were not searched yet."""
        unread = self._unread if self._swept else ()
        return len({*(self._waiting or ()), *self._cut, *unread})

    @property
    def left_fields(self) -> list[str]:
        return self._bodies if self._waiting or self._cut else self._swept

    @property
    def _swept(self) -> list[str]:
        """What the backend did not answer for all spans."""
        return [name for name in self._bodies if name not in self._chosen.answered]

    async def run(self) -> None:
        """Searches until all is searched or the limits of one run are reached."""
        async with self._turn:
            self.failure = ""
            self._bytes_left = self._context.limits.search.bytes
            if self._waiting is None:
                await self._structure()
            with anyio.move_on_after(self._context.limits.search.seconds):
                await self._loaded()
                if await self._choose():
                    await self._read_cut()
                    await self._pages()

    async def _structure(self) -> None:
        """Names and errors of all spans, and the trace's own values."""
        context = self._context
        nodes = context.analysis.tree.nodes
        read = [node.id for node in nodes if context.body(node.id) is not None]
        unread = [node.id for node in nodes if context.body(node.id) is None]
        flat = [name for name in self._fields if name not in BODIES]
        await self._scan([(context.trace, self._fields)])
        if any(is_cut_body(getattr(context.trace, name)) for name in self._bodies):
            self.partly.add("")
        for start in range(0, len(nodes) if flat else 0, 20 * _CHUNK):
            await self._scan([(node.span, flat) for node in nodes[start : start + 20 * _CHUNK]])
        self._waiting = read if self._bodies else []
        self._unread = sorted(unread, reverse=True) if self._bodies else []

    async def _scan(self, work: Sequence[tuple[Span | Trace, Sequence[str]]]) -> None:
        """Searches these fields of these records."""

        def search_all() -> None:
            for record, fields in work:
                scan(self._needle, record, fields, self.tally)

        await anyio.to_thread.run_sync(search_all)

    async def _loaded(self) -> None:
        """Bodies that were read; those that the backend cut wait."""
        assert self._waiting is not None
        while self._waiting:
            chunk = self._waiting[:_CHUNK]
            spans = [span for each in chunk if (span := self._context.body(each)) is not None]
            cut = {span.id: (span, self._bodies) for span in spans if self._goes_on(span)}
            await self._scan([(span, self._bodies) for span in spans if span.id not in cut])
            self._cut |= cut
            del self._waiting[: len(chunk)]

    async def _choose(self) -> bool:
        """Spans that the backend chooses; False when the limit came before the end of them.

        Nothing is asked where all is loaded and what is cut can be read whole anyway.
        """
        if not self._unread and len(self._cut) <= self._whole_left:
            return True
        while self._bytes_left > 0:
            page = await self._chosen.page()
            if page is None:
                return True
            field, unread = self._chosen.field, set(self._unread)
            spans = [span for span in page.found if span.id in unread]
            await self._scan([(span, [field]) for span in spans])
            for span in spans:
                if not is_cut_body(value := getattr(span, field)):
                    continue
                if self._chosen.holds(value):
                    self.partly.add(span.id)
                else:
                    self._cut[span.id] = (span, [*self._cut.get(span.id, (span, []))[1], field])
            self._chosen.take(page)
            self._bytes_left -= page.bytes
        return False

    async def _read_cut(self) -> None:
        """Spans with cut values are read whole, as many as may be, where the text may be beyond."""
        while self._cut:
            span, fields = next(iter(self._cut.values()))
            if self._whole_left > 0 and self._goes_on(span, fields):
                self._whole_left -= 1
                span = await self._context.read_whole(span)
            await self._scan([(span, fields)])
            self.partly |= {span.id} if self._goes_on(span, fields) else set()
            del self._cut[span.id]

    def _goes_on(self, span: Span, fields: Sequence[str] | None = None) -> bool:
        """Whether a value is cut, and the backend does not say that the text is not in it."""
        return any(
            is_cut_body(getattr(span, name)) and not self._chosen.leaves_out(span, name)
            for name in (self._bodies if fields is None else fields)
        )

    async def _pages(self) -> None:
        """Bodies that were not read, newest first; what was searched is not kept."""
        size, failures = PageSize(), 0
        while self._unread and self._swept and self._bytes_left > 0 and failures < _MOST_FAILURES:
            size.limit = min(size.limit, len(self._unread))
            others = [name for name in BODIES if name not in self._swept]
            try:
                page = await self._context.page_from(
                    self._unread[0], limit=size.limit, exclude=others
                )
            except OpikAssistError as error:
                self.failure = error.message
                return
            await self._take(page, size.limit)
            self._bytes_left -= page.bytes
            failures += page.broken and not page.records
            size.learn(page)

    async def _take(self, page: SpanPage, limit: int) -> None:
        """Searches a page and strikes off what it passed, also what it should have held."""
        unread = set(self._unread)
        work = [
            (span, [name for name in self._swept if not self._chosen.came(span, name)])
            for span in page.found
            if span.id in unread
        ]
        await self._scan(work)
        self.partly |= {span.id for span, fields in work if self._goes_on(span, fields)}
        if page.cursor is not None:
            rest = [each for each in self._unread if each < page.cursor]
        elif page.broken and limit > 1:
            rest = self._unread
        else:
            rest = self._unread[1:] if page.broken else []
        self.missing += len(unread) - len(rest) - len(work)
        self._unread = rest


def _display(_: TraceContext, pattern: str, **__: Any) -> str:
    shown = one_line(pattern.replace("{", "("), limit=60)
    return f"Searching the trace for “{shown}”"


@tool(display=_display)
async def search_trace(
    context: TraceContext,
    pattern: Annotated[str, Field(description="Plain text, or RE2 with regex. Case is ignored.")],
    regex: bool = False,
    fields: Fields = None,
    offset: Annotated[int, Field(ge=0, description="Skip so many hits, and search on.")] = 0,
) -> str:
    """Where a text stands in names, inputs, outputs, metadata (values and their keys) and errors
    of all spans: each hit with its span, path and surroundings, and the count of all."""
    chosen = tuple(fields or ALL_FIELDS)
    key = (pattern, regex, chosen)
    search = context.searches.get(key)
    if search is None:
        search = context.searches[key] = Search(
            context, SearchPattern(pattern, regex=regex), chosen
        )
    before = len(search.tally.hits)
    if offset >= before:
        await search.run()
    arguments = f"pattern={json.dumps(pattern, ensure_ascii=False)}"
    if regex:
        arguments += ", regex=true"
    if fields:
        arguments += f", fields={json.dumps(list(chosen))}"
    return _written(context, search, min(offset, before), call=arguments)


def _written(context: TraceContext, search: Search, offset: int, *, call: str) -> str:
    tally, room = search.tally, context.limits.result_characters - _CLOSING - len(call)
    matches = f"{tally.matches:,} {'match' if tally.matches == 1 else 'matches'}"
    found = f"{matches} in {format_count(tally.values, 'value')} of {_where(tally)}"
    lines = [found if tally.matches else "No match."]
    size = len(lines[0])
    shown = offset
    for hit in tally.hits[offset:]:
        line = _line(context, hit)
        if size + len(line) + 1 > room:
            break
        size += len(line) + 1
        lines.append(line)
        shown += 1
    more = len(tally.hits) - shown
    if more > 0:
        lines.append(f"[{format_count(more, 'more hit')}: search_trace({call}, offset={shown})]")
    if tally.values > HITS_KEPT:
        lines.append(f"[only the first {HITS_KEPT:,} values are kept; search for something rarer]")
    return "\n".join([*lines, *_limits(search, call, max(1, len(tally.hits)))])


def _limits(search: Search, call: str, offset: int) -> list[str]:
    """What was not searched, and the call that searches on."""
    notes = []
    if search.partly:
        where = format_count(len(search.partly), "span")
        notes.append(f"[of long values of {where} only the first 10,000 characters were searched]")
    if search.missing:
        notes.append(f"[{format_count(search.missing, 'span')} could not be read]")
    if search.left:
        spans = format_count(search.left, "span")
        reason = f": {one_line(search.failure, limit=160)}" if search.failure else ""
        notes.append(
            f"[{_named(search.left_fields)} of {spans} not searched yet{reason};"
            f" go on with search_trace({call}, offset={offset})]"
        )
    return notes


def _named(fields: Sequence[str]) -> str:
    """`inputs, outputs and metadata`, or those of them."""
    names = [_PLURALS[name] for name in fields]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _where(tally: HitCounter) -> str:
    spans = len(tally.records - {""})
    return f"{format_count(spans, 'span')}{' and the trace itself' if '' in tally.records else ''}"


def _line(context: TraceContext, hit: Hit) -> str:
    """One hit; a match far inside a long value names its character, for an offset."""
    who = context.aliases.name(hit.record) if hit.record else "trace"
    times = f" ({hit.matches:,} times)" if hit.matches > 1 else ""
    far = f" [character {hit.at:,} of {hit.length:,}]" if hit.length > 2_000 else ""
    return f"{who} {one_line(hit.path, limit=160)}{times}{far}: {hit.snippet}"
