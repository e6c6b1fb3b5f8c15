"""Spans that never ended, failed guardrails, and low feedback scores."""

import re
from collections.abc import Iterator, Mapping
from statistics import median
from typing import Any

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.json_values import innermost_key, iterate_leaves, word_set
from app.analysis.text.one_line import format_count, format_duration, one_line
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node
from app.opik.records import FeedbackScore

_RECORDED_CHECK = 0.9  # confidence: a plain fact
_CHECK_IN_OUTPUT = 0.85  # confidence: read from an output by its keys
_SPAN_SCORE = 0.8  # confidence: it locates the fault
_TRACE_SCORE = 0.75  # confidence: it does not
_LOW_SCORE = 0.35  # of scores from 0 to 1: clearly below the middle, as 0.5 is often "undecided".
_FEW_SCORES = 3  # spans with a score from which their median is taken as normal
_LOWER_IS_BETTER = re.compile(
    r"hallucinat|toxic|bias|harm|error|risk|pii|leak|perplex|distance|latency|cost|duration"
    r"|offens|profan|jailbreak|injection|refus|moderat|violat|wer$|loss|tokens?|count|length",
    re.IGNORECASE,
)
_PROBABILITY_OF_HARM = re.compile(
    r"hallucinat|toxic|bias|harm|leak|jailbreak|injection|violat", re.I
)
_BAD_CATEGORIES = word_set("bad poor fail failed incorrect wrong negative")
_FAILED_WORDS = word_set("failed fail blocked flagged rejected violation")
_PASS_KEYS = word_set("passed pass valid is_valid safe is_safe allowed")
_FAIL_KEYS = word_set("failed flagged blocked violated triggered")
_VERDICT_KEYS = word_set("result validation_result status verdict outcome")


def find_unfinished_spans(analysis: TraceAnalysis) -> Iterator[Finding]:
    """The deepest spans that never ended; those above them wait for them."""
    waiting = [node for node in analysis.tree.nodes if not node.finished]
    inner = [node for node in waiting if all(child.finished for child in node.children)]
    if not inner:
        return
    inner.sort(key=lambda node: (-node.depth, -node.start, node.index))
    first = inner[0]
    since = analysis.tree.end - first.start
    over = analysis.trace.end_time is not None
    end = "the trace ended without it" if over else "the trace has not ended either"
    more = f" and {format_count(len(inner) - 1, 'other span')}" if len(inner) > 1 else ""
    sentence = (
        f"{one_line(first.name, limit=60)}{more} started and never ended; {end}"
        f" (started {format_duration(since)} before the last recorded time)."
    )
    # A root without an end in a trace without an end may just be running still.
    confidence = 0.9 if over or first.parent is not None else 0.6
    numbers = {"unfinished": len(waiting), "since_ms": since / 1_000}
    yield build_finding(Category.UNFINISHED, confidence, sentence, [*inner, *waiting], numbers)


def find_failed_guardrails(analysis: TraceAnalysis) -> Iterator[Finding]:
    """Failed checks of the trace record, and guardrail spans whose output is a refusal."""
    reported: set[str] = set()
    for validation in analysis.trace.guardrails_validations:
        failed = [c for c in validation.checks if (c.result or "").lower() in _FAILED_WORDS]
        if not failed:
            continue
        names = ", ".join(one_line(check.name or "unnamed", limit=40) for check in failed[:5])
        checked = analysis.tree.by_id.get(validation.span_id or "")
        nodes = [checked] if checked else []
        reported.update(node.id for node in nodes)
        where = f" at {one_line(checked.name, limit=60)}" if checked else ""
        sentence = f"The guardrail {names} failed{where}."
        yield build_finding(Category.GUARDRAIL, _RECORDED_CHECK, sentence, nodes)
    for node in analysis.tree.nodes:
        if node.span.type == "guardrail" and node.id not in reported and analysis.was_read(node):
            verdict = _find_refusal(node.span.output)
            if verdict:
                name = one_line(node.name, limit=60)
                sentence = f"The guardrail {name} refused ({one_line(verdict, limit=80)})."
                yield build_finding(Category.GUARDRAIL, _CHECK_IN_OUTPUT, sentence, [node])


def _find_refusal(output: Any) -> str:
    for path, leaf in iterate_leaves(output, most=200):
        key = innermost_key(path)
        if (key in _PASS_KEYS and leaf is False) or (key in _FAIL_KEYS and leaf is True):
            return f"{key}: {str(leaf).lower()}"
        if key in _VERDICT_KEYS and isinstance(leaf, str) and leaf.lower() in _FAILED_WORDS:
            return f"{key}: {leaf}"
    return ""


def find_low_scores(analysis: TraceAnalysis) -> Iterator[Finding]:
    """Bad feedback on the trace or its spans, with the scorer's reason."""
    judged: list[tuple[Node | None, FeedbackScore]] = [
        (None, score) for score in analysis.trace.feedback_scores
    ]
    for scored in analysis.tree.nodes:
        judged.extend((scored, score) for score in scored.span.feedback_scores)
    usual = _median_scores(judged)
    for node, score in judged:
        if not _is_bad(score) or (node and usual.get(score.name, 1.0) <= (score.value or 0.0)):
            continue
        yield _build_score_finding(node, score, analysis)


def _median_scores(judged: list[tuple[Node | None, FeedbackScore]]) -> Mapping[str, float]:
    """The median of each score over spans, where several spans have it: low is normal there."""
    values: dict[str, list[float]] = {}
    for node, score in judged:
        if node is not None and score.value is not None:
            values.setdefault(score.name, []).append(score.value)
    return {name: median(found) for name, found in values.items() if len(found) >= _FEW_SCORES}


def _is_bad(score: FeedbackScore) -> bool:
    if (score.category_name or "").lower() in _BAD_CATEGORIES:
        return True
    if score.value is None or not 0 <= score.value <= 1:
        return False
    if _LOWER_IS_BETTER.search(score.name):
        return bool(_PROBABILITY_OF_HARM.search(score.name)) and score.value >= 1 - _LOW_SCORE
    return score.value <= _LOW_SCORE


def _build_score_finding(
    node: Node | None, score: FeedbackScore, analysis: TraceAnalysis
) -> Finding:
    reason = f": “{one_line(score.reason, limit=160)}”" if score.reason else ""
    value = "" if score.value is None else f" {score.value:g}"
    value += f" ({one_line(score.category_name, limit=30)})" if score.category_name else ""
    subject = f"The span {one_line(node.name, limit=60)}" if node else "The trace"
    sentence = f"{subject} was scored {one_line(score.name, limit=60)}{value}{reason}."
    numbers = {} if score.value is None else {"score": score.value}
    confidence = _SPAN_SCORE if node else _TRACE_SCORE
    nodes = [node] if node else analysis.tree.roots[-1:]
    return build_finding(Category.LOW_SCORE, confidence, sentence, nodes, numbers)
