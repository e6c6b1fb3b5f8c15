"""A case that agents hand to each other in turn while nobody works on it."""

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from app.analysis.finding import Category, Finding, Standing, build_finding
from app.analysis.recorded.names import has_word, join_letters, spell_name
from app.analysis.recorded.spellings import key_set, word_set
from app.analysis.rules.repeated_work.ping_pong import list_rounds
from app.analysis.text.one_line import format_count, one_line
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node, by_start

_LEAST_HAND_OVERS = 4  # to and back twice: once is a correction
_SURE_HAND_OVERS = 6  # from here on nobody hands over with reason, if nothing is done between
_MOST_TARGETS = 3  # agents among which a case goes round; more are a team with a plan
_LEAST_EACH = 2  # hand-overs to each of them
_MOST_WORK = 0.25  # calls of other tools for each hand-over, above which somebody works
_LEAST_IN_TURN = 0.8  # share of hand-overs that go to another agent than the one before
_LEAST_MUTUAL = 0.8  # share of agents handing over that were handed the case themselves
_HAND_OVER = word_set(
    "handoff handover transfer delegate escalate forward reroute reassign redirect handback"
    " transferir derivar delegar escalar trasferire trasferisci delegare inoltra transférer"
    " transferer transmettre déléguer deleguer übergeben uebergeben weiterleiten weitergeben"
    " überweisen doorverwijzen overdragen doorsturen przekaż przekaz przekieruj передать 転送"
    " 引き継ぎ 转接 移交 전달 이관"
)
_TARGETS = key_set(
    "to target agent to_agent target_agent recipient assignee next next_agent destination"
    " agent_name team queue department goto receiver destino agente destinatario para"
    " destinazione agente destinataire vers ziel abteilung empfänger bestemming naar afdeling cel"
    " кому 宛先 担当 目标 대상"
)
_TARGET_IN_NAME = re.compile(r"(?:^|[_\W])to[_\W]+(.{1,80})$", re.IGNORECASE)
_LONGEST_NAME = 80  # characters of an agent's name
_ENDING = 80  # characters at the end of a text: the sentence that says who is next
_SHORTEST_NAME = 4  # letters of a name in a text: a shorter one is a piece of a word
_MOSTLY = 0.8  # share of turns that name the next, or ask what was asked a round before
_INSIDE_READ = 40  # spans below a turn in which its requests are looked for
_SURE = 0.85  # confidence from `_SURE_HAND_OVERS` on
_DOUBTFUL = 0.6  # the same of fewer, of which one may have been a question asked back


class _HandOver(NamedTuple):
    node: Node
    source: str
    target: str


def find_hand_overs(analysis: TraceAnalysis) -> Iterator[Finding]:
    """Hand-overs that go to two or three agents in turn, with hardly a call of another tool in
    between; rounds with equal results are a rule of their own."""
    covered = {
        below.id
        for _, nodes in analysis.once(list_rounds)
        for node in nodes
        for below in analysis.tree.below(node)
    }
    for find in (_calls_that_hand_over, _outputs_that_name_the_next, _texts_that_end_with_the_next):
        events = [event for event in find(analysis) if event.node.id not in covered]
        if _go_in_turn(events):
            worked = _count_work(events, analysis)
            if worked <= _MOST_WORK * len(events):
                sure = find is not _texts_that_end_with_the_next or _ask_again(events, analysis)
                yield _build_hand_over_finding(events, worked, sure=sure)
                return


def _calls_that_hand_over(analysis: TraceAnalysis) -> list[_HandOver]:
    """Calls of tools such as `transfer_to_billing` or `handoff` with a target among the inputs."""
    found = []
    for node in analysis.tree.nodes:
        if _hands_over(node.function_name):
            target = _target_of(node, analysis)
            if target:
                found.append(_HandOver(node, "", target))
    return sorted(found, key=lambda event: by_start(event.node))


def _hands_over(name: str) -> bool:
    return has_word(name, _HAND_OVER) or "hand off" in spell_name(name)


def _target_of(node: Node, analysis: TraceAnalysis) -> str:
    if analysis.was_read(node):
        for leaf in node.view.input.first_leaves:
            if leaf.key in _TARGETS and isinstance(leaf.value, str) and leaf.value.strip():
                return join_letters(leaf.value)
    named = _TARGET_IN_NAME.search(node.function_name[: 2 * _LONGEST_NAME])
    return join_letters(named.group(1)) if named else ""


