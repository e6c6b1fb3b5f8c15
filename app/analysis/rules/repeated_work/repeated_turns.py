"""Agents that write each other the same texts in turn, whatever lies between their turns: a
selector of the next speaker, a span around each turn, a count of tokens."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.grouping import keep_repeated
from app.analysis.recorded.body import spell_start
from app.analysis.rules.repeated_work.comparable_calls import common_parent
from app.analysis.rules.symptoms import was_stopped_by_limit
from app.analysis.text.one_line import format_duration, list_first, one_line
from app.analysis.trace_analysis import TraceAnalysis, list_model_calls
from app.analysis.tree import Node, by_start

_LEAST_ROUNDS = 3  # a second round is a question asked back
_LEAST_IF_STOPPED = 2  # the same where only a limit of turns ended the exchange
_LONGEST_PERIOD = 4  # turns of a round
_FEWEST_WORDS = 3  # of a text that says something: "yes", "approved" and names occur by design
_FEWEST_SIGNS = 8  # the same in languages that put no spaces between words
_QUOTED = 60  # characters of a text by which it is found in a later request
_MESSAGES_READ = 12  # newest messages of a request that may hold what another agent wrote
_MOST_TURNS = 400  # of one trace
_TURNS_SHOWN = 2
_BASE = 0.65  # confidence: equal texts are a plain fact, that nobody wanted them is not
_BY_ROUND = 0.05  # added by each round, which makes an intention less likely
_MOST = 0.95  # of any number of rounds


def list_repeated_turns(analysis: TraceAnalysis) -> list[tuple[Finding, list[Node]]]:
    """The longest exchange in which at least two texts were written at least three times each (two
    where a limit of turns ended it), in a fixed order, each by a model that had read the one
    before; empty where something new was called or written for it meanwhile."""
    spoken = [node for node in analysis.once(list_model_calls) if _is_turn(node)][:_MOST_TURNS]
    again = keep_repeated(spoken, _start_of)
    counts = Counter(map(_words_of, again))
    if sum(count >= _LEAST_IF_STOPPED for count in counts.values()) < _TURNS_SHOWN:
        return []
    least = _LEAST_IF_STOPPED if analysis.once(was_stopped_by_limit) else _LEAST_ROUNDS
    turns = sorted((node for node in again if counts[_words_of(node)] >= least), key=by_start)
    run, period = _longest_exchange(turns, least)
    if not run or _has_progress(run, period, spoken, analysis):
        return []
    return [_build_finding(run, period)]


def _is_turn(node: Node) -> bool:
    """Whether a reply is nothing but a text that says something."""
    text = node.view.reply.text
    if node.view.reply.calls or node.error is not None:
        return False
    return len(text.split(maxsplit=_FEWEST_WORDS)) >= _FEWEST_WORDS or (
        len(text) >= _FEWEST_SIGNS and not text[:_FEWEST_SIGNS].isascii()
    )


def _words_of(node: Node) -> str:
    return " ".join(node.view.reply.text.split())


def _start_of(node: Node) -> str:
    return spell_start(node.view.reply.text, _QUOTED)


def _longest_exchange(turns: Sequence[Node], least: int) -> tuple[Sequence[Node], int]:
    """The turns of the longest exchange, and how many go into a round."""
    words = [_words_of(node) for node in turns]
    best: tuple[int, int, int] = (0, 0, 1)
    for period in range(2, _LONGEST_PERIOD + 1):
        start = 0
        for place in range(period, len(turns) + 1):
            if place < len(turns) and words[place] == words[place - period]:
                continue
            length = place - start
            is_long = length >= least * period and length > best[0]
            if is_long and len(set(words[start : start + period])) > 1:
                best = (length, start, period)
            start = place - period + 1
    length, start, period = best
    run = turns[start : start + length]
    answered = all(
        after.start >= before.end and _read(after, before) for before, after in pairwise(run)
    )
    return (run, period) if answered else ((), 1)


def _read(node: Node, other: Node) -> bool:
    """Whether the request of a call holds what the other call replied."""
    start = _words_of(other)[:_QUOTED]
    newest = islice(reversed(node.view.request.messages), _MESSAGES_READ)
    return any(start in " ".join(message.text.split()) for message in newest)


def _has_progress(
    run: Sequence[Node], period: int, spoken: Sequence[Node], analysis: TraceAnalysis
) -> bool:
    """Whether something new came up after the first round: a tool called with something else, or
    a text of another agent that those of the exchange read."""
    known: set[str] = set()
    for node in _called_between(run[0].start, run[-1].end, analysis):
        given = f"{node.name} {node.view.input.canonical}"
        if node.start >= run[period].start and given not in known:
            return True
        known.add(given)
    exchanged = {_words_of(node) for node in run}
    for before, after in pairwise(run[period:]):
        for node in spoken:
            is_other = _words_of(node) not in exchanged
            if is_other and before.start < node.start < after.start and _read(after, node):
                return True
    return False


def _called_between(start: int, end: int, analysis: TraceAnalysis) -> Iterator[Node]:
    """The calls of tools and lookups in a time."""
    for node in sorted(analysis.tree.nodes, key=by_start):
        if start <= node.start <= end and node.view.calls_tool:
            yield node


def _build_finding(run: Sequence[Node], period: int) -> tuple[Finding, list[Node]]:
    around = common_parent(run)
    depth = 0 if around is None else around.depth + 1
    turns = [node.path()[min(depth, node.depth)] for node in run]
    names = list(dict.fromkeys(one_line(node.name, limit=40) for node in turns[:period]))
    texts = " and ".join(
        f"“{one_line(_words_of(node), limit=60)}”" for node in run[: min(period, _TURNS_SHOWN)]
    )
    who = " and ".join(names)
    if len(names) > _TURNS_SHOWN:
        who = list_first(names[:_TURNS_SHOWN], len(names))
    rounds = len(run) // period
    spent = run[-1].end - run[0].start
    sentence = (
        f"{who} wrote the same to each other in {rounds} rounds:"
        f" {texts}; {format_duration(spent)} spent."
    )
    confidence = min(_MOST, _BASE + _BY_ROUND * rounds)
    numbers = {"rounds": rounds, "calls": len(run), "spent_ms": spent / 1_000}
    named = [*turns[: 2 * period], *([around] if around else [])]
    finding = build_finding(Category.PING_PONG, confidence, sentence, named, numbers, more=run)
    return finding, list({node.id: node for node in (*named, *run)}.values())
