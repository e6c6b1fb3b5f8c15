"""Results that cannot be right by what they hold, and failures beside which all is well."""

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

SHOWN = CaseList("shown_wrong")
HARMLESS = CaseList("harmless_failure")
CUT = CaseList("cut_in_a_loop")
WAITS = CaseList("long_wait")

_RIGHT = {"seats": 14, "sailing": "FB-2291"}


def _shown(name: str, step: str, given: Any, result: Any, *, says: str = "") -> None:
    """A step whose result is used by the next one as it is."""
    wrong = not name.endswith("_healthy")
    SHOWN.add(
        name,
        tool("load_sailing", {"sailing": "FB-2291"}, _RIGHT),
        span(step, input=given, output=result, right=wrong),
        span("store_booking", input={"sailing": "FB-2291", "step": step}, output={"stored": True}),
        says=says if wrong else "",
    )


# Texts that were decoded with the wrong character set.
_LETTER = "Gr\ufffd\ufffde aus Br\ufffdgge, wir kommen sp\ufffdter."
_shown("lost_characters", "parse_mail", {"uid": 88}, {"text": _LETTER}, says="could not be decoded")
_shown("characters_lost_before_healthy", "trim_mail", {"text": _LETTER}, {"text": _LETTER[:20]})
_shown("one_lost_character_healthy", "parse_mail", {"uid": 88}, {"text": "Gr\ufffdße aus Brügge"})

# Calls that nobody awaited.
for _name, _text in (
    ("python", "<coroutine object Calendar.create at 0x7f3c1a9e5b40>"),
    ("javascript", "[object Promise]"),
    ("node", "Promise { <pending> }"),
):
    _shown(f"not_awaited_{_name}", "create_event", {"day": "2026-05-04"}, _text, says="awaited")
_shown(
    "text_about_promises_healthy",
    "read_docs",
    {"page": "async"},
    "A call returns <coroutine object f> until it is awaited.",
)

# Values of a cache beyond their own lifetime.
_OLD = "2026-04-30T06:00:00Z"
_shown(
    "expired_value",
    "free_berths",
    {"day": "2026-05-04"},
    {"berths": [3, 5], "cache": {"fetched": _OLD, "ttl_s": 300}},
    says="beyond its ttl_s",
)
_shown(
    "expired_by_days",
    "fares",
    {"zone": "B"},
    {"fare": 18, "as_of": "2026-03-01T00:00:00Z", "ttl_days": 30},
    says="beyond its ttl_days",
)
_shown(
    "value_within_its_lifetime_healthy",
    "fares",
    {"zone": "B"},
    {"fare": 18, "as_of": _OLD, "ttl_days": 30},
)

# Numbers that were read by the rules of another country.
for _name, _text, _number in (
    ("german", "12.480,50", 12.48),
    ("french", "1 234,50 €", 1.23),
    ("english", "1,234.50", 1.234),
):
    _shown(
        f"number_misread_{_name}", "parse_fare", {"text": _text}, {"value": _number}, says="read"
    )
for _name, _text, _number in (
    ("german", "12.480,50", 12480.5),
    ("cents", "12.480,50", 1248050),
    ("plain", "18,50", 18.5),
    ("other_number", "12.480,50", 3),
):
    _shown(f"number_read_{_name}_healthy", "parse_fare", {"text": _text}, {"value": _number})

_FARES = {"adult": "1.240,00", "child": "620,00", "note": "per Gruppe"}
_shown(
    "numbers_misread_by_key",
    "normalise_fares",
    {"fields": _FARES, "locale": "en_US"},
    {"output": {"adult": 1.24, "child": 0.62}},
    says="“1.240,00” as 1.24",
)
_shown(
    "numbers_read_by_key_healthy",
    "normalise_fares",
    {"fields": _FARES, "locale": "de_DE"},
    {"output": {"adult": 1240.0, "child": 620.0, "cars": 1}},
)
_shown(
    "numbers_of_several_records_healthy",
    "normalise_fares",
    {"rows": [{"fare": "5.432,10"}, {"fare": "5,00"}]},
    {"rows": [{"fare": 5432.1}, {"fare": 5.0}]},
)

# Labels that are written otherwise than those a step knows.
_TEAMS = ["complaints", "refunds", "timetable"]
_shown(
    "label_in_the_singular",
    "choose_team",
    {"label": "complaint"},
    {"team": "archive", "known": _TEAMS},
    says="knows “complaints”",
)
_shown(
    "label_in_capitals",
    "choose_team",
    {"label": "Refunds", "labels": _TEAMS},
    {"team": "archive"},
    says="knows “refunds”",
)
_shown(
    "name_like_a_label_healthy",
    "read_brief",
    {"ship": "Refunder"},
    {"team": "money", "known": [*_TEAMS, "refund"]},
)
_shown(
    "known_label_healthy", "choose_team", {"label": "refunds"}, {"team": "money", "known": _TEAMS}
)
_shown(
    "unknown_label_healthy", "choose_team", {"label": "greeting"}, {"team": "desk", "known": _TEAMS}
)

