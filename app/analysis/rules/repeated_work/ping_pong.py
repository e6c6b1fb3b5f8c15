"""Steps that repeat in a fixed order without progress: agents that undo each other's work, or that
pass a case back and forth."""

from collections import Counter
from collections.abc import Iterator, Sequence

from app.analysis.finding import Category, Finding, Standing, build_finding
from app.analysis.rules.repeated_work.comparable_calls import (
    Call,
    calls_outside_within,
    comparable_calls,
    continues_text,
    differ_in_counters_only,
    is_polling,
    quote_remark,
    same_results,
    work_share,
)
from app.analysis.text.one_line import format_duration, one_line
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

_LEAST_ROUNDS = 3  # a second round is a correction
_LONGEST_PERIOD = 6  # steps of a round: three agents, each with a call that hands over
_LEAST_SHARE = 0.02  # share of the trace that the rounds take, to matter
_LEAST_SHARE_OF_PARENT = 0.1  # the same of the span around them, in a trace of many tasks
_LONG_WORD = 8  # letters: shorter words stand in most texts
_BETWEEN_WORDS = {ord(sign): " " for sign in '"\\,;:!?()[]{}'}
_NAMES_SHOWN = 3
_LONGEST_CHOICE = 40  # characters of a reply that is nothing but a name or a label
_WORDS_OF_CHOICE = 2
_BASE = 0.65  # confidence: equal rounds are a plain fact, that nobody wanted them is not
_BY_ROUND = 0.05  # added by each round, which makes an intention less likely
_MOST = 0.95  # of any number of rounds
_LOST_BY_LIKENESS = 0.1  # results that only resemble each other may still get better
_LOST_INSIDE = 0.1  # work inside the program repeats more by design than calls of tools and models


def list_rounds(analysis: TraceAnalysis) -> list[tuple[Finding, list[Node]]]:
    """Among siblings, the longest run of rounds of two to six steps in which each step gets and
    returns the same as in the round before, with all its spans. What lies below such a run is not
    looked at."""
    found: list[tuple[Finding, list[Node]]] = []
    end = 0
    for children in analysis.tree.sibling_groups():
        if len(children) < 2 * _LEAST_ROUNDS or children[0].index < end:
            continue
        run, period = _longest_run(_repeated_steps(children, analysis))
        nodes = [call.node for call in run]
        if nodes:
            end = nodes[-1].index + nodes[-1].size
            found.append((_build_ping_pong(run, period, analysis), nodes))
    return found


def _repeated_steps(children: Sequence[Node], analysis: TraceAnalysis) -> list[Call]:
    """The siblings that can be compared and returned something, without steps that occur too
    seldom to be one of a round."""
    known = analysis.once(comparable_calls)
    found = (known.get(child.id) for child in children)
    calls = [call for call in found if call is not None and call.has_result]
    counts = Counter(call.stem for call in calls)
    return [call for call in calls if counts[call.stem] >= _LEAST_ROUNDS]


def _longest_run(calls: Sequence[Call]) -> tuple[Sequence[Call], int]:
    """The calls of the longest run of rounds, and how many go into a round."""
    best: tuple[int, int, int] = (0, 0, 1)
    for period in range(2, _LONGEST_PERIOD + 1):
        for start, end in _find_runs(calls, period):
            if end - start <= best[0] or not _has_two_turns(calls[start : start + period]):
                continue
            if not _are_numbered_items(calls[start:end], period):
                best = (end - start, start, period)
    length, start, period = best
    return calls[start : start + length], period


def _find_runs(calls: Sequence[Call], period: int) -> Iterator[tuple[int, int]]:
    """Start and end of each run of at least three rounds.

    The steps that would repeat are looked at from the last to the first, so that one that does
    not lets most of those before it be skipped.
    """

    def repeats(place: int) -> bool:
        return _repeats_turn(calls[place - period], calls[place - period + 1], calls[place])

    least = period * (_LEAST_ROUNDS - 1)
    place = period
    while place + least <= len(calls):
        others = (i for i in range(place + least - 1, place - 1, -1) if not repeats(i))
        other = next(others, None)
        if other is not None:
            place = other + 1
            continue
        end = place + least
        while end < len(calls) and repeats(end):
            end += 1
        yield place - period, end
        place = end + 1


def _repeats_turn(before: Call, between: Call, after: Call) -> bool:
    """Whether a step got and returned what it did a round before; inputs may count rounds or hold
    a history that grows. Long results speak for themselves, and so do those that the step
    `between`, the next one, was given; for others what happened inside has to be the same."""
    if before.stem != after.stem or after.node.start < before.node.end:
        return False
    output = before.node.view.output
    if before.returned_the_same(after) and before.result:
        return output.is_long or _has_same_input(before, after)
    may_equal = output.fingerprint == after.node.view.output.fingerprint
    if may_equal and before.result == after.result and _hands_on(before, between):
        return _has_same_input(before, after)
    if not output.is_long:
        return False
    # The shorter text first: a request of a model is longer than the reply, other results are
    # longer than what they were asked for.
    checks = [_has_similar_input, _has_similar_result]
    if before.node.view.is_model_call:
        checks.reverse()
    return all(check(before, after) for check in checks)


