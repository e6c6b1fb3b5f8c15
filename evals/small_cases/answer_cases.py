"""Answers against the result that they rest on, values that a step forgot, and healthy twins."""

from typing import Any

from evals.small_cases.builder import CaseList, model, says, span, tool

AGAINST = CaseList("ignored_result")
FORGOTTEN = CaseList("forgotten_value")


def _answer(
    name: str, question: str, given: Any, result: Any, answer: str, *, right: bool = True
) -> None:
    """A lookup, and the model that answers with it or against it."""
    read = [
        {"role": "user", "content": question},
        {"role": "tool", "content": f"{result}"},
    ]
    AGAINST.add(
        name,
        tool("check_offer", given, result),
        model(says(answer), asked=read, right=right),
        question=question,
        answer=answer,
        says="check_offer" if right else "",
    )


_DRILL = {"item": "drill", "store": 14}
_PICK_UP = "Can I pick up the drill today in store 14?"
_answer(
    "flag_says_no",
    _PICK_UP,
    _DRILL,
    {"item": "drill", "available": False},
    "Yes, the drill is ready for you in store 14.",
)
_answer(
    "flag_says_no_and_so_does_the_answer_healthy",
    _PICK_UP,
    _DRILL,
    {"item": "drill", "available": False},
    "Unfortunately the drill is sold out in store 14.",
    right=False,
)
_answer(
    "total_of_what_the_tool_was_given_healthy",
    "Load the three decks and tell me the weight.",
    {"decks": {"upper": 41.5, "main": 138.2, "lower": 12.7, "car": 60.4}},
    {"loaded": True, "decks": 4},
    "Loaded: upper 41.5 t, main 138.2 t, lower 12.7 t, car 60.4 t, 252.8 t altogether.",
    right=False,
)
_answer(
    "state_says_no",
    "Is the certificate of host web-3 fine?",
    {"host": "web-3"},
    {"host": "web-3", "status": "expired"},
    "The certificate of web-3 is valid.",
)
_answer(
    "german_flag_says_no",
    "Darf ich mit dem Personalausweis nach Serbien einreisen?",
    {"land": "RS", "dokument": "Personalausweis"},
    {"erlaubt": False, "grund": "Reisepass erforderlich"},
    "Ja, Sie können mit dem Personalausweis einreisen.",
)
_answer(
    "flag_about_something_else_healthy",
    "Which plan does Ida have?",
    {"name": "Ida"},
    {"plan": "pro", "newsletter": False, "refundable": False},
    "Ida has the plan pro.",
    right=False,
)
_TALK = "Is the talk on tides still on, and where do I get in?"


def _two_results(name: str, first: Any, answer: str, *, right: bool = True) -> None:
    """A lookup that denies, one of something else, and the answer to both."""
    AGAINST.add(
        name,
        tool("find_talk", {"title": "tides"}, first),
        tool("find_doors", {"hall": "B"}, {"hall": "B", "door": "north"}),
        model(says(answer), asked=f"{_TALK} {first} north", right=right),
        question=_TALK,
        answer=answer,
        says="find_talk had returned" if right else "",
    )


_ENTER = "Yes, the talk on tides takes place as expected. Enter by the north door of hall B."
_two_results("state_of_an_earlier_call", [{"title": "tides", "status": "cancelled"}], _ENTER)
_two_results("state_in_danish", {"titel": "tides", "status": "aflyst"}, _ENTER)
_two_results("flag_of_an_earlier_call", {"title": "tides", "open": False}, _ENTER)
_two_results("it_takes_place_healthy", {"title": "tides", "status": "on"}, _ENTER, right=False)
_two_results(
    "state_is_told_healthy",
    {"title": "tides", "status": "cancelled"},
    "The talk on tides is cancelled. Hall B is open by the north door.",
    right=False,
)
_BALANCE = "What is the balance of account 4471?"
_answer(
    "figure_from_nowhere",
    _BALANCE,
    {"account": "4471"},
    {"account": "4471", "balance": 1204.55},
    "The balance of account 4471 is 2,310.10 EUR.",
)
for _name, _result, _told in (
    ("rounded", {"balance": 1204.55}, "The balance of account 4471 is about 1,205 EUR."),
    ("in_cents", {"cents": 120455}, "The balance of account 4471 is 1,204.55 EUR."),
    ("german_marks", {"balance": 1204.55}, "Auf Konto 4471 liegen 1.204,55 EUR."),
    ("summed_up", {"rows": [{"n": 12}, {"n": 30}]}, "Account 4471 has 42 entries in all."),
    ("share", {"open": 30, "all": 120}, "25 % of account 4471 is open."),
    ("of_two_dates", {"from": "2026-05-01", "to": "2026-06-05", "n": 1}, "Account 4471: 35 days."),
):
    _answer(f"figure_{_name}_healthy", _BALANCE, {"account": "4471"}, _result, _told, right=False)

# A value that a step of the program was the last to be given.
FORGOTTEN.add(
    "left_out_of_a_job",
    span("authenticate", input={"token": "-"}, output={"tenant_id": "tn_fjord_77"}),
    span(
        "queue_report",
        input={"tenant_id": "tn_fjord_77", "report": "usage"},
        output={"job": {"report": "usage"}},
        right=True,
    ),
    span("load_settings", input={"tenant_id": None}, output={"currency": "EUR"}),
    model(says("The report is ready, in EUR.")),
    question="Make the usage report.",
    answer="The report is ready, in EUR.",
)
FORGOTTEN.add(
    "a_guest_instead",
    span("read_session", input={"cookie": "-"}, output={"user_id": "u-5512"}),
    span(
        "make_context",
        input={"user_id": "u-5512", "text": "Add the book."},
        output={"user_id": "guest", "text": "Add the book."},
        right=True,
    ),
    tool("add_to_list", {"user_id": "guest", "book": "B-1"}, {"added": True}),
    model(says("The book is on your list.")),
    question="Add the book to my list.",
    answer="The book is on your list.",
)
FORGOTTEN.add(
    "arguments_below_kwargs",
    span("read_session", input={"cookie": "-"}, output={"user_id": "u-5512"}),
    span("make_context", input={"user_id": "u-5512"}, output={"user_id": None}, right=True),
    tool("add_to_list", {"kwargs": {"user_id": None, "book": "B-1"}}, {"added": True}),
    model(says("The book is on your list.")),
    question="Add the book to my list.",
    answer="The book is on your list.",
)
FORGOTTEN.add(
    "checked_and_kept_healthy",
    span("check_tenant", input={"tenant_id": "tn_fjord_77"}, output={"allowed": "yes"}),
    span("load_settings", input={"tenant_id": "tn_fjord_77"}, output={"currency": "NOK"}),
    model(says("The report is ready, in NOK.")),
    question="Make the usage report.",
    answer="The report is ready, in NOK.",
)
