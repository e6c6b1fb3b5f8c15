"""The tool that shows spans in detail: facts, and on demand bodies, a model call or one value."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import anyio
from pydantic import BeforeValidator, Field

from app.agent.toolbox import CallLine, UnfinishedText, tool
from app.analysis.error_origins import error_message, find_first_of_equal_errors
from app.analysis.recorded.error import effective_error
from app.analysis.recorded.recorded_span import RecordedSpan
from app.analysis.text.folded_stack import fold_stack
from app.analysis.text.json_path import Step, describe_value, format_path, parse_path, select_value
from app.analysis.text.lines import format_span
from app.analysis.text.messages_and_reply import format_messages_and_reply
from app.analysis.text.one_line import (
    format_count,
    list_first,
    one_line,
)
from app.analysis.text.span_values import open_body
from app.analysis.tree import Node
from app.errors import ToolFailed
from app.opik.client import BODIES
from app.opik.records import Span, Trace
from app.surrogates import join_surrogates
from app.tools.excerpts import Value, as_text, render_excerpt
from app.tools.repeated_members import leave_out_repeats
from app.tools.span_facts import (
    MESSAGE_SHOWN,
    LikeError,
    cut_facts,
    format_error,
    format_facts,
    format_recorded,
)
from app.tools.trace.trace_context import OpenedSpan, TraceContext, split_references

TRACE = "trace"  # how the model refers to the trace itself, whose bodies can be read like a span's

_FACTS_SHARE = 2  # facts take at most this part (a half) of the result where values are shown
# Characters of facts and of each value; as many spans as get these are shown: with less of a value
# one could not tell what it is about.
_LEAST_FACTS = 160
_LEAST_VALUE = 240
_ALL_FACTS = 400  # characters that the facts of most spans need; with less they are one line
_WHOLE_READ = (
    10  # spans whose cut bodies are read whole: each is a request, and more share the room
)
_LEVELS_ABOVE = 4  # looked through for a limit of tokens: a wrapper, a client, a step, an agent
_NAMED = 100  # spans named in the call for those that did not fit


def join_references(value: Any) -> Any:
    """Several references as one text; models also send a list where a string is asked for."""
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(value)
    return value


References = Annotated[
    str,
    BeforeValidator(join_references),
    Field(description="A span's short name (s3) or id; several with commas; or trace."),
]


def _split_trace(span_id: str) -> tuple[bool, list[str]]:
    """Whether the trace itself is among several references, and the others."""
    references = split_references(span_id)
    spans = [each for each in references if each.strip("[]").lower() != TRACE]
    return len(spans) < len(references), spans


_SPANS_NAMED = 3  # in the line about a call; more do not fit into the panel


def _display(context: TraceContext, span_id: str, **_: Any) -> CallLine | str:
    try:
        spans = context.find_all(_split_trace(span_id)[1])
    except ToolFailed:
        return "Fetching span details"
    if not spans:
        return "Reading the trace's input and output"
    named = [span.id for span in spans[:_SPANS_NAMED]]
    names = list_first([context.name_for_reader(each) for each in named], len(spans))
    return CallLine(f"Fetching span details for {names}", tuple(named))


@dataclass(slots=True)
class _RecordText:
    """The text about one record: lines of facts, and values."""

    facts: list[str]
    values: list[Value] = field(default_factory=list)


@tool(display=_display)
async def get_span_details(
    context: TraceContext,
    span_id: References,
    include_input: bool = False,
    include_output: bool = False,
    include_metadata: bool = False,
    view: Annotated[
        Literal["facts", "model_call"],
        Field(description="model_call: messages (newest kept), tool calls, refusal, finish, reply"),
    ] = "facts",
    path: Annotated[
        str | None,
        Field(description="Only this value: input.messages[2].content, error.traceback, ..."),
    ] = None,
    offset: Annotated[int, Field(ge=0, description="Start at this character of a value.")] = 0,
) -> str:
    """Times, model, usage, cost, tags, scores and error of spans, and on demand their input,
    output and metadata. Spans requested together share the space; each cut names the call that
    shows the rest."""
    included = {"input": include_input, "output": include_output, "metadata": include_metadata}
    fields = [name for name, wanted in included.items() if wanted]
    steps = _parse_rooted_path(path, fields) if path else None
    asked = _Asked(fields, steps, as_call=view == "model_call" and steps is None)
    with_trace, references = _split_trace(span_id)
    spans = context.find_all(references)
    if not spans and not with_trace:
        raise ToolFailed("Name at least one span, as the outline does (s1, s2, ...).")
    limit = context.limits.result_characters
    chosen = spans[: max(1, limit // asked.least_room() - with_trace)]
    notes = []
    if left := [context.aliases.name_span(span.id) for span in spans[len(chosen) :]]:
        named = ",".join(left[:_NAMED])
        arguments = "".join(f", include_{name}=true" for name in fields)
        arguments += f', path="{format_path(steps)}"' if steps else ""
        arguments += f', view="{view}"' if asked.as_call else ""
        call = f'get_span_details(span_id="{named}"{arguments})'
        notes = [f"[{format_count(len(left), 'more span')}: {call}]"]
        limit -= len(notes[0]) + 2
    opened = await _open_spans(context, chosen, asked)

    def write() -> str:
        room = limit // (len(opened) + with_trace)
        likes = _find_like_errors(context, [each.span for each in opened], with_trace)
        records = [_describe_trace(context, asked, likes.get(TRACE))] if with_trace else []
        records += [
            _describe_span(context, each, asked, room=room, like=likes.get(each.span.id))
            for each in opened
        ]
        return "\n\n".join([_format_records(records, limit, offset=offset), *notes])

    text = await anyio.to_thread.run_sync(write)
    return UnfinishedText(text) if any(each.note for each in opened) else text


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is shown of each span: some of its bodies, or one value, or its model call."""

    fields: Sequence[str]
    steps: Sequence[Step] | None
    as_call: bool

    def least_room(self) -> int:
        values = 1 if self.steps or self.as_call else len(self.fields)
        return _LEAST_FACTS + values * _LEAST_VALUE

    def bodies(self) -> Sequence[str]:
        """The bodies that have to be read."""
        if self.steps is not None:
            return [str(step) for step in self.steps[:1] if step in BODIES]
        return BODIES if self.as_call else self.fields


