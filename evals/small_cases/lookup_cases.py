"""Lookups that found nothing: in a memory on a first run, and where an answer rests on them."""

from typing import Any

from evals.small_cases.builder import CaseList, SpanPlan, failed, model, says, span, tool

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

# What was empty first, when several steps hand it on to one that fails.
ORIGIN = CaseList("empty_origin")
_RANGE = failed("IndexError", "list index out of range")
ORIGIN.add(
    "handed_on_by_steps",
    tool("absences", {"day": "2026-05-04"}, {"absent": []}),
    tool(
        "duty_list", {"pier": "N2", "day": "2026-05-04"}, {"status": "ok", "vakter": []}, right=True
    ),
    span("keep_fit", input={"vakter": 0, "papers": ["deck"]}, output={"candidates": []}),
    span("take_first", input={"candidates": []}, **_RANGE),
    answer=None,
    **_RANGE,
)
ORIGIN.add(
    "inside_a_step",
    *[
        span(
            "pier",
            span(
                "read_gauges",
                tool("gauges", {"pier": pier}, {"rows": rows}, right=not rows),
                input={"pier": pier},
                output={"pier": pier, "count": len(rows)},
                right=not rows,
            ),
            input={"pier": pier},
            output={"pier": pier, "level": "calm" if rows else None},
        )
        for pier, rows in (("N1", [4, 7]), ("N2", [3]), ("S1", [9, 2]), ("S4", []), ("S5", [1]))
    ],
    span("draw_map", input={"piers": 5}, **failed("KeyError", "'S4'")),
    answer=None,
    **failed("KeyError", "'S4'"),
)
ORIGIN.add(
    "search_inside_a_retriever",
    span(
        "retrieve",
        span("embed", type="llm", input={"input": "dogs"}, output={"data": [0.1, 0.2]}),
        tool("qdrant.search", {"collection": "rules", "limit": 4}, {"points": []}, right=True),
        input={"q": "May dogs travel on deck 9 of the Ida?"},
        output={"n": 0},
    ),
    model(says("Yes, dogs travel on deck 9 of the Ida for 12 EUR."), asked="May dogs travel?"),
    question="May dogs travel on deck 9 of the Ida?",
    answer="Yes, dogs travel on deck 9 of the Ida for 12 EUR.",
)
ORIGIN.add(
    "handed_on_under_another_key",
    tool("other_piers", {"pier": "N2"}, {"others": [{"pier": "N3"}]}),
    span(
        "check_stock",
        tool(
            "erp_view",
            {"view": "V_STOCK", "store": "02"},
            {"durum": "tamam", "rows_of_stock": [], "seen": {"by": "erp", "in": "V_STOCK"}},
            right=True,
        ),
        tool("recipe", {"batch": "P-77"}, {"parts": [{"code": "RB-19", "grams": 18.5}]}),
        span("match", input={"stock": {}, "parts": ["RB-19"]}, **failed("KeyError", "'RB-19'")),
        input={"batch": "P-77"},
        **failed("KeyError", "'RB-19'"),
    ),
    answer=None,
    **failed("KeyError", "'RB-19'"),
)
ORIGIN.add(
    "null_named_like_the_empty_input",
    tool("crew_list", {"ship": "Ida"}, {"crew": ["Ask", "Embla"]}),
    tool("rota.forecast", {"crew": ["Ask", "Embla"]}, None, right=True),
    span("plan_watch", input={"rota": {}}, **failed("KeyError", "'Ask'")),
    answer=None,
    says="plan_watch was then called with an empty rota",
)
