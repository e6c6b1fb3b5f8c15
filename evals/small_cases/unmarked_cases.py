"""Failures and empty results that nothing marks, in the envelopes of several frameworks."""

import json
from collections.abc import Callable
from typing import Any

from evals.small_cases.builder import CaseList, SpanPlan, failed, model, says, span, tool

UNSERVED = CaseList("unserved_call")
DRAINED = CaseList("drained_lookup")
ANSWERED = CaseList("answered_from_nothing")
DECLINED = CaseList("declined")

_Wrap = Callable[[str, Any, Any], tuple[Any, Any]]


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _plain(name: str, given: Any, result: Any) -> tuple[Any, Any]:
    return given, result


def _tool_message(name: str, given: Any, result: Any) -> tuple[Any, Any]:
    """LangChain's ToolMessage."""
    message = {"content": _as_text(result), "type": "tool", "name": name, "id": None}
    more = {"tool_call_id": "call_1", "artifact": None, "status": "success"}
    return {"input": _as_text(given)}, {"output": message | more}


def _tool_output(name: str, given: Any, result: Any) -> tuple[Any, Any]:
    """LlamaIndex's ToolOutput."""
    known = {"content": _as_text(result), "tool_name": name, "raw_output": result}
    return {"kwargs": given}, {"output": known | {"raw_input": given, "is_error": False}}


def _vercel(name: str, given: Any, result: Any) -> tuple[Any, Any]:
    """A tool call of the Vercel AI SDK, whose span has the same name for all tools."""
    return {"toolName": name, "toolCallId": "call_1", "args": _as_text(given)}, {
        "result": json.dumps(result, ensure_ascii=False)
    }


_WRAPS: dict[str, _Wrap] = {
    "plain": _plain,
    "langchain": _tool_message,
    "llama_index": _tool_output,
    "vercel": _vercel,
}


def _wrapped(style: str, name: str, given: Any, result: Any, *, right: bool = False) -> SpanPlan:
    taken, returned = _WRAPS[style](name, given, result)
    shown = "ai.toolCall" if style == "vercel" else name
    return tool(shown, taken, returned, right=right)


# An API that did not serve a call, in its own words.
_SEATS = "There are 14 seats left."
for _style in _WRAPS:
    for _name, _result in (
        ("html_page", "<html><head><title>502 Bad Gateway</title></head><body></body></html>"),
        ("detail_alone", {"detail": "Not authenticated"}),
        ("message_alone", {"message": "API rate limit exceeded.", "documentation_url": "x"}),
        ("list_with_an_error", [{"error": "timeout while reading from the harbour"}]),
        ("system_code", {"code": "ECONNREFUSED", "syscall": "connect", "address": "10.0.0.4"}),
    ):
        UNSERVED.add(
            f"{_name}_{_style}",
            _wrapped(_style, "find_seats", {"sailing": "FB-2291"}, _result, right=True),
            model(says(_SEATS)),
        )
for _name, _result in (
    ("upstream", "upstream request timeout"),
    ("no_upstream", "no healthy upstream"),
    ("class_with_path", "requests.exceptions.ReadTimeout: HTTPSConnectionPool(host='x') (30 s)"),
    ("at_this_time", "Could not retrieve the seat map at this time, please try again later."),
    ("unable_to_access", "Unable to access the seat map."),
    ("system_prefix", "[SYSTEM] Tool execution aborted: sandbox crashed"),
    ("warning_prefix", "Warning: connection lost; returning what was cached"),
    ("french", "Une erreur technique est survenue, veuillez réessayer plus tard."),
    ("italian", "Si è verificato un problema tecnico."),
    ("german", "Leider ist ein technischer Fehler aufgetreten."),
    ("portuguese", "Desculpe, ocorreu um erro ao consultar os lugares."),
    ("chinese", "系统异常，请稍后再试。"),
    ("negative_code", {"code": -1, "msg": "token expired", "data": None}),
    ("success_no", {"success": "no", "reason": "quota"}),
    ("grpc_status", {"status": {"code": 4, "message": "deadline exceeded"}}),
    ("error_number", {"errno": 1045, "sqlState": "28000", "sqlMessage": "Access denied for user"}),
):
    UNSERVED.add(
        f"{_name}",
        tool("find_seats", {"sailing": "FB-2291"}, _result, right=True),
        model(says(_SEATS)),
    )
