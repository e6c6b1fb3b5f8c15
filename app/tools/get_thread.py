"""The tool that reads the thread of a trace: questions and answers before and after it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import anyio
from pydantic import Field

from app.agent.toolbox import tool
from app.analysis.baseline import compute_quantiles
from app.analysis.text.one_line import (
    format_count,
    format_duration,
    format_usd,
    list_first,
    one_line,
)
from app.analysis.user_question import find_answer, find_question
from app.errors import OpikAssistError
from app.opik.records import Thread, Trace
from app.tools.excerpts import share_characters
from app.tools.trace.bodies import plan_pages
from app.tools.trace.project import with_timezone
from app.tools.trace.trace_context import TraceContext
from app.tools.trace_facts import assign_trace_alias, format_start, format_trace_facts

SHOWN = 12  # turns of one tool result: with 8,000 characters each has a few lines of text
_BEFORE = 7  # of 12 turns, those before this trace: causes lie before it, reactions after it
_EARLIER = 200  # turns read before this trace where it is not among the newest of its thread
_RECORD_SECONDS = 3  # for the thread's own record, which adds only status and feedback
_NUMBERS_SHOWN = 12  # failed turns that are named, as many as one result shows
_SCORES_SHOWN = 4  # names of scores in the summary, a line each; few threads have more
_LONGEST_TEXT = 10_000  # characters: the backend cuts values there as well
_SHORTEST_TEXT = 60  # characters of a question or an answer shown, however many turns there are
_LABEL = len("\n  answered: ")
_START = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Thread:
    """The traces of a thread, oldest first; `here` is the place of the trace in question.

    `notes` state what could not be read; `gap` means that turns are missing after this one.
    """

    turns: Sequence[Trace]
    here: int
    notes: Sequence[str]
    gap: bool
    record: Thread | None


@tool(display=lambda *_, **__: "Reading the conversation that this trace is part of")
async def get_thread(
    context: TraceContext,
    offset: Annotated[
        int | None, Field(ge=0, description="Turns to skip; default: show those around this trace.")
    ] = None,
    turns: Annotated[
        int, Field(ge=1, le=SHOWN, description="Turns to show; fewer show more text of each.")
    ] = SHOWN,
) -> str:
    """Of a trace with a thread: what was asked and answered before and after it, with times,
    errors, scores and cost. Its traces get short names (t1)."""
    trace = context.trace
    if not trace.thread_id:
        return "This trace is not part of a thread: nothing was recorded before or after it."
    thread = await _read_thread(context)
    if len(thread.turns) == 1 and not thread.notes and not _has_feedback(thread):
        name = one_line(trace.thread_id, limit=80)
        return f"This trace is the only turn of its thread {name}: nothing came before or after it."
    first = thread.here - _BEFORE * turns // SHOWN if offset is None else offset
    first = max(0, min(first, len(thread.turns) - (turns if offset is None else 1)))
    shown = range(first, min(first + turns, len(thread.turns)))
    bodies = await _read_texts(context, thread, [thread.turns[place] for place in shown])
    head = [*_summarize_thread(context, thread), *thread.notes, ""]
    head.append(_format_position(thread, shown, turns))
    limit = context.limits.result_characters - sum(len(line) + 1 for line in head)
    return "\n".join([*head, *_format_turns(context, thread, shown, bodies=bodies, limit=limit)])


def _has_feedback(thread: _Thread) -> bool:
    return thread.record is not None and bool(thread.record.feedback_scores)


async def _read_thread(context: TraceContext) -> _Thread:
    project, trace = context.project, context.trace
    newest = await project.list_thread()
    found, notes = {each.id: each for each in newest.traces}, []
    if not newest.complete:
        notes.append(f"Only the newest {format_count(len(found), 'turn')} could be read.")
    gap = trace.id not in found and not newest.complete
    if gap:
        earlier = await project.list_thread(cursor=trace.id, enough=_EARLIER)
        found = {each.id: each for each in earlier.traces} | found
        notes.append("An unknown number of turns between this trace and the newest is missing.")
    found[trace.id] = trace
    turns = sorted(
        found.values(), key=lambda each: (with_timezone(each.start_time or _START), each.id)
    )
    here = next(place for place, each in enumerate(turns) if each.id == trace.id)
    record: Thread | None = None
    # The turns hold nearly all of it, so little is lost if the backend is slow or fails here.
    with anyio.move_on_after(_RECORD_SECONDS), suppress(OpikAssistError):
        record = await project.read_thread()
    return _Thread(turns, here, notes, gap, record)


async def _read_texts(
    context: TraceContext, thread: _Thread, shown: Sequence[Trace]
) -> Mapping[str, Trace]:
    """The turns with their truncated inputs and outputs, as far as they can be read."""
    trace = context.trace
    wanted = [each.id for each in shown if each.id != trace.id]
    read = {trace.id: trace}
    with suppress(OpikAssistError):  # what is missing is noted for each turn
        ids = [each.id for each in thread.turns]
        parts = [[id for id in ids if id <= trace.id], [id for id in ids if id > trace.id]]
        for part in parts if thread.gap else [ids]:
            for run in plan_pages(part, [id for id in wanted if id in part]):
                page = await context.project.read_thread_bodies(limit=run.limit, cursor=run.cursor)
                read |= {each.id: each for each in page if each.id in wanted}
    return read


def _summarize_thread(context: TraceContext, thread: _Thread) -> list[str]:
    """The thread as a whole, and the turns that stand out, by their numbers."""
    turns, record = thread.turns, thread.record
    name = one_line(context.trace.thread_id or "", limit=80)
    facts = [format_count(len(turns), "turn"), _format_period(turns)]
    tokens = sum(each.usage.get("total_tokens", 0) for each in turns)
    cost = sum(each.total_estimated_cost or 0 for each in turns)
    facts += [f"{tokens:,.0f} tokens"] if tokens else []
    facts += [format_usd(cost)] if cost else []
    facts += [one_line(record.status, limit=20)] if record and record.status else []
    lines = [f"Thread {name}: {', '.join(facts)}"]
    for score in record.feedback_scores[:_SCORES_SHOWN] if record else ():
        value = "no value" if score.value is None else f"{score.value:g}"
        lines.append(f"feedback on the whole thread: {one_line(score.name, limit=60)} {value}")
    times = compute_quantiles(each.duration for each in turns)
    if times and len(turns) > 1:
        slowest = max(range(len(turns)), key=lambda place: turns[place].duration or 0)
        longest = turns[slowest].duration or 0.0
        usual, longest_text = (format_duration(1_000 * ms) for ms in (times.p50, longest))
        lines.append(
            f"half of the turns took at most {usual}; slowest: turn {slowest + 1:,}, {longest_text}"
        )
    failed = [place for place, each in enumerate(turns) if each.has_error]
    if failed:
        lines.append(
            f"failed: {_format_turn_numbers(failed)};"
            f" first {assign_trace_alias(turns[failed[0]], context.aliases)}"
        )
    return [*lines, *_format_scores(turns)]


def _format_period(turns: Sequence[Trace]) -> str:
    """From the begin of the first turn to the end of the last, and how long that is."""
    begin, ends = turns[0].start_time, [each.end_time for each in turns if each.end_time]
    if begin is None or not ends:
        return f"{format_start(turns[0])} to {format_start(turns[-1])} UTC"
    end = max(map(with_timezone, ends))
    microseconds = (end - with_timezone(begin)).total_seconds() * 1e6
    return (
        f"{format_start(turns[0])} to {end:%Y-%m-%d %H:%M:%S} UTC, {format_duration(microseconds)}"
    )


def _format_scores(turns: Sequence[Trace]) -> list[str]:
    """The lowest and the highest score of each name, since either may be the good one."""
    kinds: dict[str, list[tuple[float, int]]] = {}
    for place, turn in enumerate(turns, 1):
        for score in turn.feedback_scores:
            if score.value is not None:
                kinds.setdefault(score.name, []).append((score.value, place))
    lines = []
    for name, values in list(kinds.items())[:_SCORES_SHOWN]:
        (lowest, at), (highest, where) = min(values), max(values)
        line = f"feedback {one_line(name, limit=40)}: {lowest:g} in turn {at:,}"
        lines.append(line if lowest == highest else f"{line}, up to {highest:g} in turn {where:,}")
    return lines


def _format_turn_numbers(places: Sequence[int]) -> str:
    shown = [f"{place + 1:,}" for place in places[:_NUMBERS_SHOWN]]
    return f"{'turn' if len(places) == 1 else 'turns'} {list_first(shown, len(places))}"


def _format_position(thread: _Thread, shown: range, turns: int) -> str:
    """Which turns follow, and the calls that show others."""
    count, first, end = len(thread.turns), shown.start, shown.stop
    where = f"Turns {first + 1:,} to {end:,} of {count:,}; this trace is {thread.here + 1:,}"
    more = "" if turns == SHOWN else f", turns={turns}"
    calls = []
    if first > 0:
        calls.append(f"before: get_thread(offset={max(0, first - turns)}{more})")
    if end < count:
        calls.append(f"after: get_thread(offset={end}{more})")
        calls.append(f"newest: get_thread(offset={max(0, count - turns)}{more})")
    return "; ".join([where, *calls])


def _format_turns(
    context: TraceContext, thread: _Thread, shown: range, *, bodies: Mapping[str, Trace], limit: int
) -> list[str]:
    """The turns one by one, with as much of their texts as fits."""
    heads = [_format_turn_head(context, thread, place) for place in shown]
    texts_of_turn = [_find_texts(bodies.get(thread.turns[place].id)) for place in shown]
    texts = [text for each in texts_of_turn if each for text in each]
    limit -= sum(len(each) + 1 for each in heads) + _LABEL * len(texts)
    limits = iter(share_characters([len(text) for text in texts], limit))
    return [
        f"{head}{_format_texts(each, limits)}"
        for head, each in zip(heads, texts_of_turn, strict=True)
    ]


def _format_turn_head(context: TraceContext, thread: _Thread, place: int) -> str:
    turn = thread.turns[place]
    this = ", THIS TRACE" if place == thread.here else ""
    name = one_line(turn.name or "unnamed", limit=40)
    alias = assign_trace_alias(turn, context.aliases)
    return (
        f"{alias} turn {place + 1:,}{this} {format_start(turn)} {name}: {format_trace_facts(turn)}"
    )


def _find_texts(body: Trace | None) -> tuple[str, str] | None:
    """Question and answer; None where they could not be read."""
    if body is None:
        return None
    question = find_question(body.input, limit=_LONGEST_TEXT)
    return question, find_answer(body.output, limit=_LONGEST_TEXT)


def _format_texts(texts_of_turn: tuple[str, str] | None, limits: Iterator[int]) -> str:
    """The texts on a line each, each within the next of the limits."""
    if texts_of_turn is None:
        return "\n  its input and output could not be read"
    cut = (one_line(text, limit=max(_SHORTEST_TEXT, next(limits))) for text in texts_of_turn)
    texts = [each or "nothing recorded" for each in cut]
    return f"\n  asked: {texts[0]}\n  answered: {texts[1]}"
