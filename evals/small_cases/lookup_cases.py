"""Lookups that found nothing: in a memory on a first run, and where an answer rests on them."""

from typing import Any

from evals.small_cases.builder import CaseList, SpanPlan, model, says, span, tool

MEMORY = CaseList("memory_lookup")

_QUESTION = "Which boats are free for twelve guests on 5 June?"
_ANSWER = "Free on 5 June for twelve guests: the Alma for 680 EUR and the Tern for 590 EUR."
_BOATS = {"boats": [{"name": "Alma", "eur": 680}, {"name": "Tern", "eur": 590}]}
_QUERY = {"query": _QUESTION, "limit": 3}


# A memory of earlier conversations is empty on a first run, whatever its name and its store.
_EMPTY_MEMORIES: dict[str, SpanPlan] = {
    "query": tool("memory.query", _QUERY, {"results": []}),
    "search_of_a_user": tool("mem0.search", _QUERY | {"user_id": "u-17"}, {"results": []}),
    "short_and_long_term": span(
        "contextual memory",
        tool("short_term.search", _QUERY, []),
        tool("entity.search", _QUERY, []),
        input={"task": _QUESTION},
        output="",
    ),
    "namespace_of_a_store": tool(
        "store.search", {"namespace": ["memories", "u-17"], "query": "boat"}, []
    ),
    "collection_of_vectors": tool(
        "vector.query", {"collection": "mémoire", "query": "bateau", "k": 4}, {"matches": []}
    ),
    "japanese": tool("記憶検索", {"query": "船 十二名"}, {"results": []}),
    "german": tool("gedächtnis_suche", {"suchbegriff": "Boot für zwölf"}, {"treffer": []}),
    "past_conversations": tool("past_conversations_search", _QUERY, {"hits": [], "total": 0}),
    "preferences": tool("user_preferences.search", {"query": "preferences"}, {"results": []}),
}
for _name, _memory in _EMPTY_MEMORIES.items():
    MEMORY.add(
        f"{_name}_healthy",
        _memory,
        model(says(_ANSWER), asked=f"{_BOATS} {_QUESTION}"),
        question=_QUESTION,
        answer=_ANSWER,
    )
    MEMORY.add(
        f"{_name}_beside_a_tool_healthy",
        _memory,
        tool("free_boats", {"guests": 12, "date": "2026-06-05"}, _BOATS),
        model(says(_ANSWER), asked=f"{_BOATS} {_QUESTION}"),
        tool("memory.save", {"text": _ANSWER}, {"saved": True}),
        question=_QUESTION,
        answer=_ANSWER,
    )


def _from_nothing(name: str, search: tuple[str, Any, Any]) -> None:
    MEMORY.add(
        name,
        tool("memory.query", _QUERY, {"results": []}),
        tool(*search, right=True),
        model(says(_ANSWER), asked=_QUESTION, right=True),
        question=_QUESTION,
        answer=_ANSWER,
        says="answered all the same",
    )


_from_nothing("beside_an_empty_search", ("search_boats", _QUERY, {"results": []}))
_from_nothing("beside_an_empty_index", ("retriever", {"query": "boats", "top_k": 4}, []))
