"""Faults whose cause lies in an earlier step: lost values, refusals, failing code, missing keys."""

from typing import Any

from evals.small_cases.builder import (
    CaseList,
    Json,
    SpanPlan,
    calls,
    failed,
    model,
    says,
    span,
    tool,
)

LOST = CaseList("lost_value")
REFUSAL = CaseList("refusal")
CODE = CaseList("failing_code")
MISSING = CaseList("missing_key")
FORMAT = CaseList("asked_format")
NOT_ASKED = CaseList("empty_prompt")
HANDED_ON = CaseList("handed_on")

_GAVE_UP = "Sorry, I could not finish this."


# A value that was known and is not any more.
def _hand_over(name: str, before: Any, after: Any, *, right: bool = True) -> None:
    """An identifier that is known at first, handed over, and used by two look-ups."""
    found = {"name": "Ida Moe"} if not right else None
    LOST.add(
        name,
        span("identify", input={"mail": "ida@e.org"}, output={"passenger_id": before}),
        tool("read_history", {"passenger_id": before}, {"trips": 4}),
        span(
            "hand_over",
            input={"passenger_id": before, "wish": "refund"},
            output={"summary": "The passenger wants a refund.", "passenger_id": after},
            right=right,
        ),
        tool("read_ticket", {"passenger_id": after}, found, right=right),
        tool("open_refund", {"passenger_id": after, "amount": 18}, found, right=right),
        model(says("We need your passenger number." if right else "The refund is open.")),
        question="I want my money back for yesterday's ferry.",
        answer="We need your passenger number." if right else "The refund is open.",
    )


_hand_over("becomes_null", "P-8812", None)
_hand_over("becomes_empty", "P-8812", "")
_hand_over("becomes_unknown", "P-8812", "unknown")
_hand_over("becomes_another_one", "P-8812", "P-0001")
_hand_over("stays_healthy", "P-8812", "P-8812", right=False)
LOST.add(
    "argument_differs_from_the_question",
    model(calls("list_bookings", {"passenger_id": "all"}), right=True),
    tool("list_bookings", {"passenger_id": "all"}, {"bookings": ["A", "B", "C"]}, right=True),
    model(says("Your bookings are A, B and C.")),
    question={"text": "Show my bookings", "passenger_id": "P-8812"},
    answer="Your bookings are A, B and C.",
    feedback_scores=[{"name": "User feedback", "value": 0.0, "reason": "not my bookings"}],
)
LOST.add(
    "optional_field_always_null_healthy",
    span("identify", input={"mail": "ida@e.org"}, output={"passenger_id": "P-1", "title": None}),
    tool("read_ticket", {"passenger_id": "P-1", "title": None}, {"ticket": "T-1"}),
    tool("open_refund", {"passenger_id": "P-1", "title": None}, {"refund": "R-1"}),
    model(says("The refund R-1 is open.")),
)
LOST.add(
    "cursor_changes_on_each_page_healthy",
    *[
        tool(
            "list_trips",
            {"cursor": f"after-trip-{page}"},
            {"next": f"after-trip-{page + 1}", "trips": [page]},
        )
        for page in range(3)
    ],
    tool("list_trips", {"cursor": "after-trip-3"}, {"next": None, "trips": [3]}),
    model(says("There were four trips.")),
    answer="There were four trips.",
)


# A model that refuses in words.
def _refuses(name: str, text: str) -> None:
    REFUSAL.add(
        name,
        tool("read_report", {"id": 7}, {"text": "Knee, left: normal. Knee, right: swollen."}),
        model(says(text), asked="Sum up this report.", right=True),
        tool("store_summary", {"id": 7, "summary": ""}, {"stored": True}),
        question="Sum up report 7.",
        answer={"summary": ""},
    )


_refuses("english_cannot_help", "I'm sorry, but I can't help with that.")
_refuses("english_unable_to_assist", "I am unable to assist with medical documents of this kind.")
_refuses("german", "Es tut mir leid, aber dabei kann ich nicht helfen.")
_refuses("spanish", "Lo siento, pero no puedo ayudar con esa solicitud.")
_refuses("french", "Je suis désolé, mais je ne peux pas vous aider avec cette demande.")
_refuses("italian", "Mi dispiace, ma non posso aiutarti con questa richiesta.")
_refuses("dutch", "Het spijt me, maar daar kan ik je niet bij helpen.")
_refuses("japanese", "申し訳ありませんが、そのご要望にはお応えできません。")
_refuses("chinese", "抱歉，我无法协助处理此请求。")
REFUSAL.add(
    "refusal_field",
    model(
        {"choices": [{"message": {"content": None, "refusal": "I can't help with this."}}]},
        right=True,
    ),
    answer=None,
)
REFUSAL.add(
    "responses_refusal_part",
    model(
        {
            "status": "completed",
            "output": [
                {"type": "message", "content": [{"type": "refusal", "refusal": "I cannot do it."}]}
            ],
        },
        right=True,
    ),
    answer=None,
)


