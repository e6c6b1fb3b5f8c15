"""The tool that searches the trace: first what is loaded, then the rest.

For a plain text in inputs and outputs the backend finds the spans; whatever it cannot search is
read page by page, and only the hits are kept.
"""

import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal, get_args

import anyio
from pydantic import BeforeValidator, Field

from app.agent.toolbox import UnfinishedText, tool
from app.analysis.recorded.body import is_cut_body
from app.analysis.text.one_line import format_count, list_first, one_line
from app.errors import OpikAssistError
from app.opik.client import BODIES
from app.opik.records import Span, Trace
from app.opik.responses import SpanPage
from app.tools.search_pattern import SearchPattern
from app.tools.search_scan import (
    FACTS,
    HITS_KEPT,
    Hit,
    HitCounter,
    scan_bodies,
    scan_facts,
)
from app.tools.trace.project import PageSize
from app.tools.trace.text_filter import TextSelection
from app.tools.trace.trace_context import TraceContext

SearchField = Literal[
    "name", "type", "model", "provider", "tags", "error", "input", "output", "metadata"
]

ALL_FIELDS: tuple[SearchField, ...] = get_args(SearchField)
_NAMED = 12  # spans named with one hit; others of the same model or name are counted
_PLURALS = {"input": "inputs", "output": "outputs", "metadata": "metadata"}
_COPIES_NAMED = 4  # places of one text in spans around it
_CHUNK = 50  # spans searched at a time, so that a time limit can interrupt between chunks
_MOST_FAILURES = 5  # empty broken pages that end a run: each is an attempt of several seconds
_CLOSING = 400  # characters kept for the notes at the end, without the calls in them


def _split_list(value: Any) -> Any:
    """Splits a string at commas; models also send one where a list is asked for."""
    return value.replace(",", " ").split() if isinstance(value, str) else value


Fields = Annotated[
    list[SearchField] | None,
    BeforeValidator(_split_list),
    Field(description="Where; default: all."),
]


class Search:
    """One search of one turn; each `run` continues where the last one reached a limit."""

    def __init__(
        self, context: TraceContext, pattern: SearchPattern, fields: Sequence[SearchField]
    ) -> None:
        self.counter = HitCounter()
        self.partly: set[str] = set()
        self.missing = 0
        self.failure = ""
        self._context = context
        self._pattern = pattern
        self._fields = [name for name in ALL_FIELDS if name in fields]
        self._bodies: list[str] = [name for name in self._fields if name in BODIES]
        self._chosen = TextSelection(context.contains, pattern.plain, self._bodies)
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
        """Fields that the backend did not search for all spans."""
        return [name for name in self._bodies if name not in self._chosen.answered]

    async def run(self) -> None:
        """Searches until all is searched or a limit of one run is reached."""
        async with self._turn:
            self.failure, shown = "", len(self.counter.hits)
            self._bytes_left = self._context.limits.search.bytes
            if self._waiting is None:
                await self._scan_structure()
            with anyio.move_on_after(self._context.limits.search.seconds):
                await self._scan_loaded()
                if await self._scan_chosen():
                    await self._scan_cut()
                    await self._scan_pages()
            self.counter.sort_from(shown, self._context.analysis.tree)

    async def _scan_structure(self) -> None:
        """Names, models, errors and the like of all spans, and the trace's own values."""
        context = self._context
        nodes = context.analysis.tree.nodes
        read = [node.id for node in nodes if context.get_body(node.id) is not None]
        unread = [node.id for node in nodes if context.get_body(node.id) is None]
        facts = [name for name in self._fields if name in FACTS]
        records: list[Span | Trace] = [context.trace, *(node.span for node in nodes)]
        await anyio.to_thread.run_sync(scan_facts, self._pattern, records, facts, self.counter)
        await self._scan_bodies([(context.trace, self._bodies)])
        if any(is_cut_body(getattr(context.trace, name)) for name in self._bodies):
            self.partly.add("")
        self._waiting = read if self._bodies else []
        self._unread = sorted(unread, reverse=True) if self._bodies else []

    async def _scan_bodies(self, work: Sequence[tuple[Span | Trace, Sequence[str]]]) -> None:
        """Searches these bodies of these records."""

        def search_all() -> None:
            for record, fields in work:
                scan_bodies(self._pattern, record, fields, self.counter)

        await anyio.to_thread.run_sync(search_all)

    async def _scan_loaded(self) -> None:
        """Bodies that are loaded; those that the backend cut are left for later."""
        assert self._waiting is not None
        while self._waiting:
            chunk = self._waiting[:_CHUNK]
            spans = [span for each in chunk if (span := self._context.get_body(each)) is not None]
            cut = {span.id: (span, self._bodies) for span in spans if self._may_match_beyond(span)}
            await self._scan_bodies([(span, self._bodies) for span in spans if span.id not in cut])
            self._cut |= cut
            del self._waiting[: len(chunk)]

    async def _scan_chosen(self) -> bool:
        """Spans that the backend finds; False if the limit was reached before their end.

        The backend is not asked where all is loaded and what is cut can be read whole anyway.
        """
        if not self._unread and len(self._cut) <= self._whole_left:
            return True
        while self._bytes_left > 0:
            page = await self._chosen.page()
            if page is None:
                return True
            field, unread = self._chosen.field, set(self._unread)
            spans = [span for span in page.found if span.id in unread]
            await self._scan_bodies([(span, [field]) for span in spans])
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

    async def _scan_cut(self) -> None:
        """Spans with cut values: as many as allowed are read whole."""
        while self._cut:
            span, fields = next(iter(self._cut.values()))
            if self._whole_left > 0 and self._may_match_beyond(span, fields):
                self._whole_left -= 1
                span = await self._context.read_whole(span)
            await self._scan_bodies([(span, fields)])
            self.partly |= {span.id} if self._may_match_beyond(span, fields) else set()
            del self._cut[span.id]

    def _may_match_beyond(self, span: Span, fields: Sequence[str] | None = None) -> bool:
        """Whether a value is cut, unless the backend answered that the text is not in it."""
        return any(
            is_cut_body(getattr(span, name)) and not self._chosen.leaves_out(span, name)
            for name in (self._bodies if fields is None else fields)
        )

    async def _scan_pages(self) -> None:
        """Bodies that were not read, newest first; they are searched and dropped."""
        size, failures = PageSize(), 0
        while self._unread and self._swept and self._bytes_left > 0 and failures < _MOST_FAILURES:
            size.limit = min(size.limit, len(self._unread))
            others = [name for name in BODIES if name not in self._swept]
            try:
                page = await self._context.read_page_from(
                    self._unread[0], limit=size.limit, exclude=others
                )
            except OpikAssistError as error:
                self.failure = error.message
                return
            await self._scan_page(page, size.limit)
            self._bytes_left -= page.bytes
            failures += page.broken and not page.records
            size.adapt(page)

    async def _scan_page(self, page: SpanPage, limit: int) -> None:
        """Searches a page; the spans that it covers, found or missing, count as read."""
        unread = set(self._unread)
        work = [
            (span, [name for name in self._swept if not self._chosen.was_chosen(span, name)])
            for span in page.found
            if span.id in unread
        ]
        await self._scan_bodies(work)
        self.partly |= {span.id for span, fields in work if self._may_match_beyond(span, fields)}
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
    offset: Annotated[int, Field(ge=0, description="Hits to skip; the search continues.")] = 0,
) -> str:
    """Where a text occurs in all spans: inputs, outputs, metadata (values, keys, `key: value`),
    names, models, tags, errors: each hit with span, path and surrounding text, and the total."""
    chosen = tuple(fields or ALL_FIELDS)
    key = (pattern, regex, chosen)
    search = context.searches.get(key)
    if search is None:
        search = context.searches[key] = Search(
            context, SearchPattern(pattern, regex=regex), chosen
        )
    if offset >= len(search.counter.hits):
        await search.run()
    arguments = f"pattern={json.dumps(pattern, ensure_ascii=False)}"
    if regex:
        arguments += ", regex=true"
    if fields:
        arguments += f", fields={json.dumps(list(chosen))}"
    text = _format_result(context, search, offset, call=arguments)
    goes_on = search.left and offset >= len(search.counter.hits)
    return UnfinishedText(text) if goes_on else text


