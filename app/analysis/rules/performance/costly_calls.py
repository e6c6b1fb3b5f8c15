"""Calls that cost more than others that do the same work."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations
from statistics import median
from typing import NamedTuple

from app.analysis.finding import Category, Finding, Standing, build_finding
from app.analysis.rules.performance.chosen_models import was_chosen
from app.analysis.rules.performance.prompt_texts import (
    measure_shared_words,
    read_instructions,
    read_prompt,
)
from app.analysis.spending import read_spending
from app.analysis.text.one_line import format_percent, format_ratio, format_usd, one_line
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

_FEW_PEERS = 3  # priced calls needed for a median that one expensive call does not move
_MANY_PEERS = 4  # from which a model of one call is the exception rather than one of two choices
_PRICE_RATIO = 3.0  # times the median price of a token: a larger class of model
_PRICE_RATIO_OF_FEW = 8.0  # the same for fewer calls: nobody chooses that much by the way
_COST_RATIO = 5.0  # times the median cost, whatever the model: inputs alone vary by less
_PEERS_BY_OUTLIER = 5  # of more than one in five expensive calls none is an exception
_PROMPTS_COMPARED = 5  # peers whose prompts tell what kind of work the group does
_AS_ALIKE = 0.5  # times the words that the peers' prompts share: other instructions share fewer
_OTHER_MODEL = 0.85  # confidence: the prompt is of the same kind, the model is another
_SIBLINGS_READ = 200  # before a costly call, among which a failed one is looked for
_CALLS_OF_STEP = 3  # model calls of one step: more work off different items
_ASKED_AGAIN = 0.9  # of the words: the same prompt, but for a hint more or less
_UNREAD = 0.75  # confidence: the name alone says that the work is the same
_NOTED = 0.5


class _Peers(NamedTuple):
    """Model calls that may do the same work; `are_alike` says that their parents have one name."""

    calls: Sequence[Node]
    are_alike: bool


class _Priced(NamedTuple):
    """A call with its cost in US dollars, in whole and for each token."""

    node: Node
    cost: float
    by_token: float


def find_costly_calls(analysis: TraceAnalysis) -> Iterator[Finding]:
    """A call by a dearer model than others of its kind use; as a note one that cost more by its
    tokens, or whose other model has no recorded price."""
    if not analysis.profile.spend.cost and len(analysis.profile.by_model) < 2:
        return
    found: list[Finding] = []
    for peers in _list_peers(analysis):
        finding = _find_costly(peers, analysis)
        if finding is not None:
            found.append(finding)
    found.sort(key=lambda finding: finding.standing is Standing.NOTE)
    reported: set[str] = set()
    for finding in found:
        if finding.spans[0] not in reported:
            reported.add(finding.spans[0])
            yield finding


def _list_peers(analysis: TraceAnalysis) -> Iterator[_Peers]:
    """Calls of one name under parents of one name; the only calls of parents of one name, since
    integrations name calls after their models; calls of one name under any parents."""
    yield from (_Peers(calls, are_alike=True) for calls in analysis.peer_groups().values())
    under: dict[tuple[str, str], list[Node]] = {}
    named: dict[str, list[Node]] = {}
    for node in analysis.tree.nodes:
        if node.view.is_model_call:
            named.setdefault(node.name, []).append(node)
        calls = [child for child in node.children if child.view.is_model_call]
        if len(calls) == 1:
            key = (node.name, node.parent.name if node.parent else "")
            under.setdefault(key, []).append(calls[0])
    for calls in under.values():
        if len({node.name for node in calls}) > 1:
            yield _Peers(calls, are_alike=True)
    yield from (_Peers(calls, are_alike=False) for calls in named.values())


def _find_costly(peers: _Peers, analysis: TraceAnalysis) -> Finding | None:
    priced = [_price_call(node) for node in peers.calls if node.span.total_estimated_cost]
    priced = [each for each in priced if each.cost > 0]
    if len(priced) < _FEW_PEERS:
        return None
    usual = median(each.cost for each in priced)
    by_token = median(each.by_token for each in priced)
    common = _common_model([each.node for each in priced])
    ratio = _PRICE_RATIO if len(priced) >= _MANY_PEERS else _PRICE_RATIO_OF_FEW
    dear = [
        each
        for each in priced
        if each.node.span.model != common
        and each.by_token >= ratio * by_token
        and each.cost >= ratio * usual
    ]
    costly = dear or [each for each in priced if each.cost >= _COST_RATIO * usual]
    if not costly or not _are_exceptions(costly, priced):
        return None
    costly.sort(key=lambda each: (-each.cost, each.node.index))
    chosen = {each.node.id for each in costly}
    others = [each.node for each in priced if each.node.id not in chosen]
    same_work = _does_same_work(costly[0].node, others, analysis)
    may_be_same = same_work if same_work is not None else peers.are_alike
    is_wrong = (
        bool(dear)
        and may_be_same
        and not _replaces_another(costly[0].node, analysis)
        and not was_chosen(costly[0].node, others, analysis)
    )
    confidence = _NOTED if not dear else _OTHER_MODEL if same_work else _UNREAD
    return _build_cost_finding(
        costly,
        priced,
        analysis,
        common=common if dear else None,
        confidence=confidence,
        standing=Standing.FINDING if is_wrong else Standing.NOTE,
    )


def _are_exceptions(costly: Sequence[_Priced], peers: Sequence[_Priced]) -> bool:
    """Whether few of the calls are costly, or few of the steps around them make such calls."""
    steps, costly_steps = ({each.node.parent for each in calls} for calls in (peers, costly))
    few_calls = len(costly) <= max(1, len(peers) // _PEERS_BY_OUTLIER)
    return few_calls or (len(steps) >= _MANY_PEERS and len(costly_steps) == 1)


def _replaces_another(node: Node, analysis: TraceAnalysis) -> bool:
    """Whether a call before it under the same parent failed, or another model had been asked the
    same in a step of a call or two: then the model is a replacement, or gives a second opinion."""
    asked = [
        each for each in analysis.tree.siblings(node)[:_SIBLINGS_READ] if each.view.is_model_call
    ]
    before = [other for other in asked if other.end <= node.start]
    if any(other.error is not None for other in before):
        return True
    messages = node.view.request.messages
    others = [other for other in asked if other.span.model != node.span.model]
    if messages and any(other.view.request.messages == messages for other in others):
        return True  # one of a panel
    return len(asked) <= _CALLS_OF_STEP and any(
        measure_shared_words(read_prompt(other.view), read_prompt(node.view)) >= _ASKED_AGAIN
        for other in others
        if other.end <= node.start
    )


def _price_call(node: Node) -> _Priced:
    spend = read_spending(node)
    return _Priced(node, spend.cost, spend.cost / spend.tokens if spend.tokens else 0.0)


def _common_model(nodes: Sequence[Node]) -> str | None:
    counts = Counter(node.span.model for node in nodes)
    return max(counts, key=lambda model: (counts[model], model or ""))


def _does_same_work(node: Node, others: Sequence[Node], analysis: TraceAnalysis) -> bool | None:
    """Whether another call has the same instructions, and the prompt is about as much like those of
    the others as they are like one another; None where too few were read."""
    others = [other for other in others if analysis.was_read(other)]
    instructions = read_instructions(node.view) if analysis.was_read(node) else ""
    if instructions and all(read_instructions(other.view) != instructions for other in others):
        return False if others else None
    own = read_prompt(node.view) if analysis.was_read(node) else ""
    prompts = [read_prompt(other.view) for other in others]
    prompts = [prompt for prompt in prompts if prompt][:_PROMPTS_COMPARED]
    if not own or len(prompts) < 2:
        return None
    usual = median(measure_shared_words(a, b) for a, b in combinations(prompts, 2))
    return max(measure_shared_words(own, prompt) for prompt in prompts) >= _AS_ALIKE * usual


def _build_cost_finding(
    costly: Sequence[_Priced],
    peers: Sequence[_Priced],
    analysis: TraceAnalysis,
    *,
    common: str | None,
    confidence: float,
    standing: Standing,
) -> Finding:
    worst, cost = costly[0].node, costly[0].cost
    usual = median(each.cost for each in peers)
    model = ""
    if common is not None:
        count = sum(1 for each in peers if each.node.span.model == common)
        model = f" with {_quote_model(worst.span.model)} where {count} use {_quote_model(common)}"
    others = f" (and {len(costly) - 1} more like it)" if len(costly) > 1 else ""
    sentence = (
        f"{worst.title} cost {format_usd(cost)}{model}, {format_ratio(cost / usual)} times"
        f" the median of {len(peers)} calls of its kind ({format_usd(usual)}){others};"
        f" {format_percent(cost, analysis.profile.spend.cost)} of the trace's cost."
    )
    numbers = {"cost": cost, "median_cost": usual, "calls": len(peers)}
    nodes = [each.node for each in costly]
    return build_finding(
        Category.COSTLY_OUTLIER, confidence, sentence, nodes, numbers, standing=standing
    )


def _quote_model(model: str | None) -> str:
    return one_line(model or "an unnamed model", limit=40)
