"""Whether a result is empty, in its own words: no rows, no hits, a count of zero."""

import re
from collections.abc import Mapping
from typing import Any

from app.analysis.recorded.body import Body, Leaf
from app.analysis.recorded.spellings import key_set, plain_key

_YIELD_KEYS = key_set(
    "rows results documents docs items hits records matches passages chunks entries search_results"
    " retrieved contexts nodes sources data values points candidates_found tables columns files"
    " products orders events articles pages snippets urls links neighbors result_set objects"
    " embeddings list found_items source_documents source_nodes retrieval.documents"
)
"""Keys under which tools return what they found."""
_COUNT_KEYS = key_set(
    "count total num_results total_results n rows row_count total_count hits matched found size"
    " num_rows num_hits result_count total_hits length returned"
)
_NEUTRAL_KEYS = (
    key_set(
        "took took_ms elapsed elapsed_ms latency latency_ms duration duration_ms k top_k limit page"
        " offset size max_score has_more next_page cursor next previous index collection database"
        " schema query source cached synced_at updated_at request_id version type status columns"
        " namespace model top_n filter filters sql q search_query lang language region"
    )
    | _COUNT_KEYS
)
_NEUTRAL_WORDS = frozenset(
    ["ok", "success", "succeeded", "done", "completed", "complete", "true", "false", "200"]
)
_NOTHING_FOUND = re.compile(
    r"""\W{0,4}(?:(?:sorry|unfortunately|error)\W{1,3})?(?:
      no\s(?:\w{1,20}\s){0,3}?(?:results?|matches|match|documents?|records?|rows?|items?|data|hits?
        |entries|information|products?|articles?|papers?|files?|passages?|answers?|events?|pages?)
        (?:\s(?:were|was|could\sbe|have\sbeen|are|is))?(?:\s(?:found|available|returned|matched
        |match|matching|for)|\W{0,3}\Z)
    | nothing\s(?:was\s)?found | not\sfound\W{0,3}\Z | none\sfound | empty\s(?:result|set|response)
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
_LONGEST_SENTENCE = 300  # characters: a longer text says more than that nothing was found


def is_empty_result(output: Body, given: Body) -> bool:
    """Whether a result holds nothing: null, blank, or an object with only empty values.

    Counts, flags and repetitions of the input (`given`) count as empty too, as in
    `{"query": "x", "results": [], "total": 0}`; so does a sentence that nothing was found.
    """
    value = output.opened
    if isinstance(value, str):
        return not value.strip() or says_nothing_found(value)
    if _has_empty_yield(value):
        return True
    echoed: frozenset[Any] | None = None
    has_empty_leaf = False
    for leaf in output.leaves:
        if _is_empty_leaf(leaf):
            has_empty_leaf = True
        elif not _is_neutral(leaf):
            if echoed is None:
                echoed = frozenset(
                    each.value for each in given.leaves if isinstance(each.value, str | int)
                )
            if not isinstance(leaf.value, str | int) or leaf.value not in echoed:
                return False
    return has_empty_leaf


def says_nothing_found(text: str) -> bool:
    """Whether a short text says that a lookup found nothing, in any of several languages."""
    return len(text) <= _LONGEST_SENTENCE and _NOTHING_FOUND.match(text) is not None


def _is_empty_leaf(leaf: Leaf) -> bool:
    value = leaf.value
    if isinstance(value, str):
        return not value or value.isspace() or says_nothing_found(value)
    return value is None or value in ([], {}) or (value == 0 and leaf.key in _COUNT_KEYS)


def _is_neutral(leaf: Leaf) -> bool:
    value = leaf.value
    return (
        isinstance(value, bool)
        or value == 0
        or leaf.key in _NEUTRAL_KEYS
        or (isinstance(value, str) and value.lower() in _NEUTRAL_WORDS)
    )


def _has_empty_yield(value: Any) -> bool:
    """Whether an object has fields for what was found and all of them are empty, whatever else
    it says: `{"columns": ["id"], "rows": []}`, `{"tables": {}}`, `{"rows": 0}`."""
    if isinstance(value, Mapping) and len(value) == 1:
        (inner,) = value.values()
        value = inner if isinstance(inner, Mapping) and inner else value
    if not isinstance(value, Mapping):
        return False
    yields = [
        inner
        for key, inner in value.items()
        if plain_key(key) in _YIELD_KEYS and plain_key(key) != "columns"
    ]
    return bool(yields) and all(
        inner is None or inner in ("", [], {}) or (inner == 0 and inner is not False)
        for inner in yields
    )
