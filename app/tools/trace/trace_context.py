"""A trace that is open for a turn: what every tool works on."""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import anyio
from cachetools import LRUCache

from app.agent.citations import Aliases
from app.agent.toolbox import Tool, Toolbox
from app.analysis.baseline import Baseline
from app.analysis.baseline_findings import add_baseline_findings
from app.analysis.recorded.body import is_cut_body
from app.analysis.text.one_line import one_line
from app.analysis.text.outline import describe_late_findings
from app.background_result import BackgroundResult
from app.caller import Caller
from app.errors import OpikAssistError, ToolFailed
from app.ids import is_uuid
from app.opik.client import BODIES, OpikClient
from app.opik.records import Span, Trace
from app.opik.responses import SpanPage
from app.tools.analysis_answer import write_analysis_answer
from app.tools.analysis_report import build_analysis_report
from app.tools.suggestions import Questions, suggest_first_questions, suggest_next_questions
from app.tools.trace.bodies import BodyReader, SpanBodyLimits
from app.tools.trace.loader import LoadedTrace
from app.tools.trace.project import ProjectReader
from app.tools.trace.text_filter import ContainsFilter

OUTLINE_TOKENS = 6_000  # enough for findings, profile and main branches, also of 100,000 spans
TOOL_SECONDS = 30.0  # one call of the backend may take as long; the model then goes on without it
_BODY_SECONDS = 10  # A tool call has 30 s, and may read whole spans after the truncated bodies
_WHOLE_KEPT = 8  # whole spans kept for a turn; one may take tens of MB
_WHOLE_AT_ONCE = 4  # whole spans read in parallel, since Opik limits requests for single spans
_NAME_SHOWN = 60  # characters of a name in a tool row, of which the panel is some 70 wide
_LONGEST_REFERENCES = 50_000  # characters: a thousand ids; more do not fit in any result
_SEARCHES_KEPT = 8  # searches that can be continued in a turn; each keeps up to 1,000 hits


@dataclass(frozen=True, slots=True)
class SearchLimits:
    """What one call of a search may read beyond what is loaded: bytes on the wire and seconds
    (below the 30 s of a call); and how many spans with cut values one search may read whole, since
    Opik limits requests for single spans."""

    bytes: int = 64 * 1024 * 1024
    seconds: float = 20
    whole: int = 12


@dataclass(frozen=True, slots=True)
class ToolLimits:
    """Characters of one tool result (some 2,000 tokens), seconds of one call, outline tokens."""

    result_characters: int
    seconds: float
    outline_tokens: int
    search: SearchLimits = field(default_factory=SearchLimits)


@dataclass(frozen=True, slots=True)
class OpenedSpan:
    """A span with its bodies; `note` states what could not be read of them."""

    span: Span
    note: str = ""


def to_plain_name(name: str) -> str:
    """A name of a trace on one line for readers that may replace `{span:…}` or link URLs."""
    return one_line(name, limit=_NAME_SHOWN).replace("{span:", "(span:").replace("://", ": //")


def split_references(references: str) -> list[str]:
    """Several references with commas or blanks between."""
    return [each for each in re.split(r"[,;\s]+", references[:_LONGEST_REFERENCES]) if each]