def _format_result(context: TraceContext, search: Search, offset: int, *, call: str) -> str:
    counter, limit = search.counter, context.limits.result_characters - _CLOSING - len(call)
    matches = f"{counter.matches:,} {'match' if counter.matches == 1 else 'matches'}"
    found = f"{matches} in {format_count(counter.values, 'value')} of {_count_records(counter)}"
    lines = [found if counter.matches else "No match."]
    if offset and offset >= len(counter.hits):
        so_far = " so far" if search.left else ""
        lines.append(f"[no hit beyond the first {len(counter.hits):,}{so_far}]")
    size = len(lines[0])
    shown = offset
    for hit in counter.hits[offset:]:
        line = _format_hit(context, hit)
        if size + len(line) + 1 > limit:
            break
        size += len(line) + 1
        lines.append(line)
        shown += 1
    more = len(counter.hits) - shown
    if more > 0:
        lines.append(f"[{format_count(more, 'more hit')}: search_trace({call}, offset={shown})]")
    if counter.values > HITS_KEPT:
        lines.append(
            f"[only the first {HITS_KEPT:,} values are kept; search for something more specific]"
        )
    return "\n".join([*lines, *_format_limits(search, call, len(counter.hits))])


def _format_limits(search: Search, call: str, offset: int) -> list[str]:
    """What was not searched, and the call that continues the search."""
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
            f"[{_format_fields(search.left_fields)} of {spans} not searched yet{reason};"
            f" continue with search_trace({call}, offset={offset})]"
        )
    return notes


def _format_fields(fields: Sequence[str]) -> str:
    """`inputs, outputs and metadata`, or those of them."""
    names = [_PLURALS[name] for name in fields]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _count_records(counter: HitCounter) -> str:
    spans = len(counter.records - {""})
    also = " and the trace itself" if "" in counter.records else ""
    return f"{format_count(spans, 'span')}{also}"


def _format_hit(context: TraceContext, hit: Hit) -> str:
    """One hit on a line; in a long value with the character of the match, for an offset."""
    named = [context.aliases.name_span(each) if each else "trace" for each in hit.records[:_NAMED]]
    who = list_first(named, len(hit.records))
    times = f" ({hit.matches:,} times)" if hit.matches > 1 else ""
    far = f" [character {hit.at:,} of {hit.length:,}]" if hit.length > 2_000 else ""
    where = one_line(hit.path, limit=160) + _format_copies(context, hit)
    return f"{who} {where}{times}{far}: {hit.snippet}"


def _format_copies(context: TraceContext, hit: Hit) -> str:
    """` and error.traceback`, ` (also s2 output.text)`: where else the same stands."""
    own = [path for record, path in hit.copies if record in hit.records]
    others = [(record, path) for record, path in hit.copies if record not in hit.records]
    named = [
        f"{context.aliases.name_span(record) if record else 'trace'} {one_line(path, limit=80)}"
        for record, path in others[:_COPIES_NAMED]
    ]
    also = f" (also {list_first(named, len(others))})" if others else ""
    return "".join(f" and {path}" for path in own) + also