async def _open_spans(
    context: TraceContext, spans: Sequence[Span], asked: _Asked
) -> Sequence[OpenedSpan]:
    bodies = asked.bodies()
    if not bodies:
        return [OpenedSpan(span) for span in spans]
    whole = bodies if asked.steps or len(spans) <= _WHOLE_READ else ()
    return await context.open_spans(spans, whole=whole)


def _parse_rooted_path(path: str, fields: Sequence[str]) -> tuple[Step, ...]:
    """The steps of a path, beginning with a field; a single requested field may be left out."""
    steps = parse_path(path)
    if steps[0] == "error_info":
        steps = ("error", *steps[1:])
    if steps[0] not in (*BODIES, "error"):
        if len(fields) != 1:
            raise ToolFailed("A path begins with input, output, metadata or error.")
        steps = (fields[0], *steps)
    return steps


def _format_records(records: Sequence[_RecordText], limit: int, *, offset: int) -> str:
    """Facts of all records, in at most half of `limit` characters if there are values, which share
    the rest; longer facts are cut evenly."""
    values = [value for record_text in records for value in record_text.values]
    share = (limit // _FACTS_SHARE if values else limit) // len(records) - 2
    facts = [cut_facts(record_text.facts, share) for record_text in records]
    left = limit - sum(len(each) + 2 for each in facts)
    texts = iter(render_excerpt(values, left, offset=offset))
    parts = []
    for record_text, head in zip(records, facts, strict=True):
        parts += [head, *(next(texts) for _ in record_text.values)]
    return "\n\n".join(parts)


def _find_like_errors(
    context: TraceContext, spans: Sequence[Span], with_trace: bool
) -> dict[str, LikeError]:
    """For spans, and TRACE, whose error began in another of them: in which one."""
    nodes = [context.analysis.tree.by_id[span.id] for span in spans]
    nodes.sort(key=lambda node: (node.end, -node.depth))
    failed = [(node.id, error) for node in nodes if (error := effective_error(node.span))]
    if with_trace and (error := effective_error(context.trace)):
        failed.append((TRACE, error))
    found = find_first_of_equal_errors(failed)
    name = context.aliases.name_span
    return {each: LikeError(name(first), same) for each, (first, same) in found.items()}


def _describe_span(
    context: TraceContext, opened: OpenedSpan, asked: _Asked, *, room: int, like: LikeError | None
) -> _RecordText:
    """The text about a span, for which `room` characters are meant."""
    span = opened.span
    node = context.analysis.tree.by_id[span.id]
    alias = context.aliases.name_span(span.id)
    notes = [f"[{opened.note}]"] if opened.note else []
    if asked.steps is not None:
        title = f"{alias} {one_line(node.name, limit=120)}"
        return _describe_value_at(span, alias, [title, *notes], asked.steps)
    brief = [format_span(node, context.analysis, name=alias), *format_error(span, like), *notes]
    if asked.as_call:
        brief += _find_limit_around(context, node, RecordedSpan(span))
        left = room - sum(len(line) + 1 for line in brief)
        return _RecordText([*brief, *format_messages_and_reply(RecordedSpan(span), left)])
    values = [*_error_values(span, alias, like), *_body_values(span, alias, asked.fields)]
    if room // (_FACTS_SHARE if values else 1) < _ALL_FACTS:
        return _RecordText(brief, values)
    facts = [*format_facts(context, span, node, like), *notes]
    return _RecordText([*facts, *_note_hidden_bodies(context, span, asked.fields)], values)


def _find_limit_around(context: TraceContext, node: Node, view: RecordedSpan) -> list[str]:
    """The limit of tokens that the nearest span around a call was given, where none was recorded
    of the call itself."""
    if not view.is_model_call or view.request.token_limit is not None:
        return []
    above = node.parent
    for _ in range(_LEVELS_ABOVE):
        if above is None:
            break
        body = context.get_body(above.id)
        limit = RecordedSpan(body).request.token_limit if body is not None else None
        if limit is not None:
            who = f"{context.aliases.name_span(above.id)} {one_line(above.name, limit=60)}"
            return [f"around it: {who} was given a limit of {limit:,.0f} tokens"]
        above = above.parent
    return []


def _describe_trace(context: TraceContext, asked: _Asked, like: LikeError | None) -> _RecordText:
    trace = context.trace
    title = f"trace {one_line(trace.name or 'unnamed', limit=120)}"
    if asked.steps is not None:
        return _describe_value_at(trace, TRACE, [title], asked.steps)
    facts = [title, *format_recorded(trace), *format_error(trace, like)]
    values = [*_error_values(trace, TRACE, like), *_body_values(trace, TRACE, asked.fields)]
    return _RecordText(facts, values)


def trace_values(context: TraceContext) -> list[Value]:
    """The trace's own error, input, output and metadata, as far as it has them."""
    trace = context.trace
    fields = [name for name in BODIES if getattr(trace, name) is not None]
    return [*_error_values(trace, TRACE), *_body_values(trace, TRACE, fields)]


def _error_values(
    record: Span | Trace, reference: str, like: LikeError | None = None
) -> list[Value]:
    """The traceback, and the message where it is too long for the facts; of an error that another
    record has, only what differs."""
    error = effective_error(record)
    found = []
    if not error or (like and like.is_same):
        return []
    if error.message and len(error_message(error)) > MESSAGE_SHOWN:
        found.append(_make_value(reference, ("error", "message"), error.message))
    if error.traceback and not like:
        value = _make_value(reference, ("error", "traceback"), error.traceback)
        found.append(
            value.shorten(fold_stack(error.traceback), "marks and library frames left out")
        )
    return found


def _body_values(record: Span | Trace, reference: str, fields: Sequence[str]) -> list[Value]:
    """The bodies, without what is recorded twice in them or shown as a fact."""
    values = []
    offers_tools = isinstance(record, Span) and RecordedSpan(record).is_model_call
    for name in fields:
        body = getattr(record, name)
        value = _make_value(reference, (name,), body)
        if isinstance(body, dict | list):
            body = leave_out_repeats(
                name, body, has_usage=bool(record.usage), offers_tools=offers_tools
            )
            value = value.shorten(as_text(body), "empty and repeated parts left out", body)
        values.append(value)
    return values


def _describe_value_at(
    record: Span | Trace, reference: str, facts: list[str], steps: Sequence[Step]
) -> _RecordText:
    """The value at a path, or what the path leads to instead."""
    try:
        found = _select_recorded(record, steps)
    except ToolFailed as missing:
        return _RecordText([*facts, missing.message])
    return _RecordText(facts, [_make_value(reference, steps, found)])


def _select_recorded(record: Span | Trace, steps: Sequence[Step]) -> Any:
    """The value at a path into what was recorded or, as tables name them, into what is opened of
    it; raises ToolFailed, naming how far the path leads in what was recorded."""
    if steps[0] == "error":
        error = effective_error(record)
        return select_value(error.model_dump() if error else None, steps, start=1)
    field = str(steps[0])
    try:
        return select_value(getattr(record, field), steps, start=1)
    except ToolFailed:
        if isinstance(record, Span):
            with suppress(ToolFailed):
                return select_value(open_body(RecordedSpan(record), field), steps, start=1)
        raise


def _make_value(reference: str, steps: Sequence[Step], value: Any) -> Value:
    path = format_path(steps)
    whole = value if isinstance(value, dict | list) else None
    about = describe_value(value) if whole is not None else ""
    call = f'get_span_details(span_id="{reference}", path="{join_surrogates(path)}"'
    return Value(path, as_text(value), lambda offset: f"{call}, offset={offset})", about, whole)


def _note_hidden_bodies(context: TraceContext, span: Span, fields: Sequence[str]) -> list[str]:
    """Names bodies that were not requested, except those known to be empty."""
    read = context.find(span.id) if span.id in context.analysis.bodies else None
    left = [
        name
        for name in BODIES
        if name not in fields and (read is None or getattr(read, name) not in (None, "", {}, []))
    ]
    return [f"not shown: {', '.join(left)} (include_{left[0]}=true)"] if left else []
