"""Prompts that grow from turn to turn, since each turn sends all that came before again."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from statistics import median

from app.analysis.finding import Category, Finding, Standing, build_finding
from app.analysis.grouping import group_by
from app.analysis.recorded.names import NAME_READ
from app.analysis.rules.performance.prompt_texts import read_task
from app.analysis.rules.repeated_work.comparable_calls import common_parent
from app.analysis.text.one_line import format_ratio, one_line
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import CLOCK_TOLERANCE, Node, by_start

_LEAST_TURNS = 4  # three prompts grow by chance
_SURE_TURNS = 7  # turns of a finding: a shorter task may need all that it reads
_SURE_RATIO = 5.0  # times the first prompt, in so many turns
_LARGE_TURNS = 5  # the same for growth that is large in every respect
_LARGE_RATIO = 8.0
_LARGE_ADDED = 8_000  # tokens: several documents
_LEAST_GROWTH = 3.0  # times the first prompt, with `_LEAST_TOKENS_ADDED`: a chat adds less
_LEAST_TOKENS_ADDED = 4_000  # tokens: about the size of a document put into the prompt again
_STEEP_GROWTH = 4.0  # times the first prompt, for short prompts that grow steeply
_STEEP_BY_TURN = 1.25  # mean factor from turn to turn: the prompt doubles in about three turns
_STEEP_TOKENS_ADDED = 1_500  # tokens that steep growth must add to cost anything
_CLIMBING_SHARE = 0.6  # share of the turns in which the prompt has to grow without a break
_JUMP_SHARE = 0.6  # share of the growth that one turn must add to be the one to look at
_HUGE_RESULT = 20_000  # tokens added at once and sent again: a whole log, more than a file
_CARRIED = 4  # further turns that send what one turn added: what is read once may be needed
_CACHED_SHARE = 0.5  # of the later prompts: a cache pays most of what is sent again
_SURE_GROWTH = 0.85  # confidence of steady growth by `_SURE_RATIO`
_LIKELY_GROWTH = 0.7  # confidence of other growth; a jump may be one large result that was needed
_BEFORE_TURN = 40  # spans before a turn among which the one that added most is looked for
_TURNS_LINKED = 12  # turns of which that is looked for
_CHARACTERS_BY_TOKEN = 1.5  # at least, of the result that must have added them
_DIGITS = re.compile(r"\d+")
_LEAST_SENT_AGAIN = 3  # messages: the instruction and the question are sent with each request
_LINKED_SHARE = 0.5  # of the turns: then results of that name are what the prompt grows by


def find_prompt_growth(analysis: TraceAnalysis) -> Iterator[Finding]:
    """Prompts that grow from turn to turn: of the same call among the children of one span or over
    parents that each have one, and of calls of any name that continue one conversation."""
    calls = [
        node
        for node in analysis.tree.nodes
        if node.view.is_model_call and (node.view.usage.prompt or 0.0) > 0
    ]
    if len(calls) < _LEAST_TURNS:
        return
    calls.sort(key=by_start)
    reported: set[str] = set()
    for turns in (*_list_equal_calls(calls), *_list_conversations(calls, analysis)):
        growth = _find_growth(turns)
        if growth is not None and reported.isdisjoint(node.id for node in growth.turns):
            reported.update(node.id for node in growth.turns)
            yield _build_growth_finding(growth, analysis)


def _list_equal_calls(calls: Sequence[Node]) -> Iterator[Sequence[Node]]:
    """Series of calls of one name."""
    named: dict[tuple[str, str], list[Node]] = {}
    for node in calls:
        parent = node.parent.name if node.parent else ""
        named.setdefault((_without_digits(node.name), _without_digits(parent)), []).append(node)
    for members in named.values():
        under = group_by(members, lambda node: node.parent.id if node.parent else "")
        if len(under) == len(members):
            yield members
        else:
            yield from under.values()


def _without_digits(name: str) -> str:
    """The name for all turns of a loop that numbers them."""
    return _DIGITS.sub("", name[:NAME_READ])


def _list_conversations(calls: Sequence[Node], analysis: TraceAnalysis) -> Iterator[Sequence[Node]]:
    """Series of calls that begin with the same message of a user, whatever their names."""
    tasks: dict[str, list[Node]] = {}
    for node in calls:
        if analysis.was_read(node) and (task := read_task(node.view)):
            tasks.setdefault(task, []).append(node)
    return (turns for turns in tasks.values() if len({node.name for node in turns}) > 1)


def _prompt_of(node: Node) -> float:
    return node.view.usage.prompt or 0.0


@dataclass(frozen=True, slots=True)
class _Growth:
    """Turns in order, each with a longer prompt than the one before; tokens of their prompts."""

    turns: Sequence[Node]
    prompts: Sequence[float]

    @property
    def added(self) -> float:
        return self.prompts[-1] - self.prompts[0]

    @property
    def ratio(self) -> float:
        return self.prompts[-1] / self.prompts[0]

    def find_jump(self) -> int | None:
        """The place of the turn whose prompt holds most of the growth, if there is one."""
        added, place = max((b - a, i + 1) for i, (a, b) in enumerate(pairwise(self.prompts)))
        return place if added >= _JUMP_SHARE * self.added else None


def _find_growth(turns: Sequence[Node]) -> _Growth | None:
    if len(turns) < _LEAST_TURNS or any(
        b.start < a.end - CLOCK_TOLERANCE for a, b in pairwise(turns)
    ):
        return None
    prompts = [_prompt_of(node) for node in turns]
    start, end = _longest_climb(prompts)
    length = end - start + 1
    if length < max(_LEAST_TURNS, _CLIMBING_SHARE * len(turns)):
        return None
    growth = _Growth(turns[start : end + 1], prompts[start : end + 1])
    by_turn = growth.ratio ** (1 / (length - 1))
    enough = growth.ratio >= _LEAST_GROWTH and growth.added >= _LEAST_TOKENS_ADDED
    is_steep = by_turn >= _STEEP_BY_TURN and growth.ratio >= _STEEP_GROWTH
    return growth if enough or (is_steep and growth.added >= _STEEP_TOKENS_ADDED) else None


def _longest_climb(values: Sequence[float]) -> tuple[int, int]:
    """First and last index of the longest stretch in which each value is above the one before."""
    best, start = (0, 0), 0
    for i in range(1, len(values) + 1):
        if i == len(values) or values[i] <= values[i - 1]:
            if i - 1 - start > best[1] - best[0]:
                best = (start, i - 1)
            start = i
    return best


def _judge_growth(growth: _Growth, jump: int | None, *, is_copied: bool) -> Standing:
    """Every agent that reads something grows: it is wrong where the same text is added in each
    turn, or much is sent again many times, and harmless where a cache pays for it."""
    if is_copied:
        return Standing.FINDING
    turns = len(growth.turns)
    later = growth.turns[turns // 2 :]
    at_once = growth.prompts[jump] - growth.prompts[jump - 1] if jump is not None else 0.0
    if at_once >= _HUGE_RESULT and jump != turns - 1:
        return Standing.FINDING
    cached = median((node.view.usage.cached or 0.0) / _prompt_of(node) for node in later)
    if cached >= _CACHED_SHARE:
        return Standing.NOTE
    if jump is not None:
        is_waste = turns - 1 - jump >= _CARRIED and growth.added >= _LARGE_ADDED
    else:
        is_long = turns >= _SURE_TURNS and growth.ratio >= _SURE_RATIO
        is_large = growth.ratio >= _LARGE_RATIO and growth.added >= _LARGE_ADDED
        is_waste = is_long or (turns >= _LARGE_TURNS and is_large)
    return Standing.FINDING if is_waste else Standing.WEAK


def _build_growth_finding(growth: _Growth, analysis: TraceAnalysis) -> Finding:
    turns, prompts = growth.turns, growth.prompts
    jump = growth.find_jump()
    steps = _find_added_steps(growth, jump, analysis)
    how = f", most of it ({prompts[jump] - prompts[jump - 1]:,.0f}) at once" if jump else ""
    by = ""
    if steps:
        name = steps[0].title
        when = "right before it" if jump else f"right before {len(steps)} of the turns"
        by = f"; {name} returned about as much as was added {when}"
    is_copied = not jump and _return_the_same(steps)
    if is_copied:
        by += ", mostly the same"
    names = {_without_digits(node.name) for node in turns}
    what = turns[0].title
    what = what if len(names) == 1 else f"{what} and {len(names) - 1} more of one conversation"
    sentence = (
        f"The prompt of {what} grew over {len(turns)} turns from {prompts[0]:,.0f} to"
        f" {prompts[-1]:,.0f} tokens ({format_ratio(growth.ratio)} times){how}{by}"
        f"{_describe_sent_again(turns)}; {sum(prompts):,.0f} prompt tokens in total."
    )
    first = turns[jump] if jump else turns[-1]
    tools = [step.parent for step in steps[:1] if step.parent and step.parent.view.calls_outside]
    around = common_parent(turns)
    order = [first, *steps[:1], *tools, *([around] if around else [])]
    is_huge = jump is not None and prompts[jump] - prompts[jump - 1] >= _HUGE_RESULT
    is_sure = is_huge or (growth.ratio >= _SURE_RATIO and jump is None)
    numbers = {"turns": len(turns), "first": prompts[0], "last": prompts[-1]}
    numbers["ratio"] = round(growth.ratio, 1)
    return build_finding(
        Category.PROMPT_GROWTH,
        _SURE_GROWTH if is_sure else _LIKELY_GROWTH,
        sentence,
        order,
        numbers,
        more=turns,
        standing=_judge_growth(growth, jump, is_copied=is_copied),
    )


def _describe_sent_again(turns: Sequence[Node]) -> str:
    """Which messages of the request before the last whole one sends again, with the role that has
    most of their text; empty where all but the first were cut, or one prompt grows."""
    whole = [pair for pair in pairwise(turns) if not any(turn.view.input.is_cut for turn in pair)]
    if not whole:
        return ""
    before, last = (turn.view.request.messages for turn in whole[-1])
    texts = {message.text for message in before}
    lengths: dict[str, list[int]] = {}
    for message in last:
        if message.text and message.text in texts:
            lengths.setdefault(message.role or "other", []).append(len(message.text))
    total = sum(map(len, lengths.values()))
    if total < _LEAST_SENT_AGAIN:
        return ""
    role, most = max(lengths.items(), key=lambda item: sum(item[1]))
    return (
        f"; turn {turns.index(whole[-1][1]) + 1} sends {total} messages of the one before again,"
        f" most of their text in {len(most)} of the role {one_line(role, limit=20)} with"
        f" {sum(most) / len(most):,.0f} characters on average"
    )


def _return_the_same(steps: Sequence[Node]) -> bool:
    """Whether most of the steps whose results are added returned the same."""
    results = Counter(step.view.output.timeless for step in steps if step.view.output.has_timeless)
    return len(steps) >= _LEAST_TURNS and max(results.values(), default=0) * 2 > len(steps)


def _find_added_steps(growth: _Growth, jump: int | None, analysis: TraceAnalysis) -> Sequence[Node]:
    """The spans of one name whose outputs are long enough to be what was added: before the jump,
    or before half of the turns; empty where none are."""
    places = [jump] if jump else range(1, len(growth.turns))[-_TURNS_LINKED:]
    found: dict[str, list[Node]] = {}
    for place in places:
        added = growth.prompts[place] - growth.prompts[place - 1]
        step = _find_longest_output(growth.turns[place - 1], growth.turns[place], analysis)
        if step is not None and _may_have_added(step, added):
            found.setdefault(step.name, []).append(step)
    best = max(found.values(), key=len, default=[])
    return best[::-1] if len(best) >= _LINKED_SHARE * len(places) else []


def _may_have_added(step: Node, tokens: float) -> bool:
    """Whether an output is long enough to be what was added; one that was cut may be."""
    return step.view.output.is_cut or measure_output(step) >= tokens * _CHARACTERS_BY_TOKEN


def _find_longest_output(before: Node, turn: Node, analysis: TraceAnalysis) -> Node | None:
    """The span with the longest output between two turns, model calls left out."""
    between = (
        node
        for _, node in islice(analysis.tree.earlier(turn), _BEFORE_TURN)
        if node.start >= before.start and node.size == 1 and not node.view.is_model_call
    )
    read = [node for node in between if analysis.was_read(node)]
    return max(read, key=measure_output, default=None)


def measure_output(node: Node) -> int:
    """About how many characters the output of a span has as JSON."""
    return sum(
        len(leaf.value if isinstance(leaf.value, str) else str(leaf.value)) + len(leaf.key)
        for leaf in node.view.output.leaves
    )
