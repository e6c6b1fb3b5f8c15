"""Whether a result is empty, in its own words: no rows, no hits, a count of zero."""

import re
from collections.abc import Sequence
from itertools import islice
from typing import Any

from app.analysis.recorded.body import Body
from app.analysis.recorded.leaves import MOST_LEAVES, Leaf
from app.analysis.recorded.names import join_letters
from app.analysis.recorded.spellings import key_set, plain_key
from app.analysis.recorded.status_words import SUCCESS_FLAGS

_YIELD_KEYS = key_set(
    "rows results documents docs items hits records matches passages chunks entries search_results"
    " retrieved contexts nodes points candidates_found tables snippets neighbors result_set edges"
    " found_items source_documents source_nodes retrieval.documents treff treffer ergebnisse"
    " resultado resultados résultats resultats risultati resultaten resultater resultat wyniki"
    " výsledky dokumente documentos dokumenty dokumenter documenti tulokset результаты документы"
    " 结果 結果 検索結果 文档 결과 النتائج"
)
"""Keys under which lookups return what they found, so that it decides whatever stands beside."""
_PAYLOADS = key_set("data value values series edges list elements objects points items")
_TEXTS = key_set(
    "content text body markdown html page_content transcript plain_text raw_text csv xml"
)
"""Keys of what a call returns: an empty list under the first, a blank text under the second ones is
all of it, if only facts stand beside."""
_CONTENTS = _PAYLOADS | _TEXTS
_LISTS = key_set("hits items results rows records nodes docs documents")
"""Keys of the list inside an object of results."""
_COUNT_KEYS = key_set(
    "count total num_results total_results n rows row_count total_count hits matched found size"
    " num_rows num_hits result_count total_hits length returned"
)
_NEUTRAL_KEYS = (
    key_set(
        "took took_ms elapsed elapsed_ms latency latency_ms duration duration_ms k top_k limit page"
        " offset size max_score has_more next_page cursor next previous index collection database"
        " schema query source cached synced_at updated_at request_id version type status columns"
        " namespace model top_n filter filters sql q search_query lang language region time"
        " timestamp id"
    )
    | _COUNT_KEYS
)
_BETTER_EMPTY = key_set(
    "error errors err error_message exception warnings warning issues violations vulnerabilities"
    " conflicts duplicates alerts findings problems missing failed failures failed_tests stderr"
    " diff differences threats flags unsupported invalid next next_page cursor next_cursor"
    " previous message note refusal structured_content categories labels tags"
)
"""Keys that are empty where all is well, or at a last page."""
_FOUND_KEYS = key_set("found matched")
_REASON_KEYS = key_set("reason message detail note hint")
"""Keys of why nothing was found, where a flag says that nothing was."""
_SHORT_FACT = 60  # characters: a longer text beside an empty list says something
_MOST_FACTS = 20  # leaves beside what is empty; more of them are a result
_NEUTRAL_WORDS = frozenset(
    ["ok", "success", "succeeded", "done", "completed", "complete", "true", "false", "200"]
)
_NOTHING_FOUND = re.compile(
    r"""\W{0,4}(?:(?:sorry|unfortunately|error)\W{1,3})?(?:
      no\s(?:\w{1,20}\s){0,3}?(?:results?|matches|match|documents?|records?|rows?|items?|data|hits?
        |entries|information|products?|articles?|papers?|files?|passages?|answers?|events?|pages?)
        (?:\s(?:were|was|could\sbe|have\sbeen|are|is))?(?:\s(?:found|available|returned|matched
        |match|matching|for)|\W{0,3}\Z)
    | no\s(?!(?:\w{1,20}\s){0,3}(?:errors?|issues?|problems?|violations?|conflicts?|duplicates?
        |warnings?|vulnerabilit\w+|anomal\w+|differences?|changes?|threats?|failures?|pii)\b)
        (?:\w{1,20}\s){1,4}?(?:(?:were|was|could\sbe|have\sbeen|are|is)\s)?
        (?:found|available|returned|matched)\b
    | nothing\s(?:was\s)?found | not\sfound\W{0,3}\Z | none\sfound
    | empty\s(?:result|set|response|dataframe)
    | (?:found|returned|got|retrieved)\s0\s\w{1,20}\b
    | 0\s(?:results?|rows?|hits?|matches|documents?|records?)
    | (?:could\snot|couldn't|did\snot|didn't|unable\sto)\sfind\s(?:any|a|the)\b
    | (?:es\swurden\s)?keine\s(?:\w{1,30}\s){0,2}(?:gefunden|vorhanden|verfügbar|treffer|ergebnisse)
    | kein\streffer | nichts\sgefunden
    | aucun(?:e)?\s(?:\w{1,30}\s){0,3}(?:trouvée?s?|résultats?|disponible) | aucun\srésultat
    | (?:no\sse\s(?:encontr|hall)\w{1,8}|sin\sresultados|ning[uú]n\sresultado)
    | nenhum(?:a)?\s(?:\w{1,30}\s){0,3}(?:encontrad[oa]s?|resultado) | sem\sresultados
    | nessun(?:a)?\s(?:\w{1,30}\s){0,2}(?:trovat[oaie]|risultat[oi])
    | geen\s(?:\w{1,30}\s){0,2}(?:gevonden|resultaten) | inga?\s(?:\w{1,30}\s){0,2}(?:hittades
    |träffar|resultat) | ничего\sне\sнайдено | не\sнайдено | nie\sznaleziono | brak\swyników
    | sonuç\sbulunamadı
    )
    | (?:.{0,12}?)(?:没有找到|未找到|找不到|没有结果|无结果|查无|沒有找到|無結果
    |見つかりません|該当なし|ありませんでした
    |결과가\s없|찾을\s수\s없|कोई\sपरिणाम\sनहीं|नहीं\sमिला|لا\sتوجد\sنتائج|لم\sيتم\sالعثور)""",
    re.IGNORECASE | re.VERBOSE,
)
_FIRST_LETTERS = re.compile(
    r"\W{0,4}(?:no|so|un|er|em|0|fo|re|go|co|di|es|ke|ni|au|si|ne|se|ge|in|br)", re.IGNORECASE
)
"""What such a sentence begins with where it is written in ASCII."""
_SHORTEST_NAMED = 4  # characters of a key that does not stand in a name by chance
_DATE = re.compile(r"\d{4}-\d\d(?:-\d\d(?:[T ][\d:.]{4,15}(?:Z|[+-]\d\d:?\d\d)?)?)?")
_WRAPPERS = 4  # objects with one member around a result: an SDK's, GraphQL's two
_MOST_MEMBERS = 60  # of one object that is searched for a field of results
_LONGEST_SENTENCE = 300  # characters: a longer text says more than that nothing was found


