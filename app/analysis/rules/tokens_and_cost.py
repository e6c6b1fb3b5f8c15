"""Prompts that grow from turn to turn, and calls that cost more than others of the same name."""

from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise
from statistics import median

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.llm_output import is_model_call
from app.analysis.profile import sum_tokens_and_cost
from app.analysis.text.one_line import format_usd, one_line
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import CLOCK_TOLERANCE, Node

_LEAST_TURNS = 4  # three prompts grow by chance; agents that accumulate context take more turns
_LEAST_GROWTH = 3.0  # times the first prompt, with `_LEAST_TOKENS_ADDED`: a chat adds less
_LEAST_TOKENS_ADDED = 4_000  # tokens: about the size of a document put into the prompt again
_STEEP_GROWTH = 4.0  # times the first prompt, for short prompts that grow steeply
_STEEP_BY_TURN = 1.25  # mean factor from turn to turn: the prompt doubles in about three turns
_STEEP_TOKENS_ADDED = 1_500  # tokens that steep growth must add to cost anything
_BEYOND_USUAL = 2.0  # times the median growth of the other tasks: what all do is the design
_LEAST_TASKS = 4  # tasks needed to know what is usual
_CLIMBING_SHARE = 0.6  # share of the turns in which the prompt has to grow without a break
_JUMP_SHARE = 0.6  # share of the growth that one turn must add to be the one to look at
_LARGE_GROWTH = 5  # times the first prompt: steady growth to so much is an accumulating context
_SURE_GROWTH = 0.85  # confidence of that
_LIKELY_GROWTH = 0.7  # confidence of other growth; a jump may be one large result that was needed

_FEW_PEERS = 4  # priced calls needed for a median that one expensive call does not move
_PRICE_RATIO = 3.0  # times the median price of a token: a larger class of model
_COST_RATIO = 5.0  # times the median cost, whatever the model: inputs alone vary by less
_PEERS_BY_OUTLIER = 5  # of more than one in five expensive calls none is an exception
_OTHER_MODEL = 0.85  # confidence: another model explains the cost
_SAME_MODEL = 0.65  # confidence: the input may have needed it


def find_prompt_growth(analysis: TraceAnalysis) -> Iterator[Finding]:
    """Prompts of the same call that grow from turn to turn: among the children of one span, or
    over parents that each have one."""
    for peers in analysis.peer_groups().values():
        calls = [
            node
            for node in peers
            if is_model_call(node) and sum_tokens_and_cost(node.span).prompt > 0
        ]
        if len(calls) < _LEAST_TURNS:
            continue
        under: dict[str, list[Node]] = {}
        for node in calls:
            under.setdefault(node.parent.id if node.parent else "", []).append(node)
        alone = len(under) == len(calls)
        grown = [
            found
            for turns in ([calls] if alone else under.values())
            if (found := _find_growth(turns))
        ]
        usual = _median_growth(under.values()) if not alone else 0.0
        yield from (found for found in grown if found.numbers["ratio"] >= _BEYOND_USUAL * usual)


def _median_growth(tasks: Collection[Sequence[Node]]) -> float:
    """By how much prompts grow in the other tasks of the trace, where there are enough of them."""
    if len(tasks) < _LEAST_TASKS:
        return 0.0
    return median(
        sum_tokens_and_cost(turns[-1].span).prompt / sum_tokens_and_cost(turns[0].span).prompt
        for turns in tasks
    )


def _find_growth(turns: Sequence[Node]) -> Finding | None:
    if len(turns) < _LEAST_TURNS or any(
        b.start < a.end - CLOCK_TOLERANCE for a, b in pairwise(turns)
    ):
        return None
    prompts = [sum_tokens_and_cost(node.span).prompt for node in turns]
    start, end = _longest_climb(prompts)
    length = end - start + 1
    if length < max(_LEAST_TURNS, _CLIMBING_SHARE * len(turns)):
        return None
    added, growth = prompts[end] - prompts[start], prompts[end] / prompts[start]
    by_turn = growth ** (1 / (length - 1))
    enough = growth >= _LEAST_GROWTH and added >= _LEAST_TOKENS_ADDED
    steep = by_turn >= _STEEP_BY_TURN and growth >= _STEEP_GROWTH and added >= _STEEP_TOKENS_ADDED
    if not (enough or steep):
        return None
    return _build_growth_finding(turns[start : end + 1], prompts[start : end + 1])