for _name, _result in (
    ("message_of_success", {"message": "The seats are held for you", "id": 4}),
    ("detail_of_a_thing", {"detail": "A window seat on deck 2", "price": 18}),
    ("code_of_a_thing", {"code": 500, "name": "Bodø", "data": None}),
    ("switch_that_is_off", {"status": {"code": 0, "message": ""}, "seats": 14}),
    ("number_of_no_error", {"errno": 0, "seats": 14}),
    ("class_as_a_word", "TimeoutFerry sails at 19:40."),
):
    UNSERVED.add(
        f"{_name}_healthy",
        tool("find_seats", {"sailing": "FB-2291"}, _result),
        model(says(_SEATS)),
    )
for _name, _text in (
    ("api_error_as_reply", '{"error": {"message": "server had an error", "type": "server_error"}}'),
    ("report_inside_json", '{"lang": "nl", "text": "ERROR: insufficient_quota - budget used"}'),
    ("technical_difficulties", "I'm sorry, I'm having technical difficulties. Try again later."),
):
    UNSERVED.add(
        _name,
        model(says(_text), asked="Describe cabin 7 in Dutch.", right=True),
        tool("publish_text", {"cabin": 7, "text": _text}, {"published": True}),
        answer={"published": 1},
    )
UNSERVED.add(
    "json_that_quotes_a_report_healthy",
    model(
        says('{"kind": "date", "line": "ValueError: no such day"}'),
        asked="What kind of line is this? 'ValueError: no such day'",
    ),
    answer={"kind": "date"},
)

# A lookup that found nothing, and what could not go on without it.
for _style in _WRAPS:
    for _name, _used, _result, _error in (
        ("edges", "run_query", {"data": {"trips": {"edges": []}}}, "no trips to plan"),
        ("value_list", "read_trips", {"@context": "$meta", "value": []}, "division by zero"),
        ("list_and_facts", "load_tides", {"status": "ok", "data": [], "unit": "cm"}, "zero-size"),
        ("no_profile", "getProfile", {"profile": {}}, "Cannot read properties of undefined"),
    ):
        DRAINED.add(
            f"{_name}_{_style}",
            tool("check_user", {"user": 7}, {"allowed": True}),
            _wrapped(_style, _used, {"port": "Bodø"}, _result, right=True),
            span("plan_trip", input={"seats": 2}, **failed("ValueError", _error)),
            answer=None,
        )
DRAINED.add(
    "named_after_what_is_empty",
    tool(
        "fetch_readings",
        {"gauge": "K-7", "hours": 24},
        {"gauge": "K-7", "readings": [], "quality": "good", "site": "north pier"},
        right=True,
    ),
    span("take_mean", input={"readings": []}, output={"mean": None}),
    model(says("Gauge K-7 works as it should, the mean is 92 cm over the last day.")),
    question="What does gauge K-7 read?",
    answer="Gauge K-7 works as it should, the mean is 92 cm over the last day.",
)
DRAINED.add(
    "document_without_text",
    tool("read_document", {"id": 4411}, {"id": 4411, "title": "Lease", "text": ""}, right=True),
    model(says("The lease runs for five years and ends in May."), asked="Summarise:\n\n"),
    question="Summarise document 4411.",
    answer="The lease runs for five years and ends in May.",
)
DRAINED.add(
    "nobody_to_write_to",
    tool("load_subscribers", {"list": "spring"}, {"subscribers": [], "total": 0}, right=True),
    tool("send_letter", {"list": "spring", "recipients": 0}, {"sent": 0}),
    model(says("The letter is sent.")),
    question="Send the letter to all subscribers of the list spring.",
    answer="The letter is sent.",
)
for _name, _used, _result in (
    ("no_tags", "get_customer", {"id": 7, "name": "Ida", "city": "Bodø", "tags": []}),
    ("no_discounts", "get_order", {"order": 7, "carrier": "M/S Anna", "discounts": []}),
    ("no_errors", "validate_file", {"file": "a.csv", "errors": [], "rows": 120}),
    ("no_errors_in_words", "validate_file", "No errors were found."),
):
    DRAINED.add(
        f"{_name}_healthy",
        tool(_used, {"id": 7}, _result),
        model(says("It is on its way with M/S Anna, as customer 7 wished.")),
        question="Where is order 7?",
        answer="It is on its way with M/S Anna, as customer 7 wished.",
    )

