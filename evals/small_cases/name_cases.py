"""Names that hold a word in which a rule looks for another: `shipping` holds no `ping`."""

from typing import Any

from evals.small_cases.builder import CaseList, SpanPlan, calls, failed, model, says, span, tool

_QUESTION = "Which piers can the Alma use this week?"
_ANSWER = "The Alma can use the piers of Aarle, Breda and Cadzand."

# One of several calls returned nothing, where the name is not that of a check, a write or a store.
ODD = CaseList("empty_unlike_the_others")
_ODD_NAMES = (
    "get_shipping_rates",
    "listMappings",
    "get-definition",
    "Find closest pier",
    "tools.initial_fares",
    "fetch_bookstores",
    "getRewrittenRules",
)


def _call_for_each(name: str, empty: Any, *, right: bool) -> list[SpanPlan]:
    places = ["Aarle", "Breda", "Cadzand", "Doel", "Ede", "Fijnaart"]
    return [
        tool(name, {"place": place}, empty, right=right, at=0.0)
        if place == "Doel"
        else tool(name, {"place": place}, {"items": [{"pier": at + 2}]}, at=0.0)
        for at, place in enumerate(places)
    ]


for _name in _ODD_NAMES:
    ODD.add(
        "".join(filter(str.isalnum, _name)).lower(),
        *_call_for_each(_name, {"items": []}, right=True),
        model(says(_ANSWER), asked=_QUESTION),
        question=_QUESTION,
        answer=_ANSWER,
        says="returned nothing",
    )
for _name in (
    "ping_pier",
    "validateBerth",
    "store-fee",
    "Check closed piers",
    "is_init_done",
    "hull.match",
    "recognizeCrew",
    "bojen_erkennen",
):
    ODD.add(
        f"{''.join(filter(str.isalnum, _name)).lower()}_healthy",
        *_call_for_each(_name, {"items": []}, right=False),
        model(says(_ANSWER), asked=_QUESTION),
        question=_QUESTION,
        answer=_ANSWER,
    )

# A lookup whose name holds `code` or `exec` found nothing; it is no program that printed nothing.
FOUND_NOTHING = CaseList("lookup_found_nothing")
_LOOKUPS: dict[str, tuple[str, dict[str, Any]]] = {
    "opentelemetry": ("execute_tool search_crossings", {"query": "crossings to Doel on 5 June"}),
    "geocode": ("geocode_search", {"query": "ferry pier of Doel"}),
    "zip_code": ("zip_code_lookup.search", {"query": "Doel, river side"}),
    "replacement": ("searchReplacementBuses", {"query": "buses from Doel on 5 June"}),
}
for _name, (_tool, _given) in _LOOKUPS.items():
    FOUND_NOTHING.add(
        _name,
        model(calls(_tool.split()[-1], _given), asked=_QUESTION),
        tool(_tool, _given, [], right=True),
        answer="",
        question=_QUESTION,
        says="it searched for “" + _given["query"],
    )

# A rate that a tool could not give is missing, whatever stands inside of its name.
MISSING = CaseList("error_of_a_call_for_data")
_TIMED_OUT = failed("TimeoutError", "no answer from rates.example within 5 s")
for _name in ("frankfurt_rates", "isometric_plan"):
    MISSING.add(
        _name,
        span(
            "collect", span(_name, type="tool", right=True, input={"day": "5 June"}, **_TIMED_OUT)
        ),
        model(says(_ANSWER), asked=_QUESTION),
        question=_QUESTION,
        answer=_ANSWER,
    )
for _name in ("rank_rates", "sendMetrics", "audit-log"):
    MISSING.add(
        f"{''.join(filter(str.isalnum, _name)).lower()}_healthy",
        span("collect", span(_name, type="tool", input={"day": "5 June"}, **_TIMED_OUT)),
        model(says(_ANSWER), asked=_QUESTION),
        question=_QUESTION,
        answer=_ANSWER,
    )
