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


# Nothing came back, and the answer states figures, in the envelopes of several SDKs.
INVENTED = CaseList("invented_after_nothing")
_SHORT = "Nie, psy do 8 kg jadą bez biletu. Kaganiec nie jest potrzebny do 40 cm."
_ENVELOPES: dict[str, tuple[Any, Any]] = {
    "haystack": ({"query": "bilet dla psa", "top_k": 10}, {"documents": []}),
    "langchain": ({"query": "bilet dla psa"}, {"output": []}),
    "llama_index": ({"str_or_query_bundle": "bilet dla psa", "query": "pies"}, {"nodes": []}),
    "dspy": ({"query": "bilet dla psa", "k": 3}, {"passages": []}),
    "openinference": (
        {"input.value": '{"query": "bilet dla psa"}', "input.mime_type": "application/json"},
        {"output.value": '{"treff": [], "indeks": "regler"}', "output.mime_type": "x/json"},
    ),
    "otel": (
        {"gen_ai.tool.call.arguments": '{"query": "bilet dla psa"}'},
        {"gen_ai.tool.call.result": '{"wyniki": [], "kolekcja": "2021"}', "gen_ai.x": 1},
    ),
}
for _name, (_given, _nothing) in _ENVELOPES.items():
    INVENTED.add(
        _name,
        span("search_rules", type="tool", input=_given, output=_nothing, right=True),
        model(says(_SHORT), asked="Fragmenty: []\nCzy pies potrzebuje biletu?", right=True),
        question="Czy pies potrzebuje biletu?",
        answer=_SHORT,
        says="answered all the same",
    )

# Old results without the word cache: a dead device, one unlike its peers, an index of years ago.
DATED = CaseList("dated_result")
_NOW, _PAST = "2026-05-04T06:10:00+00:00", "2026-04-11T06:10:00+00:00"


def _readings(name: str, key: str, past: str, *, right: bool = True, **more: Any) -> None:
    """Three readings of water levels, the last of them with another date."""
    DATED.add(
        name,
        *(tool("level", {"pier": n}, {"pier": n, "cm": 200 + n, key: _NOW}) for n in (1, 2)),
        tool("level", {"pier": 3}, {"pier": 3, "cm": 140, key: past} | more, right=right),
        model(says("Pier 3 has 140 cm, dredge it."), asked="201 cm, 202 cm, 140 cm: which pier?"),
        question="Which pier has to be dredged?",
        answer="Pier 3 has 140 cm, dredge it.",
    )


_readings("older_than_its_peers", "measured_at", _PAST)
_readings("spanish_with_a_dead_battery", "leido", _PAST, bateria_pct=0)
_readings("german", "gemessen_am", _PAST, akku=0)
_readings("updated", "last_updated", _PAST)
_readings("japanese", "測定時刻", _PAST)
_readings("fresh_healthy", "measured_at", _NOW, right=False)
_readings("of_yesterday_healthy", "measured_at", "2026-05-03T06:10:00+00:00", right=False)
_readings("made_long_ago_healthy", "installed_at", _PAST, right=False)
for _name, _result, _wrong in (
    ("old_index", {"hits": [], "index": "stops-snapshot", "updated": "2019-02-11"}, True),
    ("old_index_norwegian", {"treff": [], "oppdatert": "2019-02-11", "indeks": "kaier"}, True),
    ("old_and_found_healthy", {"hits": ["M"], "index": "x", "updated": "2019-02-11"}, False),
):
    DATED.add(
        _name,
        tool("find_stops", {"query": "Moskenes"}, _result, right=_wrong),
        model(says("No ferry leaves from Moskenes. Try another pier."), asked="When is the next?"),
        question="When does the ferry leave Moskenes?",
        answer="No ferry leaves from Moskenes. Try another pier.",
    )

# A document that its record calls replaced was read before the current one.
REPLACED = CaseList("replaced_document")
_OLD_RULE = "Dogs travel in the car only, against a deposit of 25 euros at the counter."
_NEW_RULE = "Dogs travel free on the open deck, muzzled and leashed."


def _ranked(name: str, old: dict[str, Any], new: dict[str, Any], answer: str) -> None:
    """A ranker with both rules, the old one first; faulty where the answer is the old one's."""
    right = not name.endswith("_healthy")
    documents = [{"content": _OLD_RULE} | old, {"content": _NEW_RULE} | new]
    REPLACED.add(
        name,
        span(
            "ranker",
            input={"query": "May dogs travel?", "documents": documents[::-1]},
            output={"documents": documents},
            right=right,
        ),
        model(says(answer), asked=f"{_OLD_RULE} {_NEW_RULE} May dogs travel?", right=right),
        question="May dogs travel?",
        answer=answer,
        says="" if not right else "others stood beside it",
    )


_FROM_OLD = "Dogs travel in the car only, leave a deposit of 25 euros at the counter."
_FROM_NEW = "Dogs travel free on the open deck, muzzled and on a leash."
for _name, _old, _new in (
    ("status", {"meta": {"status": "superseded"}}, {"meta": {"status": "in force"}}),
    ("danish", {"meta": {"status": "erstattet af 2025"}}, {"meta": {"status": "gældende"}}),
    ("successor", {"replaced_by": "rule-2025"}, {"replaced_by": None}),
    ("german_key", {"gültig": False}, {"gültig": True}),
    ("japanese", {"状態": "廃止"}, {"状態": "現行"}),
):
    _ranked(_name, _old, _new, _FROM_OLD)
    _ranked(f"{_name}_not_read_healthy", _old, _new, _FROM_NEW)
_ranked("both_in_force_healthy", {"status": "in force"}, {"status": "in force"}, _FROM_OLD)

# Arguments of a call that end in the middle, after which the model gave up.
CUT_CALL = CaseList("cut_arguments")
_CUT = '{"sailing": "FB-2291", "seats": 2, "name": "K. Ny'


def _called_with(arguments: str) -> dict[str, Any]:
    function = {"name": "hold_seats", "arguments": arguments}
    message = {"role": "assistant", "content": None, "tool_calls": [{"function": function}]}
    return {"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}


_GAVE_UP = "The seats could not be held, please try again later."
_HOLD = [{"role": "user", "content": "Hold two seats for me on FB-2291, please."}]
_REFUSED = [*_HOLD, {"role": "tool", "content": "Error: arguments were invalid JSON."}]
_READ = tool("free_seats", {"sailing": "FB-2291"}, {"free": 14})
CUT_CALL.add(
    "gave_up",
    _READ,
    model(_called_with(_CUT), asked=_HOLD, right=True),
    model(says(_GAVE_UP), asked=_REFUSED),
    question="Hold two seats for me on FB-2291, please.",
    answer=_GAVE_UP,
    says="arguments of its call of hold_seats",
)
_HELD = tool("hold_seats", {"sailing": "FB-2291", "seats": 2}, {"held": 2})
CUT_CALL.add(
    "called_again_healthy",
    _READ,
    model(_called_with(_CUT), asked=_HOLD),
    model(_called_with('{"sailing": "FB-2291", "seats": 2}'), asked=_REFUSED),
    _HELD,
    model(says("Two seats are held."), asked=_REFUSED),
    question="Hold two seats for me on FB-2291, please.",
    answer="Two seats are held.",
)