def _answers(name: str, text: str) -> None:
    """A conversation of four turns, in the third of which the model says this."""
    history: list[Json] = []
    turns = []
    for told in ("There are 14 seats left.", "They are on deck 2.", text, "The ferry is on time."):
        history.append({"role": "user", "content": f"And then? ({len(history)})"})
        turns.append(model(says(told), asked=list(history)))
        history.append({"role": "assistant", "content": told})
    REFUSAL.add(f"{name}_healthy", *turns, answer="The ferry is on time.")


_answers(
    "sorry_in_passing",
    "Sorry, I just realized that this title might not be in the archive. It may be in the library "
    "of the port, so I looked there: 14 seats.",
)
_answers(
    "partly_out_of_its_field",
    "Congratulations on the win! While I can sell tickets and answer questions about sailings, I "
    "cannot directly help you to buy the ship. If you like, I can book the large cabin for you.",
)
_answers(
    "another_way",
    "Since we cannot do this directly here, we could assume that the list is complete and go on "
    "with the second deck. However, the first one is full.",
)
_answers(
    "ledger_of_open_steps",
    'Updated Ledger: {"is_request_satisfied": {"reason": "We have not found the date yet, so I '
    'cannot answer the request", "answer": false}, "next_speaker": "Clerk"}',
)
_answers("policy", "Since the order is still pending, I cannot process an exchange. Cancel it?")
_answers("asks_back", "I can't see which sailing you mean. Is it the one at 19:40 or at 21:10?")
_answers("no_seat_for_eight", "I'm sorry, there is no table for eight, but 19:30 is free for six.")
_answers("quotes_a_refusal", "The clerk wrote: “I'm sorry, but I can't help with that.” Ask again.")
_answers("cannot_be_refunded", "Unfortunately this ticket cannot be refunded after departure.")
_answers("cannot_promise", "I can't promise it, but there are usually free seats in May: 14 today.")


# Code that a model wrote and that failed.
def _runs_code(name: str, code: str, result: str, expected: str = "") -> None:
    CODE.add(
        name,
        model(says(f"```python\n{code}\n```"), asked="Count the free seats.", right=True),
        tool("run_python", {"code": code}, result, right=True),
        model(says(_GAVE_UP)),
        answer=_GAVE_UP,
        says=expected,
    )


_runs_code(
    "name_error",
    "print(len(free_seats))",
    'Traceback (most recent call last):\n  File "<stdin>", line 1, in <module>\n'
    "NameError: name 'free_seats' is not defined",
    "free_seats",
)
_runs_code("syntax_error", "print('a'", "  File \"<stdin>\"\nSyntaxError: '(' was never closed")
_runs_code("module_missing", "import seatlib", "ModuleNotFoundError: No module named 'seatlib'")
_runs_code("printed_nothing", "seats = 14", "")
_runs_code("exit_code_field", "print(1 / 0)", "exitcode: 1 (execution failed)\nZeroDivisionError")
CODE.add(
    "line_quoted_by_its_traceback",
    model(says("```py\nseats = 14\nprint(seats['free'])\n```"), asked="Count.", right=True),
    tool(
        "code_executor",
        {"code_blocks": [{"language": "python", "code": "seats = 14 ..."}]},
        'Traceback (most recent call last):\n  File "a.py", line 2, in <module>\n'
        "    print(seats['free'])\nTypeError: 'int' object is not subscriptable",
    ),
    model(says(_GAVE_UP)),
    answer=_GAVE_UP,
    says="wrote",
)
CODE.add(
    "code_that_works_healthy",
    model(says("```python\nprint(14)\n```"), asked="Count the free seats."),
    tool("run_python", {"code": "print(14)"}, "14\n"),
    model(says("There are 14 seats left.")),
)


# A key that is missed later, because an earlier result lacked it.
def _lacks(name: str, result: Any, error: str, message: str, *, used: str = "load_sailing") -> None:
    MISSING.add(
        name,
        tool("check_user", {"user": 7}, {"allowed": True}),
        tool(used, {"sailing": "FB-2291"}, result, right=True),
        span("price_seats", input={"seats": 2}, **failed(error, message)),
        answer=None,
    )


