"""Answers that deny what the last check had listed: `clashes` has an entry, and the timetable is
free of conflicts."""

import re
from collections.abc import Iterator

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.recorded.body_state import BodyState, is_blank
from app.analysis.recorded.leaves import Leaf
from app.analysis.recorded.spellings import kept_by_keys, plain_key
from app.analysis.rules.answer_writer import find_answer_writer
from app.analysis.rules.lookups import list_tool_calls
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

_CONFIDENCE = 0.75  # the words are plain, but an answer may speak of something else
_ANSWER_READ = 4_000  # characters
_LEAVES_READ = 60  # of a result: a check has few
_KINDS = (
    "conflict|clash|overlap|collision|konflikt|überschneid|kollision|solapa|choque|conflit|chevauch"
    "|sovrappos|conflito|sobrepos|krock|kolizj|botsing",
    "violation|breach|verstöß|verstoß|verletzung|infracci|incumplim|violaci|violazion|violaç"
    "|infraction|naruszen|overtreding",
    "warning|alert|warnung|alarm|advertencia|avertissement|avvis|aviso|waarschuwing|ostrzeżen",
    "duplicate|dublette|doppelt|duplicad|doublon|duplicat|dubbel",
    "error|fehler|erreur|errore|fout|błęd",
    "defect|issue|problem|mangel|mängel|defecto|défaut|difett|anomal|schaden|schäden|damage|daño",
    "interaction|wechselwirkung|interacci|interazion|interaç",
    "allerg|alerg",
    "contraindic|kontraindik|controindic",
    "recall|rückruf|rappel|retirada|richiam",
    "incident|outage|störung|incidenc|panne|guasto|storing",
    "debt|arrear|overdue|rückstand|schulden|deuda|impay|arriérés|morosi|dívida|zaległo",
)
_NO = (
    r"(?:no|not any|without|free (?:of|from)|zero|none of the|kein\w{0,2}|ohne|frei von|sin"
    r"|ning[uú]n\w{0,2}|sans|aucune?|pas d[e’']|senza|nessun\w?|sem|nenhum\w?|geen|zonder|inga?"
    r"|inget|utan|ingen|brak|bez|żadn\w+)"
)
_KEY_KINDS = tuple(re.compile(f"^(?:{kind})|_(?:{kind})") for kind in _KINDS)
_DENIALS = tuple(
    re.compile(
        rf"(?<!\w){_NO}\s?(?!other|more|further|additional|new|weitere)"
        rf"(?:[\w-]+\s){{0,2}}[\w-]*(?:{kind})|(?<!\w)\w*(?:{kind})\w{{0,2}}(?:-?free|frei)\b",
        re.IGNORECASE,
    )
    for kind in _KINDS
)


def find_denied_problems(analysis: TraceAnalysis) -> Iterator[Finding]:
    """At most one: the call that wrote the answer, and the check that it goes against."""
    writer = analysis.once(find_answer_writer)
    if writer is None or not writer.view.reply.text:
        return
    for check in _last_calls(writer, analysis):
        for key in sorted(_keep_problems(check.view.output.keys)):
            kind = next(place for place, each in enumerate(_KEY_KINDS) if each.search(key))
            denial = _DENIALS[kind].search(writer.view.reply.text[:_ANSWER_READ])
            listed = _find_listed(check, key) if denial else None
            if denial and listed:
                yield _build_finding(writer, check, denial[0], listed)
                return


def _last_calls(writer: Node, analysis: TraceAnalysis) -> list[Node]:
    """The calls of tools before the answer after which no other began: what was found before may
    have been mended."""
    calls = [node for node in analysis.once(list_tool_calls) if node.end <= writer.start]
    newest = max((node.start for node in calls), default=0)
    return [
        node
        for node in calls
        if node.end >= newest
        and analysis.was_read(node)
        and node.error is None
        and node.view.output.state is BodyState.PRESENT
    ]


@kept_by_keys
def _keep_problems(keys: frozenset[str]) -> frozenset[str]:
    """The keys that are named after problems."""
    return frozenset(key for key in keys if any(kind.search(key) for kind in _KEY_KINDS))


def _find_listed(check: Node, key: str) -> Leaf | None:
    """The first thing that a check lists under a key, or a count above zero."""
    for leaf in check.view.output.first_leaves(_LEAVES_READ):
        steps = [place for place, part in enumerate(leaf.path) if plain_key(str(part)) == key]
        below = leaf.path[steps[0] + 1 :] if steps else ()
        is_item = bool(below) and isinstance(below[0], int) and not is_blank(leaf.value)
        is_count = bool(steps) and not below and type(leaf.value) is int and leaf.value > 0
        if is_item or is_count:
            return leaf
    return None


def _build_finding(writer: Node, check: Node, denial: str, listed: Leaf) -> Finding:
    place = ".".join(map(str, listed.path))
    sentence = (
        f"{one_line(writer.name, limit=60)} answered “{one_line(denial, limit=60)}”, though"
        f" {one_line(check.name, limit=60)} had returned {one_line(place, limit=60)}:"
        f" {one_line(str(listed.value), limit=60)}."
    )
    return build_finding(Category.IGNORED_RESULT, _CONFIDENCE, sentence, [writer, check])