def _longest_climb(values: Sequence[float]) -> tuple[int, int]:
    """First and last index of the longest stretch in which each value is above the one before."""
    best, start = (0, 0), 0
    for i in range(1, len(values) + 1):
        if i == len(values) or values[i] <= values[i - 1]:
            if i - 1 - start > best[1] - best[0]:
                best = (start, i - 1)
            start = i
    return best


def _build_growth_finding(turns: Sequence[Node], prompts: Sequence[float]) -> Finding:
    growth = prompts[-1] / prompts[0]
    total = sum(prompts)
    jump, grower = max((b - a, i + 1) for i, (a, b) in enumerate(pairwise(prompts)))
    at_once = jump >= _JUMP_SHARE * (prompts[-1] - prompts[0])
    how = f", most of it ({jump:,.0f}) at once" if at_once else ""
    sentence = (
        f"The prompt of {one_line(turns[0].name, limit=60)} grew over {len(turns)} turns from"
        f" {prompts[0]:,.0f} to {prompts[-1]:,.0f} tokens ({growth:.1f} times){how};"
        f" {total:,.0f} prompt tokens in total."
    )
    order = [turns[grower] if at_once else turns[-1], turns[-1], *turns]
    confidence = _SURE_GROWTH if growth >= _LARGE_GROWTH and not at_once else _LIKELY_GROWTH
    numbers = {"turns": len(turns), "first": prompts[0], "last": prompts[-1]}
    numbers["ratio"] = round(growth, 1)
    return build_finding(Category.PROMPT_GROWTH, confidence, sentence, order, numbers)


def find_costly_outliers(analysis: TraceAnalysis) -> Iterator[Finding]:
    """A call that cost far more than its peers, mostly by another model."""
    for peers in analysis.peer_groups().values():
        priced = [node for node in peers if node.span.total_estimated_cost]
        if len(priced) < _FEW_PEERS:
            continue
        usual = median(_span_cost(node) for node in priced)
        price = median(_token_price(node) for node in priced)
        common = _common_model(priced)
        costly = [
            node
            for node in priced
            if _span_cost(node) >= _COST_RATIO * usual
            or (node.span.model != common and _token_price(node) >= _PRICE_RATIO * price > 0)
        ]
        if costly and len(costly) <= max(1, len(priced) // _PEERS_BY_OUTLIER):
            costly.sort(key=lambda node: (-_span_cost(node), node.index))
            yield _build_cost_finding(costly, priced, usual, common=common)


def _span_cost(node: Node) -> float:
    return node.span.total_estimated_cost or 0.0


def _token_price(node: Node) -> float:
    """Dollars a token."""
    tokens = sum_tokens_and_cost(node.span).tokens
    return _span_cost(node) / tokens if tokens else 0.0


def _common_model(nodes: Sequence[Node]) -> str | None:
    counts: dict[str | None, int] = {}
    for node in nodes:
        counts[node.span.model] = counts.get(node.span.model, 0) + 1
    return max(counts, key=lambda model: (counts[model], model or ""))


def _build_cost_finding(
    costly: Sequence[Node], peers: Sequence[Node], usual: float, *, common: str | None
) -> Finding:
    worst = costly[0]
    cost = _span_cost(worst)
    model = ""
    if worst.span.model != common:
        used = one_line(worst.span.model or "an unnamed model", limit=40)
        model = f" with {used} where the others use {one_line(common or 'none', limit=40)}"
    sentence = (
        f"{one_line(worst.name, limit=60)} cost {format_usd(cost)}{model},"
        f" {cost / usual:.1f} times the median of its {len(peers)} calls ({format_usd(usual)})."
    )
    numbers = {"cost": cost, "median_cost": usual, "calls": len(peers)}
    confidence = _OTHER_MODEL if model else _SAME_MODEL
    return build_finding(Category.COSTLY_OUTLIER, confidence, sentence, costly, numbers)