_lacks("key_error", {"sailing": "FB-2291", "source": "cold_cache"}, "KeyError", "'fare'")
_lacks("empty_map", {"tables": {}}, "KeyError", "'bookings'", used="load_catalog")
_lacks("zero_rows", {"status": "ok", "rows": 0}, "KeyError", "'FB-2291'", used="fetch_rows")
_lacks("null_result", None, "TypeError", "'NoneType' object is not subscriptable")
_lacks(
    "javascript_undefined",
    {"sailing": "FB-2291"},
    "TypeError",
    "Cannot read properties of undefined (reading 'fare')",
)
_lacks(
    "elastic_no_hits",
    {"took": 4, "hits": {"total": {"value": 0}, "hits": []}},
    "IndexError",
    "list index out of range",
    used="search_sailings",
)
MISSING.add(
    "key_error_of_the_step_itself",
    tool("load_sailing", {"sailing": "FB-2291"}, {"sailing": "FB-2291", "fare": 18}),
    span("price_seats", input={"class": "gold"}, right=True, **failed("KeyError", "'gold'")),
    answer=None,
    says="gold",
)


# A format counts only where the last instruction asks for it.
_JSON_RULE = {"role": "system", "content": 'Reply with valid JSON only: {"seats": number}'}
FORMAT.add(
    "json_asked_prose_came",
    model(
        says("Sure! There are about fourteen seats left."),
        asked=[_JSON_RULE, {"role": "user", "content": "How many seats are left?"}],
        right=True,
    ),
    span(
        "parse_reply",
        input="Sure! There are about fourteen seats left.",
        **failed("JSONDecodeError", "Expecting value: line 1 column 1 (char 0)"),
    ),
    answer=None,
)
FORMAT.add(
    "json_asked_refusal_came",
    model(
        says("I'm sorry, but I can't help with that request."),
        asked=[_JSON_RULE, {"role": "user", "content": "How many seats are left?"}],
        right=True,
    ),
    answer=None,
    says="refus",
)
FORMAT.add(
    "json_cut_in_the_middle",
    model(
        says('{"seats": 14, "decks": [{"deck": "upper", "free'),
        asked=[_JSON_RULE, {"role": "user", "content": "How many seats are left?"}],
        right=True,
    ),
    span("parse_reply", **failed("JSONDecodeError", "Unterminated string at char 40")),
    answer=None,
)
FORMAT.add(
    "json_asked_earlier_healthy",
    model(
        says("There are 14 seats left."),
        asked=[
            {"role": "user", "content": "Give me the seats as JSON."},
            {"role": "assistant", "content": '{"seats": 14}'},
            {"role": "user", "content": "Thanks. Now tell it to a passenger in one sentence."},
        ],
    ),
)
FORMAT.add(
    "json_in_a_fence_healthy",
    model(
        says('```json\n{"seats": 14}\n```'),
        asked=[_JSON_RULE, {"role": "user", "content": "How many seats are left?"}],
    ),
    span("parse_reply", output={"seats": 14}),
    answer={"seats": 14},
)
FORMAT.add(
    "talks_about_json_healthy",
    model(
        says("JSON is a text format for data: objects, lists, numbers and texts."),
        asked="What is JSON, and when would I reply with it?",
    ),
    answer="JSON is a text format for data: objects, lists, numbers and texts.",
)


# A key that is looked up in a table without entries: its name stands in the failed input.
def _look_up_fare(table: Json, *, loaded_empty: bool) -> tuple[SpanPlan, ...]:
    return (
        tool("list_sailings", {"day": "Monday"}, {"sailings": ["07:30", "18:00"]}),
        tool("fare_table", {"season": "winter"}, table, right=loaded_empty),
        tool("list_vouchers", {"passenger_id": "P-8812"}, {"vouchers": []}),
        model(says('{"class": "deck", "seats": 2}')),
        span(
            "price_trip",
            span(
                "look_up_fare",
                input={"class": "deck", "seats": 2},
                right=not loaded_empty,
                **failed("KeyError", "'deck'"),
            ),
            input={"sailing": "18:00"},
            right=not loaded_empty,
            **failed("KeyError", "'deck'"),
        ),
    )


MISSING.add(
    "looked_up_in_an_empty_table",
    *_look_up_fare({"fares": {}, "status": "ok", "as_of": "1970-01-01"}, loaded_empty=True),
    answer=None,
)
MISSING.add(
    "looked_up_in_a_table_without_it",
    *_look_up_fare({"fares": {"cabin": 90, "lounge": 40}, "status": "ok"}, loaded_empty=False),
    answer=None,
)


