"""Faults after which everything went on as if nothing had happened, and their healthy twins."""

from typing import Any

from evals.small_cases.builder import CaseList, SpanPlan, calls, model, says, span, tool

REFUSED = CaseList("quiet_refusal")
EMPTIED = CaseList("quiet_empty")
SCOPE = CaseList("quiet_scope")
SCORED = CaseList("quiet_score")

_REFUSES = "I'm sorry, but I can't help with that."
_CSV = "date;amount\n2025-10-01;1200\n2025-10-02;900\n" * 9


def _around() -> list[SpanPlan]:
    """What a program does before each answer; some of it is empty as a rule."""
    return [
        tool("load_session", {"user": "u-17"}, {"user": "u-17", "locale": "auto"}),
        tool("load_memories", {"user": "u-17", "limit": 5}, {"output": ["asks about vans"]}),
        tool("saved_questions.list", {"user": "u-17"}, {"output": []}),
    ]


# A refusal that a later step took for a result, or that answers no user.
for _name, _text in (
    ("plain", _REFUSES),
    ("fulfill", "I cannot fulfill this request."),
    ("declines", "I have to decline this one, since it goes against our content policies."),
    ("comfortable", "I'm not comfortable writing about this."),
    ("german", "Es tut mir leid, diesen Bericht kann ich leider nicht zusammenfassen."),
    ("french", "Désolé, je ne peux pas résumer ce document."),
):
    REFUSED.add(
        f"stored_as_summary_{_name}",
        model(says(_text), asked="Summarise the accident report of pier 4.", right=True),
        tool("store_summary", {"report": 88, "summary": _text}, {"stored": True}),
        question={"report": 88},
        answer={"stored": True},
        says="as if it were a result",
    )
REFUSED.add(
    "batch_of_a_program",
    model(says(_REFUSES), asked="Extract the injured persons from the report.", right=True),
    tool("close_batch", {"batch": 12}, {"closed": True}),
    question={"batch": 12},
    answer={"closed": True},
    says="no user",
)
REFUSED.add(
    "answered_to_the_user_healthy",
    model(says(_REFUSES), asked="How do I get past the ticket gate without a ticket?"),
    tool("save_turn", {"text": _REFUSES}, {"saved": 1}),
    question="How do I get past the ticket gate without a ticket?",
    answer=_REFUSES,
)
REFUSED.add(
    "asked_another_model_healthy",
    model(says(_REFUSES), asked="Summarise the accident report of pier 4.", name="small_model"),
    model(says("A van slid."), asked="Summarise the accident report of pier 4.", name="large"),
    tool("store_summary", {"report": 88, "summary": "A van slid."}, {"stored": True}),
    question={"report": 88},
    answer={"stored": True},
)

# A step that returned nothing for what it was given, and nothing failed.
_ANSWER = "The revenue of route 12 in October was 0 kr, all sailings together."
_ASKED = "What was the revenue of route 12 in October?"


def _empty(name: str, *steps: SpanPlan, asked: str = _ASKED, answer: str = _ANSWER) -> None:
    told = model(says(answer), asked=f"Write the answer from the total: 0. {asked}")
    EMPTIED.add(name, *_around(), *steps, told, question=asked, answer=answer)


_empty(
    "rows_of_the_question",
    tool("load_rows", {"route": 12, "month": "2025-10"}, {"rows": [], "count": 0}, right=True),
    span("sum_revenue", input={"rows": []}, output={"total": 0}),
)
_empty(
    "rows_of_another_call_healthy",
    tool("load_rows", {"route": 12, "month": "2025-10"}, {"rows": [{"amount": 0}], "count": 1}),
    tool("load_refunds", {"route": 12, "month": "2025-10"}, {"rows": [], "count": 0}),
)
_empty(
    "parsed_file",
    tool("fetch_export", {"route": 12}, {"csv": _CSV}),
    span("parse_csv", input={"csv": _CSV}, output={"records": []}, right=True),
)
_empty(
    "parsed_empty_file_healthy",
    tool("fetch_export", {"route": 12}, {"rows": [{"amount": 0}]}),
    span("parse_csv", input={"csv": ""}, output={"records": []}),
)
_empty(
    "scanned_page",
    tool("ocr_page", {"file": "invoice-114.pdf", "page": 1}, {"text": ""}, right=True),
    asked="Summarise the invoice.",
    answer="The invoice is about ferry services and was sent by the harbour.",
)
_empty(
    "reranked",
    tool("list_fares", {"kind": "van"}, {"fares": [{"id": i, "price": 640} for i in range(5)]}),
    span(
        "rerank",
        input={"documents": [{"id": i, "text": f"Fare rule {i}"} for i in range(5)]},
        output={"documents": []},
        right=True,
    ),
)
_empty(
    "found_no_violation_healthy",
    tool("list_fares", {"kind": "van"}, {"fares": [{"id": i, "price": 640} for i in range(5)]}),
    span("find_violations", input={"text": "Fare rules for vans"}, output={"violations": []}),
)
EMPTIED.add(
    "reviewer_says_no_healthy",
    tool(
        "review_draft",
        {"draft": "Dear guest, the ferry leaves at 19:40."},
        {"ok": False, "comment": "Mention the pier."},
    ),
    model(says("Dear guest, the ferry leaves at 19:40 from pier 2.")),
    answer="Dear guest, the ferry leaves at 19:40 from pier 2.",
)


# A query without what the question names: a weak sign, and a finding beside a low score.
def _scope(name: str, sql: str, *, right: bool, **trace: Any) -> None:
    asked, answer = "How many cars did ferry FB-118 carry?", "Ferry FB-118 carried 48,213 cars."
    SCOPE.add(
        name,
        *_around(),
        model(calls("run_query", {"sql": sql}), asked=asked, right=right),
        tool("run_query", {"sql": sql}, {"rows": [{"cars": 48213}]}, right=right),
        model(says(answer), asked=asked),
        question=asked,
        answer=answer,
        **trace,
    )


_LOW = [{"name": "correct", "value": 0.0, "reason": "that is the whole fleet", "source": "ui"}]
_scope("left_out", "SELECT sum(cars) FROM ferry", right=True, feedback_scores=_LOW)
_scope("left_out_and_nobody_minds_healthy", "SELECT sum(cars) FROM ferry", right=False)
_scope("asked_healthy", "SELECT sum(cars) FROM ferry WHERE id = 'FB-118'", right=False)

# A low score without any other sign: the call that wrote the answer comes first.
SCORED.add(
    "answer_against_the_result",
    tool("tune", {"string": "A4"}, {"string": "A4", "cents": -19.0}),
    model(says("All strings are in tune, let us play."), asked="A4: -19 cents", right=True),
    tool("speak", {"voice": "alma"}, {"seconds": 5.8}),
    question={"student": "st-4"},
    answer="All strings are in tune, let us play.",
    says="wrote the last answer",
    feedback_scores=[{"name": "review", "value": 0.1, "reason": "A is flat", "source": "ui"}],
)
