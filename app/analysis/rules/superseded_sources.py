"""Documents that their own record calls replaced, and from which an answer was written all the
same, though the current one stood beside them."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.recorded.leaves import Leaf
from app.analysis.recorded.spellings import kept_by_keys, key_set
from app.analysis.rules.answer_writer import find_answer_writer
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis, list_read_steps
from app.analysis.tree import Node

_CONFIDENCE = 0.75  # the record says so itself, but old and new documents share words
_STATUS_KEYS = key_set(
    "status state lifecycle validity note remark hint label stage doc_status document_status"
    " gültigkeit gyldighed gyldighet giltighet hinweis bemerkung stand statut état etat validité"
    " estado vigencia nota stato validità situação situacao tilstand stav platnost stan ważność"
    " статус состояние 状态 状態 ステータス 상태 备注 備考"
)
_SUCCESSOR_KEYS = key_set(
    "superseded_by replaced_by successor obsoleted_by succeeded_by new_version ersetzt_durch"
    " abgelöst_durch remplacé_par remplace_par sustituido_por reemplazado_por substituído_por"
    " sostituito_da vervangen_door erstattet_af erstattet_av ersatt_av zastąpiony_przez nahrazeno"
    " заменен 置き換え 替代 被替代"
)
_CURRENT_KEYS = key_set(
    "is_current current is_latest latest in_force active is_active is_valid valid gültig aktuell"
    " vigente en_vigueur vigore gældende gjeldende gällande"
)
_REPLACED = re.compile(
    r"supersed|obsolete|deprecat|replaced|withdrawn|repealed|outdated|no longer (?:valid|in force)"
    r"|archived|retired|rescinded|ersetzt|abgelöst|veraltet|außer kraft|zurückgezogen|aufgehoben"
    r"|überholt|remplacée?|abrogée?|obsolète|périmée?|caduc|sustituid|reemplazad|derogad|obsolet"
    r"|sostituit|abrogat|superat|substituíd|revogad|vervangen|ingetrokken|verouderd|erstattet"
    r"|ophævet|opphevet|foreldet|forældet|utgått|ersatt|upphävd|föråldrad|zastąpion|uchylon"
    r"|nieaktualn|nahrazen|zrušen|zastaral|заменён|заменен|отменён|отменен|устарел|утратил"
    r"|廃止|失効|旧版|改訂前|已废止|已失效|已被替代|过期|폐지|구버전|만료",
    re.IGNORECASE,
)
_STATUS_READ = 120  # characters of a status
_LEAVES_READ = 200  # of one result
_FEWEST_WORDS = 3  # of the old document alone that stand in the answer: fewer are chance
_WORD = re.compile(r"\d+(?:[.,]\d+)?|[^\W\d_]{4,}")
_TEXT_READ = 4_000  # characters of a document and of the answer


class _Replaced(NamedTuple):
    """A result with the place of a replaced document, what says so, and how much the answer has
    of it."""

    node: Node
    place: int
    sign: Leaf
    words: int


def find_superseded_sources(analysis: TraceAnalysis) -> Iterator[Finding]:
    """At most one: the last step that put the replaced document first, or else handed it on."""
    marked = [
        node
        for node in analysis.once(list_read_steps)
        if node.error is None and _keep_signs(node.view.output.keys)
    ]
    writer = analysis.once(find_answer_writer) if marked else None
    if writer is None:
        return
    answer = set(_WORD.findall(writer.view.reply.text[:_TEXT_READ].casefold()))
    found = [
        replaced
        for node in marked
        if node.end <= writer.start and (replaced := _find_replaced(node, answer)) is not None
    ]
    if not found:
        return
    first = [each for each in found if each.place == 0] or found
    worst = max(first, key=lambda each: (each.node.end, -each.node.size))
    sentence = (
        f"{one_line(writer.name, limit=60)} answered from a document that"
        f" {one_line(worst.node.name, limit=60)} returned {_name_place(worst.place)} though it is"
        f" marked {one_line(str(worst.sign.path[-1]), limit=30)}:"
        f" {one_line(str(worst.sign.value), limit=60)}; others stood beside it."
    )
    yield build_finding(Category.STALE_RESULT, _CONFIDENCE, sentence, [worst.node, writer])


def _name_place(place: int) -> str:
    return "first" if place == 0 else f"at place {place + 1}"


@kept_by_keys
def _keep_signs(keys: frozenset[str]) -> frozenset[str]:
    return keys & (_STATUS_KEYS | _SUCCESSOR_KEYS | _CURRENT_KEYS)


def _find_replaced(node: Node, answer: set[str]) -> _Replaced | None:
    """The replaced document of a list from which an answer has more words than from the others."""
    items: dict[tuple[str | int, ...], list[Leaf]] = {}
    for leaf in node.view.output.first_leaves(_LEAVES_READ):
        depth = next((at for at, part in enumerate(leaf.path) if isinstance(part, int)), None)
        if depth is not None:
            items.setdefault(tuple(leaf.path[: depth + 1]), []).append(leaf)
    signs = {
        path: sign
        for path, leaves in items.items()
        if (sign := next(filter(_says_replaced, leaves), None)) is not None
    }
    if not signs or len(signs) == len(items):
        return None
    words = {path: _words_of(leaves) for path, leaves in items.items()}
    current = set().union(*(words[path] for path in items if path not in signs))
    old = set().union(*(words[path] for path in signs))
    used = len((old - current) & answer)
    if used < _FEWEST_WORDS or used <= len((current - old) & answer):
        return None
    path = max(signs, key=lambda each: len(words[each] & answer))
    return _Replaced(node, list(items).index(path), signs[path], used)


def _says_replaced(leaf: Leaf) -> bool:
    if leaf.key in _SUCCESSOR_KEYS:
        return leaf.value not in (None, "", False, [], {})
    if leaf.key in _CURRENT_KEYS:
        return leaf.value is False
    value = leaf.value
    return (
        leaf.key in _STATUS_KEYS
        and isinstance(value, str)
        and _REPLACED.search(value[:_STATUS_READ]) is not None
    )


def _words_of(leaves: Sequence[Leaf]) -> set[str]:
    texts = (leaf.value for leaf in leaves if isinstance(leaf.value, str))
    return set(_WORD.findall(" ".join(texts)[:_TEXT_READ].casefold()))