def is_empty_result(output: Body, given: Body, name: str = "") -> bool:
    """Whether a result holds nothing: null, blank, or an object with only empty values; `name` is
    that of the function, whose result is empty where what it is named after is.

    Counts, flags and repetitions of the input (`given`) count as empty too, as in
    `{"query": "x", "results": [], "total": 0}`; so does a sentence that nothing was found. Where a
    call says only that it worked, or that it found no errors, nothing is missing.
    """
    value = output.opened
    if isinstance(value, str):
        return _says_nothing(value)
    inner, level = _open_wrappers(value)
    yields = _count_yields(inner) if output.may_have_key(_YIELD_KEYS) else None
    if yields is not None:
        return yields == 0 and _is_only_facts(output)
    if output.may_have_empty:
        has_blank = isinstance(inner, dict) and _has_blank_payload(inner, join_letters(name))
        if has_blank and _is_only_facts(output, deepest=level + 1):
            return True
    elif output.opened_survey.items > _MOST_FACTS or not any(
        map(_may_be_empty, output.first_values)
    ):
        return False
    found_none = any(leaf.value is False and leaf.key in _FOUND_KEYS for leaf in output.leaves)
    has_empty = False
    others: list[Any] = []
    for leaf in output.leaves:
        if _is_empty_leaf(leaf):
            has_empty = True
        elif not (_is_neutral(leaf) or (found_none and leaf.key in _REASON_KEYS)):
            others.append(leaf.value)
            if len(others) > _MOST_FACTS:
                return False
    if not has_empty or _says_success(output.leaves):
        return False
    if not others:
        return True
    echoed = {each.value for each in given.leaves if isinstance(each.value, (str, int))}
    return all(isinstance(other, (str, int)) and other in echoed for other in others)


def _says_nothing(text: str) -> bool:
    """Whether a text is blank, or is a short one that says in any of several languages that a
    lookup found nothing."""
    if not text or text.isspace():
        return True
    if len(text) > _LONGEST_SENTENCE or (text.isascii() and not _FIRST_LETTERS.match(text)):
        return False
    return _NOTHING_FOUND.match(text) is not None


