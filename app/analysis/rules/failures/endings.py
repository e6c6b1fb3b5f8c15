"""Spans that never ended, and low feedback scores."""

from collections.abc import Iterator, Mapping
from statistics import median

from app.analysis.finding import Category, Finding, Standing, build_finding
from app.analysis.rules.answer_writer import find_answer_writer, find_last_result
from app.analysis.rules.scores import is_bad_score, is_harm_score
from app.analysis.text.one_line import format_count, format_duration, one_line
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node
from app.opik.records import FeedbackScore

_NEVER_ENDED = 0.9  # confidence: the trace or its parent ended without it
_MAY_STILL_RUN = 0.6  # confidence: nothing around it has ended either
_SPAN_SCORE = 0.8  # confidence: it locates the fault
_TRACE_SCORE = 0.75  # confidence: it does not
_FEW_SCORES = 3  # spans with a score from which their median is taken as normal


def find_unfinished_spans(analysis: TraceAnalysis) -> Iterator[Finding]:
    """The deepest spans that never ended; those above them wait for them.

    Where the trace has not ended and waits for a call of a model or a tool, it may still be
    running: a note. Where it waits for nothing that takes long, the program was probably stopped.
    """
    waiting = [node for node in analysis.tree.nodes if not node.finished]
    inner = [node for node in waiting if all(child.finished for child in node.children)]
    if not inner:
        return
    trace_ended = analysis.trace.end_time is not None
    left = [node for node in inner if trace_ended or any(up.finished for up in node.path())]
    inner = left or inner
    inner.sort(key=lambda node: (-node.depth, -node.start, node.index))
    first = inner[0]
    since = analysis.tree.end - first.start
    around = [node for node in first.path()[:-1] if node.finished and node.end >= first.start]
    end = "the trace ended without it" if trace_ended else "the trace has not ended either"
    if around:
        after = format_duration(around[-1].end - first.start)
        end = f"{around[-1].title} ended without it, {after} after its start"
    elif left and not trace_ended:
        end = "a span above it ended without it"
    may_run = not left and first.view.calls_outside
    more = f" and {format_count(len(inner) - 1, 'other span')}" if len(inner) > 1 else ""
    sentence = (
        f"{first.title}{more} started and never ended; {end}"
        f" (started {format_duration(since)} before the last recorded time)."
    )
    yield build_finding(
        Category.UNFINISHED,
        _NEVER_ENDED if left else _MAY_STILL_RUN,
        sentence,
        [*inner, *waiting, *around[-1:]],
        {"unfinished": len(waiting), "since_ms": since / 1_000},
        standing=Standing.NOTE if may_run else Standing.FINDING,
    )


def find_low_scores(analysis: TraceAnalysis) -> Iterator[Finding]:
    """Bad feedback on the trace or its spans, with the scorer's reason."""
    judged: list[tuple[Node | None, FeedbackScore]] = [
        (None, score) for score in analysis.trace.feedback_scores
    ]
    judged += [(node, score) for node in analysis.tree.nodes for score in node.span.feedback_scores]
    usual = _median_scores(judged)
    for node, score in judged:
        if is_bad_score(score) and not (node and _is_usual(score, usual)):
            yield _build_score_finding(node, score, analysis)


def _is_usual(score: FeedbackScore, usual: Mapping[str, float]) -> bool:
    """Whether most spans were scored as badly."""
    if score.name not in usual or score.value is None:
        return False
    if is_harm_score(score):
        return usual[score.name] >= score.value
    return usual[score.name] <= score.value


def _median_scores(judged: list[tuple[Node | None, FeedbackScore]]) -> Mapping[str, float]:
    """The median of each score over spans, where several spans have it: low is normal there."""
    values: dict[str, list[float]] = {}
    for node, score in judged:
        if node is not None and score.value is not None:
            values.setdefault(score.name, []).append(score.value)
    return {name: median(found) for name, found in values.items() if len(found) >= _FEW_SCORES}


def _build_score_finding(
    node: Node | None, score: FeedbackScore, analysis: TraceAnalysis
) -> Finding:
    reason = f": “{one_line(score.reason, limit=160)}”" if score.reason else ""
    value = "" if score.value is None else f" {score.value:g}"
    value += f" ({one_line(score.category_name, limit=30)})" if score.category_name else ""
    subject = f"The span {node.title}" if node else "The trace"
    sentence = f"{subject} was scored {one_line(score.name, limit=60)}{value}{reason}."
    numbers = {} if score.value is None else {"score": score.value}
    if node:
        return build_finding(Category.LOW_SCORE, _SPAN_SCORE, sentence, [node], numbers)
    sentence, nodes = _add_answer_writer(sentence, analysis)
    return build_finding(Category.LOW_SCORE, _TRACE_SCORE, sentence, nodes, numbers)


def _add_answer_writer(sentence: str, analysis: TraceAnalysis) -> tuple[str, list[Node]]:
    """The sentence with where to look first: who wrote the answer, and from which result."""
    roots = list(analysis.tree.roots) if len(analysis.tree.roots) == 1 else []
    writer = analysis.once(find_answer_writer)
    if writer is None:
        return sentence, roots
    read = find_last_result(writer, analysis)
    after = f", after {read[0].title}" if read else ""
    wrote = f" {writer.title} wrote the last answer{after}."
    return sentence + wrote, [writer, *read[:1], *roots]
