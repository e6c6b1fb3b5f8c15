"""Calls that cost more than others that do the same work."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations
from statistics import median

from app.analysis.finding import Category, Finding, Standing, build_finding
from app.analysis.rules.prompt_texts import measure_shared_words, read_prompt
from app.analysis.spending import read_spending
from app.analysis.text.one_line import format_percent, format_usd, one_line
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

_FEW_PEERS = 4  # priced calls needed for a median that one expensive call does not move
_PRICE_RATIO = 3.0  # times the median price of a token: a larger class of model
_COST_RATIO = 5.0  # times the median cost, whatever the model: inputs alone vary by less
_TOKENS_RATIO = 2.0  # times the median tokens at most, where only the model is known
_PEERS_BY_OUTLIER = 5  # of more than one in five expensive calls none is an exception
_PROMPTS_COMPARED = 5  # peers whose prompts tell what kind of work the group does
_AS_ALIKE = 0.5  # times the words that the peers' prompts share: other instructions share fewer
_OTHER_MODEL = 0.85  # confidence: the prompt is of the same kind, the model is another
_UNREAD = 0.75  # confidence: the name alone says that the work is the same
_NOTED = 0.5


def find_costly_calls(analysis: TraceAnalysis) -> Iterator[Finding]:
    """A call by a dearer model than others of its kind use; as a note one that cost more by its
    tokens, or whose other model has no recorded price."""
    told: set[str] = set()
    for peers in _list_peers(analysis):
        for finding in (_find_costly(peers, analysis), _find_other_model(peers)):
            if finding is not None and finding.spans[0] not in told:
                told.add(finding.spans[0])
                yield finding
                break


def _list_peers(analysis: TraceAnalysis) -> Iterator[Sequence[Node]]:
    """Calls of one name, then the only calls of parents of one name: integrations name calls after
    their models."""
    yield from analysis.peer_groups().values()
    under: dict[tuple[str, str], list[Node]] = {}
    for node in analysis.tree.nodes:
        calls = [child for child in node.children if child.view.is_model_call]
        if len(calls) == 1:
            key = (node.name, node.parent.name if node.parent else "")
            under.setdefault(key, []).append(calls[0])
    yield from (calls for calls in under.values() if len({node.name for node in calls}) > 1)


def _find_costly(peers: Sequence[Node], analysis: TraceAnalysis) -> Finding | None:
    priced = [node for node in peers if read_spending(node).cost > 0]
    if len(priced) < _FEW_PEERS:
        return None
    usual = median(read_spending(node).cost for node in priced)
    price = median(_token_price(node) for node in priced)
    common = _common_model(priced)
    dear = [
        node
        for node in priced
        if node.span.model != common
        and _token_price(node) >= _PRICE_RATIO * price
        and read_spending(node).cost >= _PRICE_RATIO * usual
    ]
    costly = dear or [node for node in priced if read_spending(node).cost >= _COST_RATIO * usual]
    if not costly or len(costly) > max(1, len(priced) // _PEERS_BY_OUTLIER):
        return None
    costly.sort(key=lambda node: (-read_spending(node).cost, node.index))
    others = [node for node in priced if node not in costly]
    is_alike = _does_same_work(costly[0], others, analysis)
    confidence = _NOTED if not dear else _OTHER_MODEL if is_alike else _UNREAD
    is_finding = bool(dear) and is_alike is not False
    return _build_cost_finding(
        costly,
        priced,
        analysis,
        common=common if dear else None,
        confidence=confidence,
        standing=Standing.FINDING if is_finding else Standing.NOTE,
    )


def _token_price(node: Node) -> float:
    """Dollars a token."""
    spend = read_spending(node)
    return spend.cost / spend.tokens if spend.tokens else 0.0


def _common_model(nodes: Sequence[Node]) -> str | None:
    counts = Counter(node.span.model for node in nodes)
    return max(counts, key=lambda model: (counts[model], model or ""))


def _does_same_work(node: Node, others: Sequence[Node], analysis: TraceAnalysis) -> bool | None:
    """Whether the prompt is about as much like those of the others as they are like one another;
    None where too few were read."""
    own = read_prompt(node.view) if analysis.was_read(node) else ""
    prompts = [read_prompt(other.view) for other in others if analysis.was_read(other)]
    prompts = [prompt for prompt in prompts if prompt][:_PROMPTS_COMPARED]
    if not own or len(prompts) < 2:
        return None
    usual = median(measure_shared_words(a, b) for a, b in combinations(prompts, 2))
    return max(measure_shared_words(own, prompt) for prompt in prompts) >= _AS_ALIKE * usual


def _build_cost_finding(
    costly: Sequence[Node],
    peers: Sequence[Node],
    analysis: TraceAnalysis,
    *,
    common: str | None,
    confidence: float,
    standing: Standing,
) -> Finding:
    worst = costly[0]
    cost = read_spending(worst).cost
    usual = median(read_spending(node).cost for node in peers)
    model = f" with {_quote_model(worst.span.model)}" if common is not None else ""
    count = sum(1 for node in peers if node.span.model == common)
    model += f" where {count} use {_quote_model(common)}" if model else ""
    others = f" (and {len(costly) - 1} more like it)" if len(costly) > 1 else ""
    sentence = (
        f"{one_line(worst.name, limit=60)} cost {format_usd(cost)}{model}, {cost / usual:.1f} times"
        f" the median of {len(peers)} calls of its kind ({format_usd(usual)}){others};"
        f" {format_percent(cost, analysis.profile.spend.cost)} of the trace's cost."
    )
    numbers = {"cost": cost, "median_cost": usual, "calls": len(peers)}
    return build_finding(
        Category.COSTLY_OUTLIER, confidence, sentence, costly, numbers, standing=standing
    )


def _find_other_model(peers: Sequence[Node]) -> Finding | None:
    """One call by another model, where no costs say what that means."""
    calls = [node for node in peers if node.view.is_model_call and node.span.model]
    if len(calls) < _FEW_PEERS or any(read_spending(node).cost for node in calls):
        return None
    common = _common_model(calls)
    other = [node for node in calls if node.span.model != common]
    if len(other) != 1:
        return None
    tokens = median(read_spending(node).tokens for node in calls)
    if read_spending(other[0]).tokens > _TOKENS_RATIO * tokens:
        return None
    sentence = (
        f"{one_line(other[0].name, limit=60)} used {_quote_model(other[0].span.model)} where the"
        f" {len(calls) - 1} other calls of its kind use {_quote_model(common)}; no costs were"
        " recorded for them."
    )
    return build_finding(Category.COSTLY_OUTLIER, _NOTED, sentence, other, standing=Standing.NOTE)


def _quote_model(model: str | None) -> str:
    return one_line(model or "an unnamed model", limit=40)
