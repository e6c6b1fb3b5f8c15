"""Answers that are given to a model again and again, which no longer changes them: refinement over
all chunks of a text, rounds of correction without an effect."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from app.analysis.finding import Category, Finding, Standing, build_finding
from app.analysis.grouping import group_by
from app.analysis.rules.repeated_work.comparable_calls import common_parent, work_share
from app.analysis.text.one_line import format_count, format_duration, format_percent, one_line
from app.analysis.trace_analysis import TraceAnalysis, list_model_calls
from app.analysis.tree import Node, by_start

_LEAST_UNCHANGED = 4  # answers: one that needs no change after three more looks is done
_LEAST_SHARE = 0.5  # of the calls that were given an answer and left it as it was
_LEAST_TIME = 0.2  # of the trace, for what those calls take to matter
_LEAST_LENGTH = 20  # characters: "yes" and "ok" are answers to many questions
_LONGEST = 20_000  # characters of an answer that is looked for in a request
_CONFIDENCE = 0.85  # the same text was given and returned; that nothing was to change is concluded


def list_vain_refinements(analysis: TraceAnalysis) -> list[tuple[Finding, list[Node]]]:
    """Model calls in turn, each given the answer of the one before, most of which returned it as it
    was; with the calls that did."""
    named = group_by(analysis.once(list_model_calls), lambda node: node.name)
    found: list[tuple[Finding, list[Node]]] = []
    for nodes in named.values():
        if len(nodes) <= _LEAST_UNCHANGED:
            continue
        for chain in _list_chains(sorted(nodes, key=by_start)):
            unchanged = [b for a, b in pairwise(chain) if _answer_of(a) == _answer_of(b)]
            enough = max(_LEAST_UNCHANGED, _LEAST_SHARE * (len(chain) - 1))
            if len(unchanged) >= enough and work_share(unchanged, analysis) >= _LEAST_TIME:
                found.append((_build_finding(chain, unchanged, analysis), unchanged))
    return found


def _list_chains(nodes: Sequence[Node]) -> Iterator[list[Node]]:
    """Runs of calls each of which was given the answer of the one before and something else than
    that one."""
    chain: list[Node] = []
    for node in nodes:
        if chain and not _was_given_answer(chain[-1], node):
            yield chain
            chain = []
        chain.append(node)
    yield chain


def _was_given_answer(before: Node, after: Node) -> bool:
    text = _answer_of(before)
    if not text or after.start < before.end or before.view.input.equals(after.view.input):
        return False
    return any(text in message.text for message in after.view.request.messages)


def _answer_of(node: Node) -> str:
    """The text of a reply that is nothing but an answer; empty for any other."""
    reply = node.view.reply
    text = reply.text.strip()
    if node.error is not None or reply.calls or not _LEAST_LENGTH <= len(text) <= _LONGEST:
        return ""
    return text


def _was_returned(chain: Sequence[Node]) -> bool:
    """Whether the span around the calls returned one of their answers."""
    around = common_parent(chain)
    texts = around.view.output.first_texts if around is not None else ()
    answers = set(map(_answer_of, chain)) - {""}
    return any(answer in text for text in texts for answer in answers)


def _build_finding(
    chain: Sequence[Node], unchanged: Sequence[Node], analysis: TraceAnalysis
) -> Finding:
    """Sure where the span around the calls returned one of the answers: they were to refine it."""
    parent = common_parent(unchanged)
    spent = sum(node.duration for node in unchanged)
    sentence = (
        f"{chain[0].title} was given its last answer in"
        f" {format_count(len(chain) - 1, 'call')} and returned it unchanged in {len(unchanged)} of"
        f" them (“{one_line(_answer_of(unchanged[-1]), limit=80)}”); {format_duration(spent)},"
        f" {format_percent(spent, analysis.profile.duration)} of the trace."
    )
    standing = Standing.FINDING if _was_returned(chain) else Standing.WEAK
    nodes = [*unchanged[:1], *([parent] if parent else []), *unchanged]
    numbers = {"calls": len(chain), "unchanged": len(unchanged), "spent_ms": spent / 1_000}
    return build_finding(Category.LOOP, _CONFIDENCE, sentence, nodes, numbers, standing=standing)
