"""Finds spans that contain a plain text by a filter of the backend, once it proved reliable.

`POST /spans/search` takes filters of a field, an operator and a value, joined by "and" only, so
each field is a search of its own, with the text as a JSON value. `metadata` can be filtered only by
key and is left out. The operator compares the text of the JSON and ignores case.
"""

import re
from collections.abc import Sequence

import anyio

from app.analysis.recorded.body import is_cut_body
from app.analysis.recorded.leaves import walk_values
from app.analysis.trace_analysis import TraceAnalysis
from app.caller import Caller
from app.errors import OpikAssistError
from app.opik.client import BODIES, Filter, OpikClient
from app.opik.records import Span
from app.opik.responses import SpanPage
from app.tools.excerpts import as_text
from app.tools.search_pattern import may_span_key
from app.tools.trace.project import PageSize

FILTERED = ("input", "output")
_LEAVES_TRIED = 100  # of one value, for a word; the next span may have one sooner
_WORD = re.compile(r"[A-Za-z]{4,40}")
_SAME_IN_JSON = re.compile(r'[^"\\\x00-\x1f\x7f-\U0010ffff]+')
_PART_OF_A_NUMBER = re.compile(r"[0-9eE.+-]+")


def is_filterable(text: str) -> bool:
    """Whether a text is the same in a value and in the JSON that the backend compares.

    JSON may write quotes, backslashes, control characters and numbers differently, a colon may
    stand between a key and its value, and not every backend ignores case beyond ASCII: such a text
    is searched page by page.
    """
    return (
        bool(_SAME_IN_JSON.fullmatch(text))
        and not _PART_OF_A_NUMBER.fullmatch(text)
        and not may_span_key(text)
    )


class ContainsFilter:
    """The backend's `contains` for the spans of one trace.

    It is trusted only after it has found a word that is known to be in a span, sent with swapped
    case: otherwise an empty answer of a backend that respects case, or does not know the filter,
    would be taken for "no match". Where no word is known, it is not trusted.
    """

    def __init__(self, client: OpikClient, caller: Caller, analysis: TraceAnalysis) -> None:
        self._client = client
        self._caller = caller
        self._analysis = analysis
        self._works: bool | None = None

    async def works(self) -> bool:
        """Whether the filter is reliable; asks the backend once."""
        if self._works is None:
            self._works = await self._check_known_word()
        return self._works

    def distrust(self) -> None:
        """Stops using the filter, after the backend refused it or gave a wrong answer."""
        self._works = False

    async def page(self, field: str, text: str, *, limit: int, cursor: str) -> SpanPage:
        """Up to `limit` spans older than `cursor` whose `field` holds the text, with that body."""
        return await self._search_spans([_contains_filter(field, text)], limit, cursor, keep=field)

    async def _check_known_word(self) -> bool:
        known = await anyio.to_thread.run_sync(self._find_known_word)
        if known is None:
            return False
        span_id, field, word = known
        this_span: Filter = {"field": "id", "operator": "=", "value": span_id}
        try:
            page = await self._search_spans(
                [this_span, _contains_filter(field, word.swapcase())], 2, ""
            )
        except OpikAssistError:
            return False
        return [span.id for span in page.found] == [span_id]

    def _find_known_word(self) -> tuple[str, str, str] | None:
        """The id of a span, a field of it, and a word in its value."""
        for span_id in self._analysis.bodies:
            for field in FILTERED:
                value = getattr(self._analysis.tree.by_id[span_id].span, field)
                for _, leaf in walk_values(value, most=_LEAVES_TRIED):
                    word = _WORD.search(leaf) if isinstance(leaf, str) else None
                    if word:
                        return span_id, field, word[0]
        return None

    async def _search_spans(
        self, filters: Sequence[Filter], limit: int, cursor: str, *, keep: str = ""
    ) -> SpanPage:
        return await self._client.get_span_page(
            self._caller,
            self._analysis.trace,
            limit=limit,
            cursor=cursor,
            exclude=[body for body in BODIES if body != keep],
            filters=filters,
        )


def _contains_filter(field: str, text: str) -> Filter:
    return {"field": field, "operator": "contains", "value": text}


class TextSelection:
    """The spans that contain one text, as the backend finds them: one field after the other.

    `answered` are the fields that were read to the end; `matching` has, for each field, the ids of
    the spans found. Every page is checked: an uncut value without the text, or an unreadable
    record, ends the selection, and fields that are not answered have to be searched page by page.
    """

    def __init__(self, backend: ContainsFilter, text: str | None, fields: Sequence[str]) -> None:
        """`text` is None for a regular expression, which the backend cannot search for."""
        self._backend = backend
        self._text = text or ""
        able = is_filterable(self._text)
        self._waiting = [field for field in FILTERED if able and field in fields]
        self._size = PageSize()
        self._cursor = ""
        self.answered: list[str] = []
        self.matching: dict[str, set[str]] = {field: set() for field in self._waiting}

    @property
    def field(self) -> str:
        """The field that is searched now."""
        return self._waiting[0]

    async def page(self) -> SpanPage | None:
        """The next spans of `field`; None when there are no more. The same page comes again until
        `take` is called."""
        if not self._waiting:
            return None
        if await self._backend.works():
            try:
                page = await self._backend.page(
                    self.field, self._text, limit=self._size.limit, cursor=self._cursor
                )
                if await anyio.to_thread.run_sync(self._is_credible, page):
                    return page
            except OpikAssistError:
                pass  # Reading page by page follows, and reports the error if it persists.
            self._backend.distrust()
        self._waiting.clear()
        return None

    def take(self, page: SpanPage) -> None:
        """Moves on after a page that was searched."""
        self.matching[self.field] |= {span.id for span in page.found}
        if page.broken or page.records >= self._size.limit:
            self._cursor = page.cursor or self._cursor
            self._size.adapt(page)
        else:
            self.answered.append(self._waiting.pop(0))
            self._cursor, self._size = "", PageSize()

    def holds(self, value: object) -> bool:
        """Whether the text is in a value, as far as it was sent."""
        return self._text.lower() in as_text(value).lower()

    def leaves_out(self, span: Span, field: str) -> bool:
        """Whether the backend has answered that this value does not contain the text."""
        return field in self.answered and span.id not in self.matching[field]

    def was_chosen(self, span: Span, field: str) -> bool:
        """Whether the backend found the text in this field of the span."""
        return span.id in self.matching.get(field, ())

    def _is_credible(self, page: SpanPage) -> bool:
        known = self.matching[self.field]
        values = [getattr(span, self.field) for span in page.found]
        if page.records > len(page.found) or (page.broken and not page.records):
            return False
        if page.found and all(span.id in known for span in page.found):
            return False
        return all(is_cut_body(value) or self.holds(value) for value in values)
