"""Errors that a program recovered from and those that it did not, scores, and cut bodies."""

import json
from typing import Any

from evals.small_cases.builder import (
    CaseList,
    SpanPlan,
    calls,
    failed,
    model,
    says,
    span,
    tool,
)

RECOVERY = CaseList("recovery")
SCORES = CaseList("score")
LONG = CaseList("long_body")
SPEAKERS = CaseList("speakers")

_BUSY = failed("HTTPStatusError", "502 Bad Gateway")
_LIMITED = failed("RateLimitError", "429: too many requests, retry after 4 s")


def _upload(number: int, *, fails: int, works: bool = True, right: bool = False) -> SpanPlan:
    """An upload that fails so many times, and then works or not."""
    given = {"file": f"deck-{number}.csv"}
    tries = [tool("put_file", given, None, right=right, seconds=0.3, **_BUSY) for _ in range(fails)]
    if works:
        tries.append(tool("put_file", given, {"stored": given["file"]}, seconds=0.3))
        return span("upload", *tries, input=given, output={"stored": given["file"]}, at=0.0)
    return span("upload", *tries, input=given, at=0.0, right=right, **_BUSY)


RECOVERY.add(
    "one_retry_worked_healthy",
    span("upload_all", *[_upload(number, fails=number == 4) for number in range(8)]),
    answer="All 8 files are stored.",
)
RECOVERY.add(
    "many_retries_worked_healthy",
    tool("pack_files", {"files": 12}, {"packed": 12}, seconds=4.0),
    span("upload_all", *[_upload(number, fails=1) for number in range(12)]),
    answer="All 12 files are stored.",
)
RECOVERY.add(
    "one_never_worked_among_retries",
    span(
        "upload_all",
        *[_upload(number, fails=1) for number in range(7)],
        _upload(7, fails=3, works=False, right=True),
        **_BUSY,
    ),
    answer=None,
)
RECOVERY.add(
    "throttled_for_a_minute",
    *[
        tool("find_port", {"name": "Bodø"}, None, right=True, seconds=wait, **_LIMITED)
        for wait in (1, 2, 4, 8, 16, 32)
    ],
    tool("find_port", {"name": "Bodø"}, {"lat": 67.28}, seconds=0.2),
    answer="Bodø lies at 67.28 degrees north.",
)
RECOVERY.add(
    "statement_corrected_at_once_healthy",
    model(calls("run_sql", {"sql": "SELECT free FROM seat"})),
    tool(
        "run_sql",
        {"sql": "SELECT free FROM seat"},
        None,
        **failed("OperationalError", "no such column: free"),
    ),
    model(calls("run_sql", {"sql": "SELECT left FROM seat"})),
    tool("run_sql", {"sql": "SELECT left FROM seat"}, {"rows": [[14]]}),
    model(says("There are 14 seats left.")),
)
RECOVERY.add(
    "fallback_model_answered_healthy",
    model(None, tokens=(0, 0), name="chat_primary", **failed("APIError", "503 overloaded")),
    model(says("There are 14 seats left."), name="chat_fallback"),
)
RECOVERY.add(
    "reranker_skipped_healthy",
    tool("search_rules", {"q": "dogs"}, {"documents": ["Dogs travel on deck 2."]}),
    tool("rerank", {"q": "dogs"}, None, **failed("ReadTimeout", "no answer within 2 s")),
    model(says("Dogs travel on deck 2.")),
    question="May I bring my dog?",
    answer="Dogs travel on deck 2.",
)
RECOVERY.add(
    "handled_error_before_the_real_one",
    tool("guess_mood", {"text": "Hello"}, None, **failed("ReadTimeout", "no answer within 1 s")),
    model(calls("open_ticket", {"queue": "lost-property"})),
    tool(
        "open_ticket",
        {"queue": "lost-property"},
        None,
        right=True,
        **failed("QueueArchived", "the queue lost-property is archived"),
    ),
    answer=None,
    says="archived",
)
RECOVERY.add(
    "ordinary_empty_look_up_before_the_real_error",
    tool("find_discounts", {"passenger": "P-1"}, {"discounts": []}),
    tool("book_seats", {"seats": 2}, None, right=True, **failed("SeatLockedError", "14A is held")),
    answer=None,
    says="14A is held",
)
RECOVERY.add(
    "started_and_never_awaited",
    span("write_chapters", model(says("The harbour was built in 1907."), name="write_harbour")),
    span("write_pilots", input={"topic": "pilots"}, right=True, at=0.1, end_time=None),
    model(says("Report: The harbour was built in 1907."), name="write_report"),
    question="Write a report with a chapter on the harbour and one on the pilots.",
    answer="Report: The harbour was built in 1907.",
)


# Scores: low is good for some of them.
def _scored(name: str, *scores: tuple[str, float], right: bool = False, **more: Any) -> None:
    listed = [{"name": label, "value": value} for label, value in scores]
    found: list[str] = [] if right else ["Dogs travel on deck 2."]
    SCORES.add(
        name,
        tool("search_rules", {"q": "dogs on board"}, {"documents": found}, right=right),
        model(says("Dogs travel on deck 2.")),
        question="May I bring my dog?",
        answer="Dogs travel on deck 2.",
        feedback_scores=[score | more for score in listed],
    )


