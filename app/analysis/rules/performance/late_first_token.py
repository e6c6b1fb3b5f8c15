"""Streamed calls whose first token came late."""

from collections.abc import Iterator, Sequence
from statistics import median

from app.analysis.finding import Category, Finding, Standing, build_finding
from app.analysis.rules.performance.model_speed import explain_first_token_seconds
from app.analysis.text.one_line import format_duration, format_percent
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

_LEAST_SHARE_OF_CALL = 0.5  # a call that took longer to write than to begin is not this
_LEAST_SHARE_OF_TRACE = 0.25  # a quarter of the trace is worth a look
_SHARE_BEYOND_PEERS = 0.1  # the same for a wait far beyond those of other calls
_FAR_BEYOND_PEERS = 5.0  # times the median wait of the others of its name
_CLEAR_SHARE_OF_TRACE = 0.5  # more than all the rest: what a user noticed of the trace
_CLEAR_EXCESS = 1.5  # times what tokens explain; below it a busy hour is enough
_SURE_WAIT = 5_000_000  # microseconds: busy providers let people wait for less on any day
_FEW_PEERS = 2  # other streamed calls of its name that tell what is usual
_BEYOND_PEERS = 2.0  # times their median: waits of healthy calls differ by less
_CLEAR = 0.85  # confidence: the wait was measured, no tokens explain it, it is most of the trace
_LIKELY = 0.65  # confidence of a smaller share or excess


def find_slow_first_tokens(analysis: TraceAnalysis) -> Iterator[Finding]:
    """Calls on the critical path that waited for their first token for a large part of the trace,
    longer than prompt, reasoning, and the other calls of their name explain."""
    whole = max(1, analysis.profile.duration)
    for span_id in analysis.profile.first_token:
        node = analysis.tree.by_id[span_id]
        waited = _waited_microseconds(node)
        if waited < _SHARE_BEYOND_PEERS * whole or node.id not in analysis.profile.on_path:
            continue
        if not _LEAST_SHARE_OF_CALL * node.duration <= waited <= node.duration:
            continue
        usual = _median_of_others(node, analysis.peers_of(node))
        is_odd = 0 < _FAR_BEYOND_PEERS * usual <= waited
        explained = 1e6 * explain_first_token_seconds(node.view)
        if waited <= explained or not (is_odd or waited >= _LEAST_SHARE_OF_TRACE * whole):
            continue
        is_most = waited >= _CLEAR_SHARE_OF_TRACE * whole
        clear = waited >= _CLEAR_EXCESS * explained and (is_most or is_odd)
        yield _build_finding(node, waited, usual, analysis, confidence=_CLEAR if clear else _LIKELY)


def _waited_microseconds(node: Node) -> float:
    """Zero where it is not known."""
    if not node.finished or not node.view.is_model_call:
        return 0.0
    return 1_000 * (node.view.first_token or 0.0)


def _build_finding(
    node: Node, waited: float, usual: float, analysis: TraceAnalysis, *, confidence: float
) -> Finding:
    compared = (
        f"; the median of the others of its name is {format_duration(usual)}" if usual else ""
    )
    sentence = (
        f"{node.title} waited {format_duration(waited)} for its first token, of"
        f" {format_duration(node.duration)} that it took;"
        f" {format_percent(waited, analysis.profile.duration)} of the trace{compared}."
    )
    standing = Standing.FINDING if waited >= _SURE_WAIT else Standing.WEAK
    if 0 < waited < _BEYOND_PEERS * usual:
        standing = Standing.NOTE
    return build_finding(
        Category.SLOW_STREAM_START,
        confidence,
        sentence,
        [node],
        {"first_token_ms": waited / 1_000, "call_ms": node.duration / 1_000},
        standing=standing,
    )


def _median_of_others(node: Node, peers: Sequence[Node]) -> float:
    """Microseconds, zero for too few others with a known wait."""
    known = [_waited_microseconds(peer) for peer in peers if peer is not node]
    known = [waited for waited in known if waited > 0]
    return median(known) if len(known) >= _FEW_PEERS else 0.0