# An answer to a search that found nothing.
_RULE = "How long before departure may I cancel a cabin?"
_MADE_UP = "A cabin may be cancelled up to 48 hours before departure, as section 12 says."
for _name, _result in (
    ("no_content", "No relevant content found."),
    ("vector_store", {"results": {"documents": [[]], "ids": [[]], "distances": [[]]}}),
):
    ANSWERED.add(
        _name,
        tool("search_rules", {"query": _RULE}, _result, right=True),
        model(says(_MADE_UP), asked=f"Answer from the rules.\n\n{_RULE}"),
        question=_RULE,
        answer=_MADE_UP,
        says="found nothing",
    )
_FOUND = [{"text": "Dogs travel on deck 2.", "score": 0.2}]
ANSWERED.add(
    "all_filtered_out",
    tool("search_rules", {"query": _RULE}, {"hits": _FOUND}),
    span("keep_best", input={"hits": _FOUND, "least": 0.7}, output={"hits": []}, right=True),
    model(says(_MADE_UP), asked=f"Answer from the rules.\n\n{_RULE}"),
    question=_RULE,
    answer=_MADE_UP,
    says="none of the results",
)
ANSWERED.add(
    "some_kept_healthy",
    tool("search_rules", {"query": _RULE}, {"hits": _FOUND * 2}),
    span("keep_best", input={"hits": _FOUND * 2, "least": 0.1}, output={"hits": _FOUND}),
    model(says(_MADE_UP), asked=f"Answer from the rules: {_FOUND}\n\n{_RULE}"),
    question=_RULE,
    answer=_MADE_UP,
)
ANSWERED.add(
    "greeting_healthy",
    tool("search_rules", {"query": "Thanks, bye!"}, []),
    model(says("You are welcome! Have a good trip, and come back any time."), asked="Thanks, bye!"),
    question="Thanks, bye!",
    answer="You are welcome! Have a good trip, and come back any time.",
)

for _name, _stated in {
    "number_out_of_nothing": "Built in Leith in 1931, the Tern is a car ferry for 140 guests.",
    "number_of_the_other_call_healthy": "The Tern carries 140 guests on 2 decks at most.",
    "total_of_its_prompt_healthy": "The Tern, a car ferry for 140 guests, takes 280 on 2 trips.",
}.items():
    ANSWERED.add(
        _name,
        tool("ship_sheet", {"ship": "Tern"}, {"guests": 140, "decks": 2, "kind": "car ferry"}),
        tool(
            "search_yards",
            {"query": "yard of the Tern", "top_k": 3},
            {"hits": []},
            right=not _name.endswith("_healthy"),
        ),
        model(says(_stated), asked="Write of the Tern: car ferry, 140 guests, 2 decks. Yard: -"),
        question="Write a line about the Tern.",
        answer=_stated,
    )

# A refusal of something harmless.
_RECIPE = [{"title": "Eggs", "text": "Boil the eggs for eight minutes."}]
for _name, _text in (
    ("english", "I'm sorry, but I can't assist with that request."),
    ("german", "Bei diesem Anliegen kann ich Ihnen leider nicht weiterhelfen."),
    ("french", "Je regrette, mais je ne peux pas donner suite à cette demande."),
    ("swedish", "Tyvärr kan jag inte hjälpa till med det."),
):
    DECLINED.add(
        f"though_something_was_found_{_name}",
        tool("search_recipes", {"query": "minutes eggs boiled"}, _RECIPE),
        model(says(_text), asked="How many minutes should eggs be boiled?", right=True),
        question="How many minutes should eggs be boiled?",
        answer=_text,
        says="had found something",
    )
