"""Iterations that ran one after another although none needed the result of the one before."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise, repeat
from statistics import median
from typing import Any

from app.analysis.finding import Category, Finding, Standing, build_finding
from app.analysis.recorded.body import Body, spell_canonical
from app.analysis.recorded.names import has_word, match_names, name_stem, split_words
from app.analysis.recorded.spellings import key_set, plain_members, word_set
from app.analysis.rules.repeated_work.comparable_calls import continues_text
from app.analysis.rules.repeated_work.needless_rounds import list_rounds_of_drafts
from app.analysis.text.one_line import format_duration, format_percent, list_first, one_line
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

_NAMES_SHOWN = 2  # of steps of one place whose names differ
_LEAST_ITERATIONS = 4  # with fewer there is little to gain and order is often intended
_LEAST_OF_LOOP = 3  # the same of a loop that states how many it may run at once
_MANY_ITERATIONS = 6  # from here on they are a loop over items rather than a few steps
_MOST_STEPS = 4  # calls in one iteration that no span encloses (read, ask, store)
_LEAST_SHARE = 0.33  # of the trace, saved in parallel: a third is worth changing the program
_LARGE_SHARE = 0.5  # saved: else the trace waits for something else as well
_LEAST_SAVING = 4_000_000  # microseconds (4 s): less is not worth another order of the program
_LARGE_SAVING = 10_000_000  # microseconds (10 s): longer than a person just waits
_MOST_SHARE = 0.66  # saved: two thirds, so that hardly anything else takes time
_WRITING_SAVING = 5_000_000  # microseconds (5 s): enough where hardly anything else takes time
_LENGTH_OF_WRITING = 2_000_000  # microseconds (2 s): a model wrote something, no label
_LENGTH_OF_TASK = 1_000_000  # microseconds (1 s): batches of quicker model calls are usual
_LEAST_LENGTH = 100_000  # microseconds (0.1 s) of an iteration; shorter ones gain little
_LEAST_PAIRS = 3  # neighbours whose bodies were read; fewer may be independent by chance
_MOST_FAILED = 0.1  # share of iterations that may have failed: more are attempts, not items
_LEAST_CALLING = 0.9  # share of iterations with a call of a tool or model: others cost nothing
_LEAST_INSIDE = 2  # steps inside a span that tell its kind: many hold a single model call
_INSIDE_READ = 40  # spans read below one step; an iteration that holds more is a program
_LINK_LENGTH = 24  # characters of a text that, in a later input, show that it was used
_HEAD = 4  # letters at the beginning of a text: most texts are left out by them
_SHORTEST_LINK = 6  # characters: shorter words occur by chance
_SAME_TEMPLATE = 12  # characters with which prompts of one loop begin alike
_MOST_SIBLINGS = 500  # looked at for one that ran at the same time
_SMALL = 3  # spans of an iteration that is one step: the span itself and two calls in it
_TASK = 9  # spans of an iteration that is a task of its own, as a queue of tickets has them
_OVERLAP = 0.5  # of the run beside another branch: the program works in parallel already
_BASE = 0.6  # confidence: inputs do not prove that the order is not needed, so it is never certain
_BY_SIZE = 0.1  # added by many iterations, and by a large share of the trace that is saved
_AT_ONCE = key_set(
    "concurrency max_concurrency concurrency_limit max_concurrent num_workers max_workers workers"
    " parallelism max_parallel max_parallelism degree_of_parallelism max_degree_of_parallelism"
)
"""Settings of loops that say how many iterations run at once (Mastra, LangChain, LlamaIndex)."""
_IN_ORDER = word_set(
    "save write insert update delete send post append commit publish step steps stage turn"
    " iterate iteration cycle wait pause throttle backoff migrate deploy phase round attempt retry"
    " poll"
    " upsert create apply store upload sleep"
)
"""Words of names that suggest a change or a step, which may need their order."""
_names_items = match_names(r"for ?each\b|map\b|each ?item|per ?item|split ?in ?batches")
"""Whether a loop is over items by its name: its rounds need no order (Mastra, Dify, n8n, AWS)."""
_CURSORS = key_set(
    "next next_page next_cursor cursor next_offset continuation continuation_token page_token"
    " next_page_token end_cursor after next_token last_id last_key scroll_id marker next_link"
)
_TEXT_END = re.compile(r"[\n\"\\]")

Iteration = Sequence[Node]


def find_serial_calls(analysis: TraceAnalysis) -> Iterator[Finding]:
    """Independent iterations of one kind, one after another: single calls, spans that enclose
    calls, and a few calls in a fixed order. Drafts of one thing are none."""
    rounds = analysis.once(list_rounds_of_drafts)
    reported = {step.id for each in rounds for step in each.steps}
    for children in analysis.tree.sibling_groups():
        parent = children[0].parent if children else None
        least = _LEAST_OF_LOOP if _runs_one_at_once(parent) else _LEAST_ITERATIONS
        if len(children) < least:
            continue
        if parent is not None and parent.id in reported:
            reported.update(child.id for child in children)
            continue
        for run in _find_runs(children, least):
            drafts = any(node.id in reported for node in run[0])
            finding = None if drafts else _judge_run(run, analysis)
            if finding is not None:
                reported.update(node.id for iteration in run for node in iteration)
                yield finding


def _runs_one_at_once(node: Node | None) -> bool:
    """Whether a span is a loop that is set to run one iteration after another."""
    metadata = node.span.metadata if node is not None else None
    return isinstance(metadata, dict) and any(
        value in (1, "1") and key in _AT_ONCE for key, value in plain_members(metadata)
    )


def _find_runs(children: Sequence[Node], least: int) -> Iterator[list[Iteration]]:
    """Longest runs of iterations of one to four steps, none of which overlaps another."""
    stems = _list_kinds(children, least)
    if max(Counter(stems).values()) < least:
        return
    used = [False] * len(children)
    for period in range(1, _MOST_STEPS + 1):
        start = 0
        for i in range(1, len(children) + 1):
            if i < len(children) and _continues_run(children, stems, start, i, period):
                continue
            rounds = (i - start) // period
            end = start + rounds * period
            enough = rounds >= least and not any(used[start:end])
            if enough and len(set(stems[start : start + period])) == period:
                used[start:end] = [True] * (end - start)
                yield [children[at : at + period] for at in range(start, end, period)]
            start = max(start + 1, i - period + 1) if period > 1 else i


def _list_kinds(children: Sequence[Node], least: int) -> list[str]:
    """What the iterations of a loop have in common: the name; of spans named after their items
    (`field.north`, `field.hill`) its first word with the steps inside."""
    stems = [name_stem(child.name) for child in children]
    counts = Counter(stems)
    return [
        _describe_inside(child) or stem if counts[stem] < least else stem
        for child, stem in zip(children, stems, strict=True)
    ]


def _describe_inside(node: Node) -> str:
    if len(node.children) < _LEAST_INSIDE:
        return ""
    first = next(iter(split_words(node.name)), "")
    return " ".join([first, *(name_stem(child.name) for child in node.children[:_INSIDE_READ])])


def _continues_run(
    children: Sequence[Node], stems: Sequence[str], start: int, i: int, period: int
) -> bool:
    if children[i].start < children[i - 1].end:
        return False
    return i - start < period or stems[i] == stems[i - period]


def _judge_run(run: Sequence[Iteration], analysis: TraceAnalysis) -> Finding | None:
    nodes = [node for iteration in run for node in iteration]
    lengths = [iteration[-1].end - iteration[0].start for iteration in run]
    saved = sum(lengths) - max(lengths)
    share = saved / max(1, analysis.profile.duration)
    if saved < _LEAST_SAVING or share < _LEAST_SHARE or median(lengths) < _LEAST_LENGTH:
        return None
    parent = run[0][0].parent
    by_setting = _runs_one_at_once(parent)
    of_items = parent is not None and _names_items(parent.name)
    if not by_setting and not of_items and any(has_word(node.name, _IN_ORDER) for node in run[0]):
        return None
    if not _are_independent(run, analysis) or _ran_beside_others(nodes):
        return None
    return _build_serial_finding(run, sum(lengths), saved, analysis)


def _are_independent(run: Sequence[Iteration], analysis: TraceAnalysis) -> bool:
    """Whether the iterations call something, with different inputs, and no input holds a result of
    the iteration before. False where too little was read to tell."""
    failed = sum(any(node.error is not None for node in iteration) for iteration in run)
    inside = [_spans_of(iteration, analysis) for iteration in run]
    calling = sum(any(node.view.calls_outside for node in spans) for spans in inside)
    if failed > _MOST_FAILED * len(run) or calling < _LEAST_CALLING * len(run):
        return False
    read = [_was_read(iteration, analysis) for iteration in run]
    if sum(a and b for a, b in pairwise(read)) < min(_LEAST_PAIRS, len(run) - 1):
        return False
    if _has_equal_inputs([each for each, is_read in zip(run, read, strict=True) if is_read]):
        return False
    return not any(
        read[i]
        and read[i + 1]
        and (
            _feeds(*inside[i : i + 2])
            or not _alike(*run[i : i + 2])
            or _continues_conversation(*inside[i : i + 2])
        )
        for i in range(len(run) - 1)
    )


def _has_equal_inputs(run: Sequence[Iteration]) -> bool:
    begins = {tuple(node.view.input.fingerprint for node in iteration) for iteration in run}
    if len(begins) == len(run):
        return False
    return len({tuple(node.view.input.canonical for node in each) for each in run}) < len(run)


def _spans_of(iteration: Iteration, analysis: TraceAnalysis) -> list[Node]:
    """The steps of an iteration and the spans inside them."""
    return [below for node in iteration for below in analysis.tree.below(node)[:_INSIDE_READ]]


def _was_read(iteration: Iteration, analysis: TraceAnalysis) -> bool:
    """Whether the inputs of the steps are known as a whole."""
    return all(analysis.was_read(node) and node.view.input.is_comparable for node in iteration)


def _alike(before: Iteration, after: Iteration) -> bool:
    """Whether model calls use the same template: prompts that begin otherwise are other work."""
    for a, b in zip(before, after, strict=True):
        if not (a.view.is_model_call and b.view.is_model_call):
            continue
        first, second = a.view.request.messages[:1], b.view.request.messages[:1]
        if not first or not second:
            continue
        if first[0].text[:_SAME_TEMPLATE] != second[0].text[:_SAME_TEMPLATE]:
            return False
    return True


def _continues_conversation(before: Sequence[Node], after: Sequence[Node]) -> bool:
    """Whether the first request to a model goes on where that of the iteration before ended."""
    first, second = (
        next((node for node in nodes if node.view.is_model_call), None) for nodes in (before, after)
    )
    if first is None or second is None:
        return False
    given, later = first.view.input, second.view.input
    return given.may_equal_uncounted(later) and (
        given.uncounted != later.uncounted and continues_text(given.uncounted, later.uncounted)
    )


def _feeds(before: Sequence[Node], after: Sequence[Node]) -> bool:
    """Whether a result of some spans stands in the inputs of later ones, or that is unknown."""
    if any(node.view.input.is_cut for spans in (before, after) for node in spans):
        return True
    results = (each for node in before for each in _read_result(node.view.output))
    linking = [each for each in results if _may_link(*each)]
    if not linking:
        return False
    own, later = map(_join_inputs, (before, after))
    return any(link in later and link not in own for link in _links_of(linking, later))


def _join_inputs(nodes: Sequence[Node]) -> str:
    return "\n".join(node.view.input.canonical for node in nodes)


def _read_result(output: Body) -> Iterable[tuple[str, Any]]:
    """The first 40 values; with their keys where one may be a cursor."""
    if output.may_have_key(_CURSORS):
        return ((leaf.key, leaf.value) for leaf in output.first_leaves)
    return zip(repeat(""), output.first_values, strict=False)


def _may_link(key: str, value: Any) -> bool:
    """Whether a value shows that it was used where it stands in a later input."""
    if isinstance(value, str):
        return len(value) >= _SHORTEST_LINK or key in _CURSORS
    return key in _CURSORS and isinstance(value, int)


def _links_of(results: Iterable[tuple[str, Any]], later: str) -> Iterator[str]:
    """Beginnings of texts, and cursors, as they would stand in `later`; texts whose first letters
    do not stand there are left out."""
    for key, value in results:
        if isinstance(value, str):
            head = value[:_HEAD]
            if head.isalnum() and head.casefold() not in later:
                continue
            start = _TEXT_END.split(value.strip()[:200], maxsplit=1)[0]
            link = spell_canonical(start)[:_LINK_LENGTH]
            if len(link) >= _SHORTEST_LINK or (link and key in _CURSORS):
                yield link
        elif value:
            yield f": {value}"


def _ran_beside_others(nodes: Sequence[Node]) -> bool:
    """Whether a branch of the same kind ran at the same time: the program is parallel there."""
    start, end = nodes[0].start, nodes[-1].end
    for step in nodes[0].path()[:-1]:
        if step.parent is None:
            continue
        stem = name_stem(step.name)
        for other in step.parent.children[:_MOST_SIBLINGS]:
            shared = min(end, other.end) - max(start, other.start)
            beside = other is not step and shared >= _OVERLAP * (end - start)
            if beside and name_stem(other.name) == stem:
                return True
    return False


def _name_steps(nodes: Sequence[Node]) -> str:
    stems = list(dict.fromkeys(one_line(name_stem(node.name), limit=60) for node in nodes))
    return list_first(stems[:_NAMES_SHOWN], len(stems))


def _build_serial_finding(
    run: Sequence[Iteration], spent: int, saved: int, analysis: TraceAnalysis
) -> Finding:
    steps = " → ".join(_name_steps(nodes) for nodes in zip(*run, strict=False))
    known = sum(_was_read(iteration, analysis) for iteration in run)
    read = "" if known == len(run) else f" (read: {known} of them)"
    noun = "calls" if all(node.size == 1 for node in run[0]) else "iterations"
    sentence = (
        f"{len(run)} {noun} of {steps} ran one after another for {format_duration(spent)},"
        f" though no input holds a result of the one before{read}; in parallel they could"
        f" save up to {format_duration(saved)},"
        f" {format_percent(saved, analysis.profile.duration)} of the trace."
    )
    numbers = {"calls": len(run), "spent_ms": spent / 1_000, "saved_ms": saved / 1_000}
    large = saved >= _LARGE_SHARE * analysis.profile.duration
    parent = run[0][0].parent
    first = [node for iteration in run[:2] for node in iteration]
    nodes = [*first, *([parent] if parent else []), *(node for each in run for node in each)]
    return build_finding(
        Category.SERIAL_CALLS,
        _BASE + _BY_SIZE * (len(run) >= _MANY_ITERATIONS) + _BY_SIZE * large,
        sentence,
        nodes,
        numbers,
        standing=Standing.FINDING if _is_costly(run, saved, analysis) else Standing.NOTE,
    )


def _is_costly(run: Sequence[Iteration], saved: int, analysis: TraceAnalysis) -> bool:
    """Whether somebody waits long for iterations that no program has to do in order. Calls of tools
    alone gain from a few seconds; what asks a model is often worked off in order by design."""
    large = saved >= _LARGE_SHARE * analysis.profile.duration
    if _runs_one_at_once(run[0][0].parent):
        return large
    if _is_batch(run):
        return False
    if not any(node.view.is_model_call for node in _spans_of(run[0], analysis)):
        return large or len(run) >= _MANY_ITERATIONS
    length = median(iteration[-1].end - iteration[0].start for iteration in run)
    if saved >= _LARGE_SAVING:
        return large and length >= _LENGTH_OF_TASK
    most = saved >= _MOST_SHARE * analysis.profile.duration
    return most and saved >= _WRITING_SAVING and length >= _LENGTH_OF_WRITING


def _is_batch(run: Sequence[Iteration]) -> bool:
    """Whether the iterations are tasks of their own that the program works off in order by design:
    large ones, or the first level of the trace."""
    size = median(sum(node.size for node in iteration) for iteration in run)
    parent = run[0][0].parent
    at_top = parent is None or parent.parent is None
    return size >= _TASK or (size > _SMALL and at_top)