# A value that stands in for another, for a reason.
_shown(
    "fallback_with_its_reason",
    "to_local_time",
    {"time": "15:00", "zone": "Europe/Oslo"},
    {"time": "15:00Z", "source": "fallback: no time zone data"},
    says="fallback",
)

_shown("degraded", "roll", {"dice": "1d20"}, {"total": 10, "degraded": True}, says="degraded")
_shown(
    "state_named_fallback",
    "plan_tours",
    {"orders": 12, "limit_s": 20},
    {"status": "FEASIBLE_FALLBACK", "tours": 6},
    says="FALLBACK",
)
_shown("not_degraded_healthy", "roll", {"dice": "1d20"}, {"total": 10, "degraded": False})
_shown("model_named_so_healthy", "choose_model", {"task": "sum"}, {"model": "gpt-fallback"})

# Runs of tests that ran none, and a page about maintenance in place of what was looked for.
for _name, _result in (
    ("pytest", "collected 0 items\n\n===== no tests ran in 0.03s ====="),
    ("jest", {"out": "No tests found, exiting with code 1", "exit": 1}),
):
    _shown(f"no_tests_{_name}", "run_tests", {"cmd": "make test"}, _result, says="o tests")
_shown(
    "some_tests_healthy", "run_tests", {"cmd": "make test"}, "collected 3 items\n3 passed in 0.1s"
)
_shown(
    "maintenance_beside_nothing",
    "search_rulings",
    {"term": "tolls"},
    {
        "status": 200,
        "markup": "<html><head><title>Sistema em manutenção</title></head></html>",
        "rulings": [],
    },
    says="manutenção",
)

# Results that are only a part, in other languages, and failures beside an empty list.
_ROWS = [{"day": day, "cars": 40 + day} for day in range(30)]
for _flag in ("truncado", "tronqué", "abgeschnitten", "is_truncated", "截断"):
    _shown(
        f"partial_rows_{_flag}",
        "run_query",
        {"sql": "SELECT day, cars FROM trips"},
        {"rows": _ROWS, "total": 4812, _flag: True},
        says="true",
    )
_shown(
    "refused_beside_no_rows",
    "run_query",
    {"sql": "SELECT * FROM wages"},
    {"rows": [], "total": 0, "hint": "ERROR 42501: permission denied for table wages"},
    says="permission denied",
)
SHOWN.add(
    "error_code_of_a_database",
    span(
        "pg.query",
        input={"db.statement": "SELECT count(*) FROM wages"},
        metadata={"db.system": "postgresql", "db.response.status_code": "42501"},
        right=True,
    ),
    model(says("Nobody was paid in May.")),
    answer="Nobody was paid in May.",
)

# What a server does not have, what only informs somebody, what is not there.
HARMLESS.add(
    "server_without_prompts_healthy",
    span(
        "prompts/list",
        input={"request": '{"jsonrpc": "2.0", "id": 4, "method": "prompts/list"}'},
        output={"response": '{"id": 4, "error": {"code": -32601, "message": "Method not found"}}'},
    ),
    tool("tools/call free_seats", {"sailing": "FB-2291"}, _RIGHT),
    model(says("There are 14 seats left.")),
)
HARMLESS.add(
    "note_to_a_closed_channel_healthy",
    tool("free_seats", {"sailing": "FB-2291"}, _RIGHT),
    tool("notify_crew", {"channel": "#deck"}, {"ok": False, "error": "channel_is_archived"}),
    model(says("There are 14 seats left.")),
)
HARMLESS.add(
    "file_that_is_not_there_healthy",
    tool("read_file", {"path": "NOTES.md"}, None, **failed("FileNotFoundError", "[Errno 2] NOTES")),
    tool("free_seats", {"sailing": "FB-2291"}, _RIGHT),
    model(says("There are 14 seats left.")),
)
HARMLESS.add(
    "conversation_without_messages_healthy",
    tool("history_store", {"thread": "sms-8"}, {"messages": []}),
    span("free_seats", input={"sailing": "FB-2291"}, output=_RIGHT),
    model(says("There are 14 seats left on the evening ferry, all of them outside.")),
    answer="There are 14 seats left on the evening ferry, all of them outside.",
)
HARMLESS.add(
    "question_that_was_right_as_given_healthy",
    span(
        "normalize_question",
        input={"question": "Is there a ferry on Sunday?"},
        output={"question": "Is there a ferry on Sunday?", "removed": []},
    ),
    model(says("There are 14 seats left.")),
)
HARMLESS.add(
    "failure_to_translate_healthy",
    model(says("Une erreur est survenue. Veuillez réessayer."), asked=(
        "Translate to French:\nAn error occurred. Please try again."
    )),
    span("store_text", input={"key": "e17"}, output={"stored": True}),
    answer={"stored": 1},
)  # fmt: skip
HARMLESS.add(
    "refused_tool_that_exists_healthy",
    model(calls("crew_list", {"ship": "Tern"}), asked={
        "messages": [{"role": "user", "content": "Who is on board?"}],
        "tools": [{"type": "function", "function": {"name": "free_seats"}}],
    }),
    tool("crew_list", {"ship": "Tern"}, None, **failed("AccessDenied", "role desk may not")),
    tool("watch_list", {"ship": "Tern"}, {"watch": ["Ida Moe", "Per Dahl"]}),
    model(says("Ida Moe and Per Dahl are on watch; the whole list is not open to me.")),
    answer="Ida Moe and Per Dahl are on watch; the whole list is not open to me.",
)  # fmt: skip