def _hands_on(step: Call, following: Call) -> bool:
    """Whether a step was given something that the one before it was the first to write."""
    wrote, given = step.result.translate(_BETWEEN_WORDS), step.given.translate(_BETWEEN_WORDS)
    new = {word for word in wrote.split() if _is_telling(word)} - set(given.split())
    return not new.isdisjoint(following.given.translate(_BETWEEN_WORDS).split())


def _is_telling(word: str) -> bool:
    return len(word) >= _LONG_WORD or (len(word) > 1 and word[0].isdigit())


def _has_similar_result(before: Call, after: Call) -> bool:
    return before.node.view.output.resembles(after.node.view.output)


def _has_similar_input(before: Call, after: Call) -> bool:
    given = before.node.view.input
    return given.resembles(after.node.view.input) or _has_same_input(before, after)


def _has_same_input(before: Call, after: Call) -> bool:
    """Whether inputs are the same but for counters and a history that grows."""
    return differ_in_counters_only(before.node.view.input, after.node.view.input) or continues_text(
        before.given, after.given
    )


def _has_two_turns(turn: Sequence[Call]) -> bool:
    """Whether a round holds different steps, and not only choices of the next speaker: else it is
    one step that repeats, or agents that take turns."""
    different = len({(call.stem, call.result) for call in turn}) > 1
    return different and not all(_is_choice(call.node) for call in turn)


def _are_numbered_items(run: Sequence[Call], period: int) -> bool:
    """Whether the steps are one step over the items of a list, some of which are alike: inputs that
    differ by a number from those a round before, though no other step counts rounds."""
    return len({call.stem for call in run}) == 1 and any(
        before.given != after.given and not continues_text(before.given, after.given)
        for before, after in zip(run, run[period:], strict=False)
    )


def _is_choice(node: Node) -> bool:
    """Whether a model replied with a name or label."""
    if not node.view.is_model_call or node.view.reply.calls:
        return False
    text = node.view.reply.text
    return 0 < len(text) <= _LONGEST_CHOICE and len(text.split()) <= _WORDS_OF_CHOICE


def _shortest_period(names: Sequence[str]) -> int:
    """After how many steps the names of a round begin again."""
    lengths = (n for n in range(2, len(names)) if len(names) % n == 0)
    whole = len(names)
    return next((n for n in lengths if [*names[:n]] * (whole // n) == [*names]), whole)


def _build_ping_pong(run: Sequence[Call], period: int, analysis: TraceAnalysis) -> Finding:
    rounds = len(run) // period
    parent = run[0].node.parent
    nodes = [call.node for call in run]
    spent = sum(node.duration for node in nodes)
    names = list(dict.fromkeys(one_line(node.name, limit=40) for node in nodes[:period]))
    shown = " → ".join(names[:_NAMES_SHOWN]) + (" → …" if len(names) > _NAMES_SHOWN else "")
    equal = all(run[i].returned_the_same(run[i + period]) for i in range(len(run) - period))
    how = same_results(run) if equal else "nearly the same result"
    remark = quote_remark(run[:period])
    turn = _shortest_period([call.stem for call in run[:period]])
    place = "in every round" if turn == period else f"as {period // turn} rounds before"
    sentence = (
        f"{shown}: {len(run) // turn} rounds of {turn} steps, each step with {how}"
        f" {place}{remark}; {format_duration(spent)} spent."
    )
    polling = any(is_polling(call) for call in run[:period])
    small = work_share(nodes, analysis) < _LEAST_SHARE and spent < _LEAST_SHARE_OF_PARENT * (
        parent.duration if parent else 0
    )
    standing = Standing.FINDING
    if small or polling:
        standing = Standing.NOTE if small else Standing.WEAK
    inner = not any(calls_outside_within(node, analysis) for node in nodes[:period])
    confidence = min(_MOST, _BASE + _BY_ROUND * rounds)
    confidence -= _LOST_BY_LIKENESS * (not equal) + _LOST_INSIDE * inner
    numbers = {"rounds": rounds, "calls": len(run), "spent_ms": spent / 1_000}
    first = nodes[: min(len(nodes), 2 * period)]
    named = [*first, *([parent] if parent else []), *nodes]
    return build_finding(
        Category.PING_PONG, confidence, sentence, named, numbers, standing=standing
    )