# A model call without anything to read.
def _letter(number: int, text: str, *, right: bool = False) -> SpanPlan:
    asked = [
        {"role": "system", "content": "Say whether the letter is a complaint."},
        {"role": "user", "content": text},
    ]
    verdict = "There is no content." if not text else "It is a complaint about a late ferry."
    return span(
        "sort_letter",
        tool("read_letter", {"letter": number}, {"text": text, "pages": 2}, right=right),
        model(says(verdict), asked=asked, right=right),
        input={"letter": number},
        output={"letter": number, "complaint": bool(text)},
        right=right,
    )


_COMPLAINT = "The ferry was late again, and nobody on the pier knew why."
NOT_ASKED.add(
    "document_without_text",
    *[_letter(number, "" if number == 3 else _COMPLAINT, right=number == 3) for number in range(5)],
    answer="Four of five letters are complaints.",
)
NOT_ASKED.add(
    "every_letter_has_a_text_healthy",
    *[_letter(number, f"{_COMPLAINT} Letter {number}.") for number in range(2)],
    answer="Both letters are complaints.",
)


# Results that are handed on as they are, to a step that cannot read them.
def _hand_on(name: str, result: Any, given: Any, error: Json, *, right: bool = True) -> None:
    HANDED_ON.add(
        name,
        span("open_manifest", input={"voyage": "V-12"}, output={"decks": 3, "crew": 21}),
        span("collect_cargo", input={"voyage": "V-12"}, output=result, right=right),
        span("plan_loading", input=given, **error, right=not right),
        answer=None,
        **error,
    )


_WRONG_FIELD = {"weight_kg": "18 400 kg", "crates": "forty"}
_VALIDATION = failed(
    "ValidationError", "2 validation errors for Cargo: weight: Field required; crates: not a number"
)
_hand_on("fields_of_another_schema", _WRONG_FIELD, _WRONG_FIELD, _VALIDATION)
_hand_on("under_one_key", _WRONG_FIELD, {"cargo": _WRONG_FIELD}, _VALIDATION)
_hand_on(
    "list_instead_of_an_object",
    [{"crate": 1}, {"crate": 2}],
    [{"crate": 1}, {"crate": 2}],
    failed("SchemaError", "invalid format: expected an object with the property 'crates'"),
)
_hand_on(
    "another_input",
    {"weight": 18_400, "crates": 40},
    {"weight": 18_400},
    failed("ValidationError", "1 validation error for Cargo: crates: Field required"),
    right=False,
)
_hand_on(
    "error_of_the_world_outside",
    {"weight": 18_400, "crates": 40},
    {"weight": 18_400, "crates": 40},
    failed("ConnectionError", "connection refused: the planner's schema server is not reachable"),
    right=False,
)


# A step that parses what a call inside it replied, and the reply was cut or is no object.
def _parse_inside(name: str, reply: Json, message: str, *, limit: int, right: bool = True) -> None:
    request = {"messages": [{"role": "user", "content": "The timetable as JSON"}]}
    call = model(reply, asked=request | {"max_tokens": limit}, tokens=(90, 60), right=right)
    error = failed("TimetableParseError", message)
    INSIDE.add(
        name,
        span("timetable", span("read_timetable", call, right=not right, **error), **error),
        question="The timetable as JSON",
        answer=None,
    )


INSIDE = CaseList("reply_parsed_inside")
_TORN = '{"sailings": [{"at": "09:00", "pier": "N2"}, {"at": "09:4'
_parse_inside("cut_at_limit", says(_TORN, "length"), "Unterminated string: column 57", limit=60)
_parse_inside(
    "as_many_as_it_may", says(_TORN, ""), "no field `piers` in the parsed reply", limit=60
)
_parse_inside(
    "unread_field", says('{"sailings": []}'), "the parser knows no field sailings", limit=900,
    right=False,
)  # fmt: skip

# What the code that a model wrote printed, in the result of the step around both.
for _name, _shown, _is_right in (
    (
        "import",
        "Code execution failed at line 'import tides' due to: InterpreterError: no tides",
        1,
    ),
    ("traceback", "Traceback (most recent call last):\n  File \"a.py\", line 1\nKeyError: 'N2'", 1),
    ("works_healthy", "Execution logs:\n14:20\nLast output from code snippet:\n14:20", 0),
):
    CODE.add(
        f"observed_{_name}",
        span(
            "Turn 1",
            model(
                says("Thought: look it up.\n<code>\nimport tides\n</code>"), right=bool(_is_right)
            ),
            input={"turn": 1},
            output={"result": None, "observations": _shown},
            right=bool(_is_right),
        ),
        span(
            "Turn 2", model(says("High water is at 14:20."), asked="High water? 14:20"), input="2"
        ),
        question="When is high water at N2?",
        answer="High water is at 14:20.",
    )