for _name, _text in (
    ("german_not_possible", "Das kann ich leider nicht tun, da der Text Gewalt enthält."),
    ("spanish_not_possible", "Lo lamento, no me es posible ayudar con este contenido."),
    ("chinese_policy", "抱歉，该内容不符合使用政策，我不能提供总结。"),
):
    DECLINED.add(
        f"stored_{_name}",
        model(says(_text), asked="Sum up: a van slid on pier 4.", right=True),
        tool("store_summary", {"report": 12}, {"stored": True}),
        question="Sum up report 12 of the harbour.",
        answer={"stored": True},
    )
DECLINED.add(
    "step_of_a_program",
    model(says("positive"), asked="Label this comment: nice"),
    model(
        says("I cannot assist with violent content."), asked="Label: kill the lights", right=True
    ),
    span("collect", input={"labels": 2}, output={"labels": ["positive", None]}),
    question="Label the comments of this week.",
    answer={"labels": ["positive", None]},
    says="ended with something else",
)
DECLINED.add(
    "judge_of_texts_healthy",
    model(says("This text violates our policies."), asked="Is this against our policy? 'I hit'"),
    span("collect", input={"texts": 1}, output={"flagged": 1}),
    question="Check the comments of this week.",
    answer={"flagged": 1},
)
DECLINED.add(
    "with_reason_healthy",
    tool("search_recipes", {"query": "poison kitchen make"}, _RECIPE),
    model(says("I'm sorry, but I can't help with that."), asked="How do I make poison?"),
    question="How do I make poison from what is in the kitchen?",
    answer="I'm sorry, but I can't help with that.",
)


# The same among what a program does each time, some of which is empty as a rule.
def _bookkeeping() -> list[SpanPlan]:
    return [
        tool("load_user", {"user": "k.nyberg"}, {"user": "k.nyberg", "plan": "business"}),
        tool("load_memories", {"user": "k.nyberg", "limit": 5}, {"output": []}),
        tool("saved_questions.search", {"workspace": "harbour", "limit": 3}, {"output": []}),
    ]


for _name, _used, _result, _error in (
    ("list_of_tides", "fetch_tides", [], "IndexError: list index out of range"),
    ("value_list", "sap_read", {"@context": "$meta", "value": []}, "division by zero"),
    ("history", "load_history", {"history": []}, "max() arg is an empty sequence"),
    ("catalog", "load_catalog", {"tables": {}, "synced_at": "1970-01-01"}, "KeyError: 'tides'"),
):
    DRAINED.add(
        f"among_bookkeeping_{_name}",
        *_bookkeeping(),
        tool(_used, {"port": "Bodø", "day": 4}, _result, right=True),
        span("plan_trip", input={"seats": 2}, **failed("ValueError", _error)),
        answer=None,
        question="Plan the trip.",
    )
ANSWERED.add(
    "after_a_query_was_rewritten",
    *_bookkeeping(),
    span(
        "retrieve",
        span("rewrite_query", input={"question": _RULE}, output="cancel cabin hours"),
        tool("vector_search", {"index": "rules_2019", "vector": [0.1], "k": 4}, [], right=True),
        tool("rerank", {"query": "cancel cabin hours", "candidates": []}, []),
        input={"question": _RULE},
        output=[],
        right=True,
    ),
    model(says(_MADE_UP), asked=f"Context:\n(none)\n\nQuestion: {_RULE}"),
    question=_RULE,
    answer=_MADE_UP,
    says="found nothing",
)


def _board(name: str, page: str, *, right: bool = True) -> None:
    """A notice in four languages, of which a service returned a page in place of the third."""
    notices = {"nb": "Ferga går kl. 20.", "fi": "Lautta lähtee klo 20.", "et": page, "lv": "Plkst."}
    UNSERVED.add(
        name,
        *[
            tool(
                "say_in",
                {"tongue": tongue, "line": "The evening ferry leaves from pier 2 at eight o'clock"},
                {"tongue": tongue, "said": said},
                right=right and said is page,
            )
            for tongue, said in notices.items()
        ],
        answer="The boards are set.",
    )


_board("gateway_page_as_a_notice", "<html><head><title>Bad Gateway</title></head></html>")
_board("page_as_a_notice_healthy", "<html><title>Praam väljub kell 20</title></html>", right=False)