_scored("low_is_good_healthy", ("hallucination_metric", 0.0), ("toxicity", 0.01), ("bias", 0.0))
_scored("counts_and_times_healthy", ("latency_seconds", 0.2), ("retries", 0.0), ("cost_usd", 0.0))
_scored("high_is_good_healthy", ("answer_relevance_metric", 0.93), ("helpfulness", 1.0))
_scored("thumb_up_healthy", ("User feedback", 1.0))
_scored("nothing_found_and_low_score", ("answer_relevance_metric", 0.0), right=True)


def _scored_spans(name: str, *values: float) -> None:
    """Model calls that are all scored by a metric of unknown meaning."""
    SCORES.add(
        name,
        *[
            model(
                says(f"Cabin {cabin} is free."),
                asked=f"Is cabin {cabin} free?",
                feedback_scores=[{"name": "names_a_deck", "value": value, "source": "online"}],
                right=value < min(values[:1]),
            )
            for cabin, value in enumerate(values, 11)
        ],
        answer="Four cabins are free.",
    )


_scored_spans("low_for_all_healthy", 0.0, 0.0, 0.0, 0.0)
_scored_spans("low_for_one", 1.0, 1.0, 1.0, 0.0)
SCORES.add(
    "empty_search_for_something_else",
    tool("banner_search", {"query": "footer of May"}, {"documents": []}),
    tool("search_rules", {"q": "terrier on board"}, {"documents": ["Dogs travel on deck 2."]}),
    model(says("Dogs travel on deck 9 for 12 EUR."), right=True),
    question="May I bring my terrier on board?",
    answer="Dogs travel on deck 9 for 12 EUR.",
    feedback_scores=[{"name": "correct", "value": 0.0, "source": "ui"}],
)
_scored("nothing_found_and_complaint", ("User feedback", 0.0), right=True, reason="made up")


# Bodies that the backend cuts at 10,001 characters are no broken JSON and no cut replies.
_LISTED = json.dumps({"sailings": [{"id": number, "deck": "upper"} for number in range(600)]})
_PROSE = "The evening ferry leaves at 19:40 and takes passengers, cars and dogs. " * 300
_JSON_RULE = {"role": "system", "content": "Reply with valid JSON only."}
LONG.add(
    "long_json_reply_healthy",
    model(says(_LISTED), asked=[_JSON_RULE, {"role": "user", "content": "All sailings?"}]),
    span("parse_reply", input=_LISTED, output={"sailings": 600}),
    answer={"sailings": 600},
)
LONG.add(
    "long_tool_call_healthy",
    model(calls("store_sailings", {"sailings": _LISTED})),
    tool("store_sailings", {"sailings": _LISTED}, {"stored": 600}),
    model(says("600 sailings are stored.")),
    answer="600 sailings are stored.",
)
LONG.add(
    "long_text_healthy",
    tool("read_page", {"page": 1}, {"text": _PROSE}),
    model(says("The ferry leaves at 19:40."), asked=_PROSE),
    answer="The ferry leaves at 19:40.",
)
LONG.add(
    "error_at_the_start_of_a_long_text",
    tool("read_page", {"page": 1}, {"error": "page is locked", "dump": _PROSE}, right=True),
    model(says("I think it leaves at noon.")),
    answer="I think it leaves at noon.",
    says="page is locked",
)
LONG.add(
    "base64_image_healthy",
    tool("take_photo", {"mast": 2}, {"image": "data:image/png;base64," + "iVBORw0KGgo" * 900}),
    model(says("The deck is empty."), asked="What do you see?"),
    answer="The deck is empty.",
)


# A team whose members talk: repeated word for word, or sent to somebody who does not exist.
def _speaks(name: str, text: str, *, right: bool = False) -> SpanPlan:
    return span(name, type="llm", input={"task": "Plan the trip."}, output=text, right=right)


_PLAN = "First we count the seats, then we check the tides, and then we book two seats on deck 2."
SPEAKERS.add(
    "repeat_each_other_word_for_word",
    *[_speaks(name, _PLAN, right=True) for name in ("Planner", "Clerk", "Pilot", "Planner")],
    answer="We ran out of turns.",
)
SPEAKERS.add(
    "say_different_things_healthy",
    _speaks("Planner", _PLAN),
    _speaks("Clerk", "Deck 2 has 14 seats left."),
    _speaks("Pilot", "The tide is high at 19:00."),
    _speaks("Planner", "Then two seats on deck 2 are booked."),
    answer="Two seats on deck 2 are booked.",
)
SPEAKERS.add(
    "route_to_a_worker_that_does_not_exist",
    span(
        "router",
        input={"workers": ["clerk", "pilot"]},
        output={"next": "harbour_master"},
        right=True,
    ),
    span("clerk", model(says("I was not asked.")), output="I was not asked."),
    span("pilot", model(says("I was not asked.")), output="I was not asked."),
    answer="Nobody took the task.",
)
