"""Lets the backend choose the spans that hold a plain text, as far as its answers can be trusted.

`POST /spans/search` takes filters of a field, an operator and a value, joined by "and" alone: so
each field is asked for by itself, the text as a JSON value. `metadata` needs a key to be filtered
and is not asked for. The operator compares the text of the JSON, whatever its case.
"""

import re
from collections.abc import Sequence

import anyio

from app.analysis.json_values import is_cut_body, iterate_leaves
from app.analysis.trace_analysis import TraceAnalysis
from app.caller import Caller
from app.errors import OpikAssistError
from app.opik.client import BODIES, Filter, OpikClient
from app.opik.records import Span
from app.opik.responses import SpanPage
from app.tools.excerpts import as_text
from app.tools.trace.project import PageSize

FILTERED = ("input", "output")
_LEAVES_TRIED = 100
_WORD = re.compile(r"[A-Za-z]{4,40}")
_SAME_IN_JSON = re.compile(r'[^"\\\x00-\x1f\x7f-\U0010ffff]+')
_PART_OF_A_NUMBER = re.compile(r"[0-9eE.+-]+")


def filterable(text: str) -> bool:
    """Whether a text reads the same in a value and in the JSON that the backend compares.

    Quotes, backslashes, control characters and numbers may be written otherwise there, and not
    every backend knows the case of letters beyond ASCII: such a text is searched page by page.
    """
    return bool(_SAME_IN_JSON.fullmatch(text)) and not _PART_OF_A_NUMBER.fullmatch(text)


class ContainsFilter:
    """The backend's `contains` for the spans of one trace.

    It is trusted only after it found a word that is known to stand in a span, sent with the case
    of each letter turned round: so an empty answer of a backend that minds the case, or knows no
    such filter, is never taken for "no match". Where no word is known, it is not trusted either.
    """

    def __init__(self, client: OpikClient, caller: Caller, analysis: TraceAnalysis) -> None:
        self._client = client
        self._caller = caller
        self._analysis = analysis
        self._works: bool | None = None

    async def works(self) -> bool:
        """Whether the filter may be relied upon; asks the backend once."""
        if self._works is None:
            self._works = await self._proven()
        return self._works

    def distrust(self) -> None:
        """The backend refused a filter, or did not do as it says: it is asked no more."""
        self._works = False

    async def page(self, field: str, text: str, *, limit: int, cursor: str) -> SpanPage:
        """Up to `limit` spans older than `cursor` whose `field` holds the text, with that body."""
        return await self._asked([_contains(field, text)], limit, cursor, keep=field)

    async def _proven(self) -> bool:
        known = await anyio.to_thread.run_sync(self._known)
        if known is None:
            return False
        span_id, field, word = known
        this_span: Filter = {"field": "id", "operator": "=", "value": span_id}
        try:
            page = await self._asked([this_span, _contains(field, word.swapcase())], 2, "")
        except OpikAssistError:
            return False
        return [span.id for span in page.found] == [span_id]

    def _known(self) -> tuple[str, str, str] | None:
        """The id of a span, a field of it, and a word that stands there."""
        for span_id in self._analysis.bodies:
            for field in FILTERED:
                value = getattr(self._analysis.tree.by_id[span_id].span, field)
                for _, leaf in iterate_leaves(value, most=_LEAVES_TRIED):
                    word = _WORD.search(leaf) if isinstance(leaf, str) else None
                    if word:
                        return span_id, field, word[0]
        return None

    async def _asked(
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


def _contains(field: str, text: str) -> Filter:
    return {"field": field, "operator": "contains", "value": text}


class Selection:
    """The spans that hold one text, chosen by the backend: field after field, page after page.

    `answered` are the fields about which the backend told all; `matching` holds, for each field,
    the ids of the spans that came. Every page is checked: a whole value without the text, or a
    record that cannot be read, ends the selection, and what is not answered has to be swept.
    """

    def __init__(self, backend: ContainsFilter, text: str | None, fields: Sequence[str]) -> None:
        """`text` is None where no plain text is searched, so that there is nothing to ask."""
        self._backend = backend
        self._text = text or ""
        able = filterable(self._text)
        self._waiting = [field for field in FILTERED if able and field in fields]
        self._size = PageSize()
        self._cursor = ""
        self.answered: list[str] = []
        self.matching: dict[str, set[str]] = {field: set() for field in self._waiting}

    @property
    def field(self) -> str:
        """The field that is asked for now."""
        return self._waiting[0]

    async def page(self) -> SpanPage | None:
        """The next spans of `field`; None when there is nothing more to ask. The same page comes
        again until it is taken."""
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
                pass  # The sweep that follows tells what is wrong, if it still is.
            self._backend.distrust()
        self._waiting.clear()
        return None

    def take(self, page: SpanPage) -> None:
        """Goes on behind a page that was searched."""
        self.matching[self.field] |= {span.id for span in page.found}
        if page.broken or page.records >= self._size.limit:
            self._cursor = page.cursor or self._cursor
            self._size.learn(page)
        else:
            self.answered.append(self._waiting.pop(0))
            self._cursor, self._size = "", PageSize()

    def holds(self, value: object) -> bool:
        """Whether the text stands in what came of a value."""
        return self._text.lower() in as_text(value).lower()

    def leaves_out(self, span: Span, field: str) -> bool:
        """Whether the backend says that this whole value does not hold the text."""
        return field in self.answered and span.id not in self.matching[field]

    def came(self, span: Span, field: str) -> bool:
        """Whether the backend chose this span for this field."""
        return span.id in self.matching.get(field, ())

    def _is_credible(self, page: SpanPage) -> bool:
        known = self.matching[self.field]
        values = [getattr(span, self.field) for span in page.found]
        if page.records > len(page.found) or (page.broken and not page.records):
            return False
        if page.found and all(span.id in known for span in page.found):
            return False
        return all(is_cut_body(value) or self.holds(value) for value in values)
