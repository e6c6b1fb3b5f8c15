"""Dates in the arguments of calls, right ones and mistaken forms of those that were given."""

import json
from typing import Any

from evals.small_cases.builder import CaseList, calls, model, says, span, tool

DATES = CaseList("mistaken_date")


def _asked(name: str, question: str, key: str, date: Any, *, right: bool = False) -> None:
    """A model that looks for free berths from a date on."""
    arguments = {"harbour": "Kiel", key: date}
    answer = f"A berth is free from {date} on."
    DATES.add(
        name,
        model(calls("free_berths", arguments), asked=question, right=right),
        tool("free_berths", arguments, {"berths": [{"berth": "B-17", "from": date}]}),
        model(says(answer), asked=question),
        question=question,
        answer=answer,
        says="day and month changed places" if right else "",
    )


_asked("turned_german", "Liegeplatz ab dem 05.08.2026, bitte.", "von", "2026-05-08", right=True)
_asked("turned_iso", "A berth from 2026-08-05 on.", "from", "2026-05-08T00:00:00Z", right=True)
_asked("turned_to_dots", "A berth from 2026-08-05 on.", "from", "08.05.2026", right=True)
_asked("date_kept_healthy", "Liegeplatz ab dem 05.08.2026, bitte.", "von", "2026-08-05")
_asked("date_with_slashes_healthy", "A berth from 05/08/2026 on.", "from", "2026-05-08")
_asked("both_dates_healthy", "From 2026-05-08, or from 2026-08-05.", "from", "2026-08-05")
_asked("day_after_healthy", "A berth from 2026-08-05 on.", "from", "2026-08-06")


def _filtered(name: str, year: int, found: list[Any], *, right: bool = False) -> None:
    """A model that makes a filter, and the search that takes it."""
    wanted = {"filter": {"year": year}, "query": "harbour dues"}
    rules = [{"role": "system", "content": "Years are 2019 to 2026. Today is 2026-05-04."}]
    asked = [*rules, {"role": "user", "content": "What are the harbour dues now?"}]
    DATES.add(
        name,
        span(
            "make_filter",
            model(says(f'{{"year": {year}}}'), asked=asked, right=right),
            input={"question": "What are the harbour dues now?"},
            output=wanted,
            right=right,
        ),
        tool("search_rules", wanted, {"documents": found}),
        model(says("Twelve euros a day."), asked="What are the harbour dues now?"),
        question="What are the harbour dues now?",
        answer="Twelve euros a day.",
        says="the year given was 2026" if right else "",
    )


_filtered("digits_of_a_year_turned", 2062, [], right=True)
_filtered("year_given_healthy", 2026, [{"text": "Twelve euros a day."}])


def _booked(name: str, question: str, date: str, *, right: bool = False) -> None:
    """A model that looks for a crossing and its fare on a day, and books."""
    steps = []
    for action, key, day, result in (
        ("find_crossings", "date", "2026-03-12", {"crossings": [{"ship": "Tern", "at": "08:00"}]}),
        ("get_fare", "day", "2026-03-12", {"fare": 19}),
        ("book_seat", "date", date, {"booking": "FX-9"}),
    ):
        given = {"ship": "Tern", key: day}
        is_wrong = right and action == "book_seat"
        steps += [
            model(calls(action, given), asked=question, right=is_wrong),
            tool(action, given, result, right=is_wrong),
        ]
    answer = f"You are booked for {date}."
    last = model(says(answer), asked=question)
    DATES.add(name, *steps, last, question=question, answer=answer)


_booked("booked_in_another_month", "Book me a seat for 12 March.", "2026-05-12", right=True)
_booked("booked_as_asked_healthy", "Book me a seat for 12 March.", "2026-03-12")
_booked("booked_a_day_later_healthy", "A seat on 12 March or later.", "2026-03-13")
_booked("two_months_asked_for_healthy", "Compare 12 March, book 12 May.", "2026-05-12")


NUMBERS = CaseList("mistaken_number")


def _changed(
    name: str,
    value: Any,
    question: str = "Move my cabin.",
    *,
    key: str = "booking",
    found: Any = None,
    right: bool = False,
) -> None:
    """A model that reads a booking and moves it to another cabin."""
    booking = {"booking": "FB-4713", "name": "Ilse Brandt", "cabin": 210}
    found = found if found is not None else {"state": "moved", "cabin": 211}
    told = [
        {"role": "user", "content": question},
        {"role": "tool", "tool_call_id": "call_0", "content": json.dumps(booking)},
    ]
    arguments = {key: value, "deck": "B"}
    NUMBERS.add(
        name if right else f"{name}_healthy",
        tool("read_booking", {"name": "Ilse Brandt"}, booking),
        model(calls("move_cabin", arguments), asked=told, right=right),
        tool("move_cabin", arguments, found, right=right),
        model(says("Your cabin was changed."), asked=question),
        question=question,
        answer="Your cabin was changed.",
        says="two digits changed places" if right else "",
    )


_changed("digits_of_an_id", "FB-4731", right=True)
_changed("digits_of_a_number_with_a_key", 781_243, "Move 781234.", key="customer_id", right=True)
_changed("size_of_which_there_is_none", "24", "Size 42.", key="size", found=[], right=True)
_changed("same_id", "FB-4713")
_changed("another_id", "FB-4714")
_changed("number_that_was_found", "24", "Size 42.", key="size")
_changed("number_without_a_key", 4731, "Take 4713.", key="most")
_changed("both_ids_were_read", "FB-4731", "Move FB-4731, not the other one.")
_changed("last_of_a_month", "2026-05-31", "From 2026-05-13 on.", key="until_id")