class TraceContext:
    """One trace opened for a turn, with the caller's rights: what every tool works on.

    `outline` is for the prompt and `toolbox` for the loop; `aliases` are the conversation's names
    for spans, `project` reads around the trace.
    """

    def __init__(
        self,
        loaded: LoadedTrace,
        aliases: Aliases,
        *,
        client: OpikClient,
        caller: Caller,
        tools: Sequence[Tool],
        limits: ToolLimits,
        outline: str,
        load: Callable[[str], Awaitable[LoadedTrace]],
        late: BackgroundResult[Baseline | None] | None,
    ) -> None:
        """`load` loads another trace with the caller's rights; `late` is what the outline does
        without, None where it holds all."""
        self.analysis = loaded.analysis
        self.notes = loaded.notes
        self.aliases = aliases
        self.limits = limits
        self.outline = outline
        self._tools = tools
        self.project = ProjectReader(client, caller, self.trace)
        self._client = client
        self._caller = caller
        self._load = load
        self._late = late
        self._completing = anyio.Lock()
        self._bodies: dict[str, Span] = {}
        self._whole: LRUCache[str, Span] = LRUCache(_WHOLE_KEPT)
        self._locks: dict[str, anyio.Lock] = {}
        self.contains = ContainsFilter(client, caller, self.analysis)
        self.searches: LRUCache[Any, Any] = LRUCache(_SEARCHES_KEPT)
        self._turns = anyio.CapacityLimiter(_WHOLE_AT_ONCE)

    @cached_property
    def _ids(self) -> list[str]:
        return sorted(self.analysis.tree.by_id)

    @cached_property
    def _name_counts(self) -> Counter[str]:
        return Counter(node.name for node in self.analysis.tree.nodes)

    @property
    def toolbox(self) -> Toolbox:
        """The tools on this trace; not kept here, so that nothing holds the trace after a turn."""
        return Toolbox(
            self._tools,
            self,
            seconds=self.limits.seconds,
            characters=self.limits.result_characters,
            prepare=self.complete,
        )

    @property
    def trace(self) -> Trace:
        return self.analysis.trace

    @property
    def project_id(self) -> str:
        return self.trace.project_id or ""

    @property
    def span_count(self) -> int:
        return len(self.analysis.tree.nodes)

    @property
    def suggestions(self) -> Questions:
        """Three questions for after an answer."""
        return suggest_next_questions(self.analysis, self.label)

    @property
    def starting_questions(self) -> Questions:
        """Three questions to begin with."""
        return suggest_first_questions(self.analysis, self.label)

    def describe_analysis(self) -> dict[str, Any]:
        """Findings, notes and profile as a JSON value, see `app.tools.analysis_report`."""
        return build_analysis_report(
            self.analysis, alias=self.aliases.name_span, loaded_all=not self.notes
        )

    async def complete(self) -> str:
        """Waits for what the outline did without and adds it to the analysis.

        Returns a text that says once what it adds; empty where that is nothing.
        """
        async with self._completing:
            late, self._late = self._late, None
            usual = None if late is None else await late.get()
            if usual is None:
                return ""
            known, self.analysis = self.analysis, add_baseline_findings(self.analysis, usual)
            return describe_late_findings(self.analysis, known, alias=self.aliases.name_span)

    def answer_without_model(self) -> str:
        """The analysis as an answer for a person, see `app.tools.analysis_answer`."""
        return write_analysis_answer(self.describe_analysis())

    def label(self, span_id: str) -> str | None:
        """A span's name as a person reads it; None for a span that is not of this trace."""
        node = self.analysis.tree.by_id.get(span_id)
        return None if node is None else node.name

    def name_for_reader(self, span_id: str) -> str:
        """A span's name in plain text for a line outside of answers; with its alias where spans of
        this trace share the name."""
        name = self.analysis.tree.by_id[span_id].name
        shown = to_plain_name(name)
        if self._name_counts[name] == 1:
            return shown
        return f"{shown} ({self.aliases.name_span(span_id)})"

    def find(self, reference: str) -> Span:
        """The span of an alias or an id, without its full bodies; ToolFailed for anything else."""
        wanted = reference.strip().strip("[]⟦⟧").removeprefix("span:").lower()
        span_id = self.aliases.span_id(wanted) or wanted
        node = self.analysis.tree.by_id.get(span_id)
        if node is None:
            raise ToolFailed(
                "This trace has no such span. Name spans as the outline does (s1, s2, ...)."
            )
        return node.span

    def find_all(self, references: Sequence[str]) -> list[Span]:
        """The spans of several references; each one once."""
        return list({span.id: span for span in map(self.find, references)}.values())

    async def load_other(self, trace_id: str) -> LoadedTrace:
        """Another trace of this project with its spans; raises the backend's refusal."""
        other = await self._load(trace_id)
        if other.analysis.trace.project_id != self.trace.project_id:
            raise ToolFailed("That trace belongs to another project.")
        return other

    async def open_spans(
        self, spans: Sequence[Span], *, whole: Collection[str] = BODIES
    ) -> list[OpenedSpan]:
        """The spans with their bodies, in order.

        Bodies that were not read yet are read in few requests; the whole record only where the
        backend cut one of the fields in `whole`, since Opik limits requests for single spans (some
        250 a minute for a workspace). What stays cut or unread is stated in `note`, never raised.
        """
        await self.read_bodies([span.id for span in spans])
        found: dict[str, OpenedSpan] = {}

        async def open_one(span: Span) -> None:
            found[span.id] = await self._open_span(span, whole)

        async with anyio.create_task_group() as group:
            for span in spans:
                group.start_soon(open_one, span)
        return [found[span.id] for span in spans]

    async def read_bodies(self, span_ids: Sequence[str]) -> None:
        """Reads bodies that are missing, truncated, in few requests; some may stay unread."""
        missing = [each for each in span_ids if self.get_body(each) is None]
        if missing:
            reader = BodyReader(
                self._client, self._caller, self.trace, SpanBodyLimits(seconds=_BODY_SECONDS)
            )
            self._bodies |= await reader.read(self._ids, missing)

    def get_body(self, span_id: str) -> Span | None:
        """The span with its bodies, which the backend may have cut; None if they were not read."""
        if span_id in self.analysis.bodies:
            return self.analysis.tree.by_id[span_id].span
        return self._bodies.get(span_id)

    async def read_page_from(self, span_id: str, *, limit: int, exclude: Sequence[str]) -> SpanPage:
        """A page of `limit` spans with truncated bodies, newest first, beginning with this span."""
        place = bisect_right(self._ids, span_id)
        cursor = self._ids[place] if place < len(self._ids) else ""
        return await self._client.get_span_page(
            self._caller, self.trace, limit=limit, cursor=cursor, exclude=exclude
        )

    async def read_whole(self, span: Span) -> Span:
        """The whole record of a span; the given one where it cannot be read."""
        async with self._turns, self._locks.setdefault(span.id, anyio.Lock()):
            try:
                return await self._read_full(span)
            except OpikAssistError:
                return span

    async def _open_span(self, span: Span, whole: Collection[str]) -> OpenedSpan:
        body = self.get_body(span.id)
        if body is not None and not any(is_cut_body(getattr(body, field)) for field in whole):
            return OpenedSpan(body)
        async with self._turns, self._locks.setdefault(span.id, anyio.Lock()):
            try:
                return OpenedSpan(await self._read_full(span))
            except OpikAssistError as error:
                failure = error.message
        if body is None:
            return OpenedSpan(span, f"Input, output and metadata could not be read: {failure}")
        return OpenedSpan(body, f"Only the first 10,000 characters could be read: {failure}")

    async def _read_full(self, span: Span) -> Span:
        if not is_uuid(span.id):
            raise ToolFailed("This span's id is not a UUID, so Opik cannot return its record.")
        if span.id not in self._whole:
            self._whole[span.id] = await self._client.get_span(
                self._caller, span.id, trace=self.trace
            )
        return self._whole[span.id]