def _outputs_that_name_the_next(analysis: TraceAnalysis) -> list[_HandOver]:
    """Siblings whose output names the span that runs next, of the parent that has most of them."""
    best: list[_HandOver] = []
    for children in analysis.tree.sibling_groups():
        if len(children) < _LEAST_HAND_OVERS:
            continue
        named = [(child, join_letters(child.name)) for child in children]
        found = [
            _HandOver(node, name, target)
            for (node, name), (_, target) in pairwise(named)
            if name != target and analysis.was_read(node) and _names(node, target)
        ]
        targets = {event.target for event in found}
        mutual = sum(event.source in targets for event in found[1:])
        if len(found) > len(best) and mutual >= _LEAST_MUTUAL * (len(found) - 1):
            best = found
    return best


def _texts_that_end_with_the_next(analysis: TraceAnalysis) -> list[_HandOver]:
    """Siblings of two names in turn, nearly all of which return a text with the name of the other
    at its end: `The card is valid. Back to the loadmaster.`"""
    for children in analysis.tree.sibling_groups():
        for run in _runs_in_turn(children):
            names = [join_letters(node.name) for node in run[:2]]
            if any(name.isascii() and len(name) < _SHORTEST_NAME for name in names):
                continue
            turns = [
                _HandOver(node, names[place % 2], names[1 - place % 2])
                for place, node in enumerate(run)
                if analysis.was_read(node)
            ]
            found = [event for event in turns if _ends_with(event.node, event.target)]
            if len(found) >= _MOSTLY * len(run):
                return found
    return []


def _runs_in_turn(children: Sequence[Node]) -> Iterator[Sequence[Node]]:
    """Runs of siblings of two names that change with each step."""
    start = 0
    for place in range(2, len(children) + 1):
        if place < len(children) and children[place].name == children[place - 2].name:
            continue
        run = children[start:place]
        if len(run) >= _LEAST_HAND_OVERS and run[0].name != run[1].name:
            yield run
        start = place - 1


def _ends_with(node: Node, name: str) -> bool:
    return any(name in join_letters(text[-_ENDING:]) for text in node.view.output.first_texts)


def _ask_again(events: Sequence[_HandOver], analysis: TraceAnalysis) -> bool:
    """Whether the models in most turns were asked what they had been asked a round before: nothing
    that the other one wrote reached them."""
    asked = [
        [
            below.view.input.uncounted
            for below in analysis.tree.below(event.node)[:_INSIDE_READ]
            if below.view.is_model_call
        ]
        for event in events
    ]
    again = sum(any(now) and now == before for before, now in zip(asked, asked[2:], strict=False))
    return again >= _MOSTLY * (len(asked) - 2)


def _names(node: Node, target: str) -> bool:
    for text in node.view.output.first_texts:
        if not len(target) <= len(text) <= _LONGEST_NAME:
            continue
        first = text[:1].lower()
        is_other = "a" <= first <= "z" and first != target[:1]
        if not is_other and join_letters(text) == target:
            return True
    return False


def _go_in_turn(events: Sequence[_HandOver]) -> bool:
    counts = Counter(event.target for event in events)
    if len(events) < _LEAST_HAND_OVERS or not 2 <= len(counts) <= _MOST_TARGETS:
        return False
    changes = sum(a.target != b.target for a, b in pairwise(events))
    return min(counts.values()) >= _LEAST_EACH and changes >= _LEAST_IN_TURN * (len(events) - 1)


def _count_work(events: Sequence[_HandOver], analysis: TraceAnalysis) -> int:
    """Calls of other tools between the first and the last hand-over."""
    own = {event.node.id for event in events}
    starts = sorted(
        node.start for node in analysis.tree.nodes if node.id not in own and node.view.calls_tool
    )
    first, last = events[0].node, events[-1].node
    return bisect_right(starts, last.start) - bisect_left(starts, first.start)


def _build_hand_over_finding(events: Sequence[_HandOver], worked: int, *, sure: bool) -> Finding:
    targets = list(dict.fromkeys(event.target for event in events))
    shown = " and ".join(one_line(target, limit=40) for target in targets)
    work = format_count(worked, "other call") if worked else "no other call"
    sentence = (
        f"The case was handed over {len(events)} times in turn, to {shown}, with {work} of a tool"
        " in between."
    )
    sure = sure and len(events) >= _SURE_HAND_OVERS
    return build_finding(
        Category.PING_PONG,
        _SURE if sure else _DOUBTFUL,
        sentence,
        [event.node for event in events],
        {"calls": len(events), "other_calls": worked},
        standing=Standing.FINDING if sure else Standing.WEAK,
    )