# Replies that were cut at their limit in a conversation that goes on, or were asked for anew.
def _cut(name: str, *, goes_on: bool) -> None:
    asked: list[Any] = [{"role": "user", "content": "Write the timetable to a file, please."}]
    cut = says("FB-2291 18:40\nFB-2292 19:1", finish="length")
    later = [*asked, cut["choices"][0]["message"]] if goes_on else asked
    CUT.add(
        name,
        model(cut, asked=asked, tokens=(200, 64), right=goes_on),
        tool("write_file", {"path": "plan.txt", "text": "FB-2291 18:40\nFB-2292 19:1"}, "written"),
        model(says("The timetable is written."), asked=later, tokens=(280 if goes_on else 200, 12)),
        answer="The timetable is written.",
        says="cut off" if goes_on else "",
    )


_cut("conversation_goes_on", goes_on=True)
_cut("asked_anew_healthy", goes_on=False)


# One failed attempt after which most of the time was waited.
def _waited(name: str, seconds: float) -> None:
    limited = {"status": 429, "error": "rate_limited", "retry_after": seconds}
    long = not name.endswith("_healthy")
    attempts: list[SpanPlan] = [
        tool("POST rates", {"route": 14}, limited, seconds=0.2, right=long),
        span("retry.sleep", input={"seconds": seconds}, seconds=seconds, right=long),
        tool("POST rates", {"route": 14}, {"rate": 18}, seconds=0.2),
    ]
    WAITS.add(
        name,
        span("call_with_retries", *attempts, right=long),
        *(model(says(f"Step {n} is done.")) for n in range(3)),
        model(says("The fare is 18 EUR.")),
        answer="The fare is 18 EUR.",
        says="lost" if long else "",
    )


_waited("most_of_the_trace", 60.0)
_waited("short_wait_healthy", 1.0)

# Less than was announced, a reading that is hardly sure.
_shown(
    "download_broken_off",
    "fetch_recording",
    {"url": "https://e.org/call.mp3"},
    {"bytes": 262_144, "content_length": 1_301_504},
    says="262,144 of 1,301,504",
)
_shown(
    "download_whole_healthy",
    "fetch_recording",
    {"url": "https://e.org/call.mp3"},
    {"bytes": 1_301_504, "content_length": 1_301_504},
)
for _name, _key in (("english", "mean_confidence"), ("french", "confiance")):
    _shown(
        f"hardly_sure_{_name}",
        "detect_language",
        {"text": "Ja, hm, ok dan."},
        {"language": "nl", _key: 0.34},
        says="0.34",
    )
_shown("rather_sure_healthy", "detect_language", {"text": "Ja."}, {"language": "nl", "trust": 0.34})
SHOWN.add(
    "as_many_tokens_as_allowed",
    model(
        {"response": "The ferries to the island sail at 8:00, 12:00 and"},
        asked={"messages": [{"role": "user", "content": "When do they sail?"}], "max_tokens": 64},
        tokens=(200, 64),
        right=True,
    ),
    question="When do they sail?",
    answer="The ferries to the island sail at 8:00, 12:00 and",
    says="as many as it may",
)
HARMLESS.add(
    "answer_about_a_failure_healthy",
    model(
        says("The job failed because the disk was full. Raise the limit of kept days."),
        asked="Why did the nightly job fail?",
    ),
    question="Why did the nightly job fail?",
    answer="The job failed because the disk was full. Raise the limit of kept days.",
)
HARMLESS.add(
    "one_of_several_pages_refused_healthy",
    *(
        tool(
            "read_page",
            {"url": f"https://e.org/{name}"},
            {"text": f"{name}: two ferries a day."} if name != "report.pdf" else None,
            seconds=0.1,
            **(failed("HTTPError", "403 Client Error: Forbidden") if name == "report.pdf" else {}),
        )
        for name in ("fleet", "report.pdf", "ports", "times")
    ),
    model(says("Two ferries sail each day, as three pages state.")),
    answer="Two ferries sail each day, as three pages state.",
)
