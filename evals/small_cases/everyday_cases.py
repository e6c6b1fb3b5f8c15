"""Healthy everyday traces that hold something a hasty reader could take for a fault."""

import json
from typing import Any

from evals.small_cases.builder import CaseList, Json, calls, failed, model, says, span, tool

EVERYDAY = CaseList("everyday")

_DECK = "Dogs travel on deck 2."


def _works(name: str, *spans: Any, answer: Any = _DECK, **trace: Any) -> None:
    EVERYDAY.add(f"{name}_healthy", *spans, answer=answer, **trace)


_works(
    "answer_is_no",
    tool("is_open", {"pier": 4}, False),
    model(says("No, pier 4 is closed today.")),
    answer="No, pier 4 is closed today.",
)
_works("answer_is_zero", tool("count_dogs", {"deck": 2}, 0), model(says("0")), answer="0")
_works("answer_is_one_word", model(says("Yes"), tokens=(900, 1)), answer="Yes")
_works("answer_is_an_emoji", model(says("👍"), tokens=(900, 1)), answer="👍")
_works("answer_is_an_empty_list", model(says("[]"), tokens=(900, 1)), answer=[])
_works(
    "nothing_to_extract",
    model(says('{"names": [], "dates": []}'), asked="Extract names and dates as JSON: Ahoy!"),
    answer={"names": [], "dates": []},
)
_works(
    "asks_the_user_back",
    model(says("Which sailing do you mean, the one at 19:40 or the one at 21:10?")),
    answer="Which sailing do you mean, the one at 19:40 or the one at 21:10?",
)
_works(
    "first_run_of_a_cache",
    *[
        step
        for route in range(4)
        for step in (
            tool("cache_get", {"key": f"route-{route}"}, None, seconds=0.01),
            tool("compute_route", {"route": route}, {"km": route}, seconds=0.2),
            tool(
                "cache_set", {"key": f"route-{route}", "value": {"km": route}}, True, seconds=0.01
            ),
        )
    ],
)
_works(
    "deletes_and_confirms_with_nothing",
    tool("delete_draft", {"id": 7}, {}),
    tool("delete_draft", {"id": 8}, {}),
    model(says("Both drafts are deleted.")),
    answer="Both drafts are deleted.",
)
_works(
    "polls_a_mailbox_without_new_mail",
    *[tool("fetch_new_mail", {"since": f"09:0{n}"}, {"mails": []}, seconds=0.2) for n in range(4)],
    tool("fetch_new_mail", {"since": "09:04"}, {"mails": ["Ticket"]}, seconds=0.2),
    model(says("You have one new mail.")),
    answer="You have one new mail.",
)
_works(
    "embeds_many_texts_one_by_one",
    *[
        model(
            {"data": [{"embedding": [0.1, part / 10]}]},
            asked={"input": f"Paragraph {part} of the rules for dogs"},
            name="embed",
            tokens=(9, 0),
            seconds=0.05,
        )
        for part in range(5)
    ],
    model(says(_DECK), seconds=4.0),
)
_works(
    "a_long_step_that_writes_a_long_text",
    model(says("The history of the ferry. " * 900), tokens=(400, 5_400), seconds=70.0),
    answer="The history of the ferry. ...",
)
_works(
    "translates_an_apology",
    model(says("Es tut mir leid, ich kann Ihnen dabei nicht helfen."), asked="To German!"),
    answer="Es tut mir leid, ich kann Ihnen dabei nicht helfen.",
    input={"text": "I am sorry, I cannot help you with that.", "to": "de"},
)
_works(
    "explains_an_error_to_a_user",
    model(says("Error 402 means that the card was declined. Try another card.")),
    answer="Error 402 means that the card was declined. Try another card.",
)
_works(
    "writes_code_with_errors_in_it",
    model(says("```python\nraise ValueError('Error: no seats')\n```\nThis raises an error.")),
    answer="```python\nraise ValueError('Error: no seats')\n```",
)
_works(
    "fans_out_with_one_slow_branch",
    span(
        "ask_all",
        *[
            tool("ask_port", {"port": f"P{n}"}, {"tide": 90 + n}, at=0.0, seconds=0.5 + n / 4)
            for n in range(6)
        ],
    ),
    model(says("The tides are between 90 and 95 cm."), seconds=2.0),
    answer="The tides are between 90 and 95 cm.",
)
_works(
    "optional_tool_missing",
    span("load_plugins", output={"loaded": ["tides"], "skipped": ["weather"], "errors": []}),
    model(says(_DECK)),
)
_works(
    "probe_for_a_file_that_may_be_missing",
    tool("file_exists", {"path": "notes.md"}, {"exists": False}),
    tool("write_file", {"path": "notes.md"}, {"written": 120}),
    model(says("I wrote notes.md.")),
    answer="I wrote notes.md.",
)
_works(
    "end_of_a_queue",
    *[
        tool("next_task", {"queue": "q"}, {"task": task}, seconds=0.1)
        for task in ("scan", "sort", "ship", None)
    ],
    model(says("All three tasks are done.")),
    answer="All three tasks are done.",
)
_works(
    "unit_test_generation",
    model(calls("write_file", {"path": "test_seats.py", "text": "with pytest.raises(KeyError):"})),
    tool("write_file", {"path": "test_seats.py"}, {"ok": True}),
    tool("run_tests", {"path": "test_seats.py"}, "3 passed, 1 xfailed in 0.10s"),
    model(says("The tests pass; one is expected to fail.")),
    answer="The tests pass; one is expected to fail.",
)
_works(
    "several_providers_raced",
    span(
        "race",
        model(says(_DECK), at=0.0, seconds=0.8, name="fast"),
        model(None, at=0.0, seconds=0.8, name="slow", **failed("asyncio.CancelledError")),
    ),
)
_works(
    "experiment_with_a_wrong_answer_scored",
    model(says("Dogs travel on deck 3."), name="task"),
    model(says(json.dumps({"score": 1.0, "reason": "same deck"})), name="judge"),
    answer="Dogs travel on deck 3.",
    feedback_scores=[{"name": "exact_match", "value": 1.0}, {"name": "edit_distance", "value": 0}],
)
_LARGE: Json = {"rows": [{"id": n, "deck": n % 3, "error": None} for n in range(150)]}
_works("large_table", tool("run_sql", {"sql": "SELECT *"}, _LARGE), model(says("150 rows.")))
_works(
    "every_tool_once",
    *[
        tool(name, {"ship": "Anna"}, {"value": name.upper()}, seconds=0.3)
        for name in ("get_route", "get_crew", "get_cargo", "get_weather", "get_tide")
    ],
    model(says("All set."), seconds=1.5),
    answer="All set.",
)
