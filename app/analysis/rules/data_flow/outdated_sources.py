"""Answers that rest on a source which says by itself that it no longer holds.

A search finds the plan of another year, `valid_until` long past, and the answer repeats it.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import NamedTuple

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.recorded.body import Body
from app.analysis.recorded.leaves import Leaf, Path
from app.analysis.recorded.spellings import kept_by_keys, key_set, word_set
from app.analysis.rules.answer_writer import find_answer_writer
from app.analysis.rules.asked_words import telling_words
from app.analysis.rules.failures.other_times import ENDS_OF_VALIDITY
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis, list_read_steps
from app.analysis.tree import Node

_CONFIDENCE = 0.8  # the answer has what only this source had
_ENDS = ENDS_OF_VALIDITY | key_set("expires expires_on expiry_date expiration_date")
_FLAGS = key_set("superseded obsolete outdated deprecated withdrawn repealed replaced is_outdated")
_SUCCESSORS = key_set(
    "superseded_by replaced_by successor newer_version ersetzt_durch remplacé_par"
)
_STATES = key_set(
    "status state lifecycle estado stato statut état etat tilstand tillstånd toestand stan stav"
    " zustand gültigkeit 状態 状态 狀態 상태 статус"
)
_NOT_IN_FORCE = word_set(
    "superseded obsolete outdated deprecated withdrawn repealed expired"
    " abgelaufen aufgehoben ersetzt veraltet zurückgezogen abrogé périmé obsolète remplacé retiré"
    " derogado derogada obsoleto obsoleta vencido vencida caducado caducada revogado revogada"
    " abrogato abrogata scaduto scaduta superato superata vervallen verlopen ingetrokken"
    " upphävd utgången ersatt ophævet udgået forældet opphevet utgått"
    " wycofany wycofana uchylony uchylona nieaktualny nieaktualna устарел отменён отменен"
    " 廃止 失効 旧版 废止 已废止 失效 폐지 만료"
)
_TEXTS = key_set("text content page_content body snippet passage chunk answer excerpt")
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:\Z|[T ])")
_LEAVES_READ = 200  # of a result
_ANSWER_READ = 4_000  # characters
_OTHERS_READ = 60  # texts of other results
_LEAST_SHARED = 2  # words or numbers of the source alone that the answer has


class _Source(NamedTuple):
    """A text of a result, and why it no longer holds (empty where it does)."""

    text: str
    reason: str


def find_outdated_sources(analysis: TraceAnalysis) -> Iterator[Finding]:
    """At most one: the innermost span that returned such a source, then those that passed it on."""
    holders = [node for node in analysis.once(list_read_steps) if _may_be_outdated(node)]
    writer = analysis.once(find_answer_writer) if holders else None
    if writer is None:
        return
    answer = writer.view.reply.text[:_ANSWER_READ].casefold()
    holders.sort(key=lambda node: (node.end, -node.depth, node.index))
    for node in holders:
        sources = _list_sources(node)
        for source in sources if node.end <= writer.start else ():
            if source.reason and _rests_on(answer, source, sources, analysis):
                passed = [each for each in holders if source in _list_sources(each)]
                sentence = (
                    f"{node.title} returned a source that no longer holds ({source.reason}), and"
                    f" {writer.title} answered with what only this one says."
                )
                nodes = [node, *passed, writer]
                yield build_finding(Category.DOUBTFUL_RESULT, _CONFIDENCE, sentence, nodes)
                return


def may_be_marked(output: Body) -> bool:
    """Whether a result has a key that may say that a source no longer holds."""
    return bool(_select_marks(output.keys))


def _may_be_outdated(node: Node) -> bool:
    return may_be_marked(node.view.output) and not node.view.output.keys.isdisjoint(_TEXTS)


@kept_by_keys
def _select_marks(keys: frozenset[str]) -> frozenset[str]:
    return keys & (_ENDS | _FLAGS | _SUCCESSORS | _STATES)


def _list_sources(node: Node) -> list[_Source]:
    """The items of a result that have a text, each with the marks anywhere in it."""
    items = group_by_item(node)
    return [source for leaves in items.values() if (source := _read_source(leaves, node)).text]


def group_by_item(node: Node) -> dict[Path, list[Leaf]]:
    """The first leaves of a result by the place of the item, of the outermost list, that they
    stand in; those of none at the empty place."""
    items: dict[Path, list[Leaf]] = {}
    for leaf in node.view.output.result.list_leaves(_LEAVES_READ):
        place = next((at for at, part in enumerate(leaf.path) if isinstance(part, int)), -1)
        items.setdefault(leaf.path[: place + 1], []).append(leaf)
    return items


def day_of(node: Node) -> str:
    """The date in UTC on which a span started, as `2026-05-04`."""
    return datetime.fromtimestamp(node.start / 1e6, UTC).date().isoformat()


def _read_source(leaves: Sequence[Leaf], node: Node) -> _Source:
    now = day_of(node)
    texts = [each.value for each in leaves if each.key in _TEXTS and isinstance(each.value, str)]
    reasons = (explain_mark(leaf, now) for leaf in leaves)
    return _Source(" ".join(texts), next(filter(None, reasons), ""))


def explain_mark(leaf: Leaf, now: str) -> str:
    """`valid_until: 2021-03-31`, where a field says that the source no longer holds."""
    value = leaf.value
    text = value.strip() if isinstance(value, str) else ""
    past = leaf.key in _ENDS and bool(_DATE.match(text)) and text[: len(now)] < now
    ended = leaf.key in _STATES and text.casefold() in _NOT_IN_FORCE
    replaced = leaf.key in _SUCCESSORS and bool(text)
    if not (past or ended or replaced or (leaf.key in _FLAGS and value is True)):
        return ""
    shown = text or str(value).lower()
    return f"{one_line(str(leaf.path[-1]), limit=40)}: {one_line(shown, limit=40)}"


def _rests_on(
    answer: str, source: _Source, sources: Sequence[_Source], analysis: TraceAnalysis
) -> bool:
    """Whether the answer has words or numbers that stand in this source and in no other, nor in
    the question, and does not speak of the mark itself."""
    if source.reason.partition(": ")[2].casefold()[:10] in answer:
        return False
    known = analysis.given.canonical[:_ANSWER_READ]
    others = " ".join(each.text for each in islice(sources, _OTHERS_READ) if not each.reason)
    own = telling_words(source.text[:_ANSWER_READ].casefold())
    own -= telling_words(known) | telling_words(others.casefold())
    return len(own & telling_words(answer)) >= _LEAST_SHARED
