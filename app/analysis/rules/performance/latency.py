"""Calls slower than others of the same name."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median

from app.analysis.finding import Category, Finding, Standing, build_finding
from app.analysis.rules.performance.model_speed import explain_seconds
from app.analysis.rules.performance.set_duration import lasts_as_set
from app.analysis.text.one_line import format_duration, format_percent, format_ratio
from app.analysis.trace_analysis import PeerKey, TraceAnalysis, peer_key
from app.analysis.tree import Node

_FEW_PEERS = 3  # calls needed for a median that one slow call does not move
_MOST_SLOW = 20  # outliers examined of one name; a finding names the worst
_LEAST_RATIO = 4.0  # times the median. Calls over a network often differ by two or three times.
_RATIO_OF_FEW = 8.0  # the same for fewer than `_MANY_PEERS` calls, whose spread is hardly known
_LARGE_RATIO = 8.0  # times the median that makes a slow call beyond doubt
_MANY_PEERS = 5  # calls from which the spread is taken as known
_LEAST_DEVIATIONS = 5.0  # robust standard deviations above the median logarithm: far beyond chance
_FEW_DEVIATIONS = 3.0  # the same for a call that also has a `_LARGE_GAP` to the next slowest one
_GAP = 1.5  # times the next slowest call: without a gap it is the end of a wide spread
_LARGE_GAP = 3.0  # times the next slowest call: so far apart that the call stands alone
_PEERS_BY_OUTLIER = 10  # of more than one in ten slow calls none is an exception
_MOST_OF_IT = 0.5  # share of the excess that a span below must cover to be the one that is slow
_LEAST_EXCESS = 10_000  # microseconds over the median (10 ms): below that scheduling explains it
_LEAST_SHARE = 0.01  # share of the trace that the excess must take, below `_SURE_EXCESS`
_SURE_EXCESS = 1_000_000  # microseconds over the median (1 s): noticed in a trace of any length
_SMALLEST_SPREAD = 0.25  # of the logarithms (28 %): a few equal durations make no other an outlier
_MORE_SPANS = 1.5  # times the median number of spans below: the span did more work than its peers
_MORE_TOKENS = 3  # times the median number of tokens written: worth a word in the sentence
_SLOWER_WRITING = 2.0  # times the median time a token: one provider writes no more evenly
_FINDING_EXCESS = 3_000_000  # microseconds (3 s): a cold start or a busy machine explains less
_FAILED_NAMED = 3  # failed spans below a slow one: attempts that it waited for
_BASE = 0.6  # confidence: it is slow, but may have had more to do
_ON_PATH = 0.15  # added on the critical path, where it delays the end
_BY_RATIO = 0.15  # added by `_LARGE_RATIO`

_NORMAL = 1.4826  # turns a median absolute deviation into a normal standard deviation


def find_slow_outliers(analysis: TraceAnalysis) -> Iterator[Finding]:
    """Spans far slower than their peers, by the spread of the logarithms of their durations."""
    for peers in analysis.peer_groups().values():
        timed = [node for node in peers if node.finished and node.duration > 0]
        if len(timed) < _FEW_PEERS:
            continue
        slow = _find_outliers(timed, [float(node.duration) for node in timed])
        typical = median(node.duration for node in timed)
        slow = [
            node for node in slow[:_MOST_SLOW] if not _is_insignificant(node, typical, analysis)
        ]
        if slow:
            yield _build_slow_finding(slow, timed, analysis)


def _find_outliers(nodes: Sequence[Node], values: Sequence[float]) -> list[Node]:
    """Nodes whose value is far above the median and above a gap, the farthest first."""
    logs = [math.log(value) for value in values]
    middle = median(logs)
    ratio = _LEAST_RATIO if len(nodes) >= _MANY_PEERS else _RATIO_OF_FEW
    if max(logs) - middle < math.log(ratio):
        return []
    spread = max(_SMALLEST_SPREAD, _NORMAL * median(abs(value - middle) for value in logs))
    ordered = sorted(zip(logs, nodes, strict=True), key=lambda pair: (-pair[0], pair[1].index))
    out: list[Node] = []
    for (value, node), (following, _) in pairwise(ordered):
        if len(out) >= max(1, len(nodes) // _PEERS_BY_OUTLIER) or value - middle < math.log(ratio):
            break
        alone = value - following >= math.log(_LARGE_GAP)
        if value - middle < (_FEW_DEVIATIONS if alone else _LEAST_DEVIATIONS) * spread:
            break
        out.append(node)
        if value - following >= math.log(_GAP):
            return out
    return out if len(out) < max(1, len(nodes) // _PEERS_BY_OUTLIER) else []


def _is_insignificant(node: Node, typical: float, analysis: TraceAnalysis) -> bool:
    """Too little to matter, or slow only because a span below it is."""
    excess = node.duration - typical
    if excess < _LEAST_EXCESS:
        return True
    if excess < _SURE_EXCESS and excess < _LEAST_SHARE * analysis.profile.duration:
        return True
    usual = analysis.once(_list_usual_durations)
    least = _MOST_OF_IT * excess
    return any(
        below.duration >= least and below.duration - usual.get(peer_key(below), math.inf) >= least
        for below in analysis.tree.below(node)[1:]
    )


def _list_usual_durations(analysis: TraceAnalysis) -> dict[PeerKey, float]:
    """The median duration of each group of peers that is large enough for one."""
    return {
        key: median(peer.duration for peer in peers)
        for key, peers in analysis.peer_groups().items()
        if len(peers) >= _FEW_PEERS
    }


def _build_slow_finding(
    slow: Sequence[Node], peers: Sequence[Node], analysis: TraceAnalysis
) -> Finding:
    worst = slow[0]
    typical = median(node.duration for node in peers)
    ratio = worst.duration / typical
    share = format_percent(worst.duration, analysis.profile.duration)
    on_path = _is_on_path(worst, analysis)
    where = "on the critical path" if on_path else "off the critical path"
    below = worst.duration - analysis.profile.own_time[worst.index]
    fuller = worst.size > _MORE_SPANS * median(
        node.size for node in peers
    ) and below >= _MOST_OF_IT * (worst.duration - typical)
    more = f"; it has {worst.size - 1:,} spans below it, more than its peers" if fuller else ""
    failed = [node for node in analysis.tree.below(worst)[1:] if node.error is not None]
    more += f"; {len(failed):,} of the {worst.size - 1:,} spans below it failed" if failed else ""
    others = f" (and {len(slow) - 1} more like it)" if len(slow) > 1 else ""
    sentence = (
        f"{worst.title} took {format_duration(worst.duration)},"
        f" {format_ratio(ratio)} times the median of its {len(peers)} calls"
        f" ({format_duration(typical)}){others}; {share} of the trace,"
        f" {where}{more}{_compare_tokens(worst, peers)}."
    )
    is_far = ratio >= _LARGE_RATIO
    confidence = _BASE + _ON_PATH * on_path + _BY_RATIO * is_far
    is_slow = is_far and worst.duration - typical >= _FINDING_EXCESS
    explained = (
        fuller
        or worst.error is not None
        or lasts_as_set(worst)
        or _is_explained_by_tokens(worst, peers)
        or _did_more(worst, peers, worst.duration - typical)
    )
    numbers = {"ms": worst.duration / 1_000, "ratio": round(ratio, 1), "calls": len(peers)}
    return build_finding(
        Category.SLOW_OUTLIER,
        confidence,
        sentence,
        [worst, *failed[:_FAILED_NAMED]],
        numbers,
        more=slow,
        standing=Standing.FINDING if is_slow and not explained else Standing.NOTE,
    )


def _did_more(node: Node, peers: Sequence[Node], excess: float) -> bool:
    """Whether most of what a call took longer was spent on attempts that failed and the waits after
    them, or on steps that most of its peers had no need for."""
    if node.error is not None or not node.children:
        return False
    usual = Counter(name for peer in peers for name in {child.name for child in peer.children})
    own = sum(
        child.duration
        for child in node.children
        if child.error is not None or 2 * usual[child.name] < len(peers)
    )
    return own >= _MOST_OF_IT * excess


def _is_on_path(node: Node, analysis: TraceAnalysis) -> bool:
    on_path = analysis.profile.on_path
    return any(below.id in on_path for below in analysis.tree.below(node))


def _is_explained_by_tokens(node: Node, peers: Sequence[Node]) -> bool:
    """Whether a model call took no longer than its tokens allow, or wrote about as fast as its
    peers."""
    if not node.view.is_model_call:
        return False
    if node.duration <= 1e6 * explain_seconds(node.view):
        return True
    usual = [peer.duration / _wrote(peer) for peer in peers if _wrote(peer) > 0]
    return _wrote(node) > 0 and node.duration / _wrote(node) <= _SLOWER_WRITING * median(usual)


def _wrote(node: Node) -> float:
    return node.view.usage.completion or 0.0


def _compare_tokens(node: Node, peers: Sequence[Node]) -> str:
    usual = median(_wrote(peer) for peer in peers)
    own = _wrote(node)
    if usual > 0 and own >= _MORE_TOKENS * usual:
        return f"; it wrote {own:,.0f} tokens, the median of its peers is {usual:,.0f}"
    return ""