def count_found(output: Body) -> int | None:
    """How many things an object says that a lookup found; None where it has no field for that."""
    if not output.may_have_key(_YIELD_KEYS):
        return None
    return _count_yields(_open_wrappers(output.opened)[0])


def _open_wrappers(value: Any) -> tuple[Any, int]:
    """What lies in objects that have one member only, and how deep; a field of results ends it."""
    for level in range(_WRAPPERS):
        if not isinstance(value, dict) or len(value) != 1:
            return value, level
        ((key, inner),) = value.items()
        if not isinstance(inner, dict) or not inner or plain_key(key) in _YIELD_KEYS:
            return value, level
        value = inner
    return value, _WRAPPERS


def _count_yields(value: Any) -> int | None:
    """How many things an object says that a lookup found; None where it has no field for that:
    `{"columns": ["id"], "rows": []}`, `{"tables": {}}`."""
    if not isinstance(value, dict):
        return None
    members = islice(value.items(), _MOST_MEMBERS)
    found = [
        inner
        for key, inner in members
        if plain_key(key) in _YIELD_KEYS and not isinstance(inner, bool)
    ]
    return sum(map(_count_yield, found)) if found else None


def _has_blank_payload(value: dict[str, Any], name: str) -> bool:
    """Whether what a call returns is an empty list or a blank text, and nothing else holds more:
    `fetch_readings` returns `{"sensor": "K-7", "readings": [], "site": "north"}`."""
    members = [(plain_key(key), inner) for key, inner in islice(value.items(), _MOST_MEMBERS)]
    if any(isinstance(inner, (list, dict)) and inner and key in name for key, inner in members):
        return False
    blank = [
        inner
        for key, inner in members
        if (key in _PAYLOADS and inner == [])
        or (key in _TEXTS and inner == "")
        or (inner in ([], {}) and len(key) >= _SHORTEST_NAMED and key[:-1] in name)
    ]
    return bool(blank) and not any(
        inner and key in _CONTENTS and not isinstance(inner, bool) for key, inner in members
    )


def _count_yield(value: Any) -> int:
    """How many things a field of results holds.

    Vector stores answer a list for each query (`[[]]`), search engines an object with hits and
    their total (`{"total": {"value": 0}, "hits": []}`).
    """
    if isinstance(value, dict):
        inner = [value[key] for key in islice(value, _MOST_MEMBERS) if plain_key(key) in _LISTS]
        lists = [each for each in inner if isinstance(each, list)]
        return _count_yield(lists[0]) if lists else len(value)
    if isinstance(value, list):
        return 0 if all(each == [] for each in value[:_MOST_MEMBERS]) else len(value)
    if isinstance(value, str):
        return 0 if _says_nothing(value) else 1
    return 1 if value else 0


def _is_only_facts(output: Body, *, deepest: int = MOST_LEAVES) -> bool:
    """Whether what stands beside an empty list are short facts and advice, not a result; below
    `deepest` levels there may be none."""
    others = [
        leaf
        for leaf in output.leaves
        if not (_is_empty_leaf(leaf) or _is_neutral(leaf) or leaf.key in _BETTER_EMPTY)
    ]
    if any(len(leaf.path) > deepest for leaf in others):
        return False
    return len(others) <= _MOST_FACTS and all(
        not isinstance(leaf.value, str) or len(leaf.value) <= _SHORT_FACT for leaf in others
    )


def _says_success(leaves: Sequence[Leaf]) -> bool:
    return any(leaf.value is True and leaf.key in SUCCESS_FLAGS for leaf in leaves)


def _may_be_empty(value: Any) -> bool:
    """Whether a leaf may be empty, whatever its key; False is certain."""
    if isinstance(value, str):
        return _says_nothing(value)
    return not value


def _is_empty_leaf(leaf: Leaf) -> bool:
    value = leaf.value
    if leaf.key in _BETTER_EMPTY:
        return False
    if isinstance(value, str):
        return _says_nothing(value)
    return value is None or value in ([], {}) or (value == 0 and leaf.key in _COUNT_KEYS)


def _is_neutral(leaf: Leaf) -> bool:
    value = leaf.value
    if leaf.key in _NEUTRAL_KEYS or isinstance(value, bool) or value in (0, None, [], {}, ""):
        return True
    if not isinstance(value, str):
        return False
    # A date says when something was looked up; dates of a list are what was found.
    is_listed = bool(leaf.path) and isinstance(leaf.path[-1], int)
    return value.lower() in _NEUTRAL_WORDS or (not is_listed and _DATE.fullmatch(value) is not None)
