"""Answers with a code, a time or a year from nowhere, or that deny what a check listed."""

from typing import Any

from evals.small_cases.builder import CaseList, model, says, tool

FACTS = CaseList("answer_fact")
DENIED = CaseList("denied_problem")


def _answer(
    kind: CaseList,
    name: str,
    question: str,
    result: Any,
    answer: str,
    *,
    right: bool = True,
    used: str = "look_up",
    after: tuple[str, Any] | None = None,
) -> None:
    """A lookup, perhaps another call `after` it, and the model that answers."""
    read = [{"role": "user", "content": question}, {"role": "tool", "content": f"{result}"}]
    more = [tool(after[0], {"mode": "all"}, after[1])] if after else []
    kind.add(
        name if right else f"{name}_healthy",
        tool(used, {"mode": "all"}, result),
        *more,
        model(says(answer), asked=read, right=right),
        question=question,
        answer=answer,
        says="answered" if right else "",
    )


_TRAIN = "When does the next train to Ghent leave?"
_BOOKED = "Did my booking for Saturday go through?"
for _name, _question, _result, _told in (
    ("digits_swapped", _BOOKED, {"booking": "FB-48213"}, "Yes, your booking is FB-48231."),
    (
        "code_of_nobody",
        "Which claim is mine?",
        {"claims": [{"no": "CLM-2207-81"}]},
        "Your claim is CLM-2214-09.",
    ),
    ("minutes_swapped", _TRAIN, {"departures": ["14:35", "15:35"]}, "It leaves at 14:53."),
    ("french_time", "À quelle heure ?", {"depart": "08:12"}, "Le départ est à 8h21."),
    (
        "other_year",
        "Wann wurde die Brücke gebaut?",
        {"name": "Steinbrücke", "baujahr": 1887},
        "Die Steinbrücke wurde 1923 gebaut.",
    ),
):
    _answer(FACTS, _name, _question, _result, _told)
for _name, _question, _result, _told in (
    ("same_code", _BOOKED, {"booking": "FB-48213"}, "Yes, your booking is FB-48213."),
    ("written_otherwise", _BOOKED, {"booking": "FB 48 213"}, "Your booking is FB-48213."),
    (
        "next_of_a_series",
        "Which number is free?",
        {"last": "INV-2041"},
        "The next free number is INV-2042.",
    ),
    ("code_of_the_question", "Is FB-77120 ours?", {"ours": ["FB-48213"]}, "FB-77120 is not."),
    ("no_code_of_that_form", _BOOKED, {"booking": 17}, "See form TR-20416 of the ministry."),
    ("later_by_minutes", _TRAIN, {"leaves": "14:35", "delay_min": 18}, "It leaves at 14:53."),
    ("other_zone", _TRAIN, {"leaves": "2026-05-04T12:35:00Z"}, "It leaves at 14:35."),
    ("half_day", _TRAIN, {"leaves": "14:35"}, "It leaves at 2:35 pm."),
    ("opening_hours", _TRAIN, {"leaves": "14:35"}, "At 14:35; the desk closes at 18:00."),
    (
        "year_of_the_trace",
        "How old is the bridge?",
        {"built": 1887},
        "In 2026 the bridge is 139 years old.",
    ),
    (
        "known_year_beside",
        "When was it built?",
        {"built": 1887},
        "It was built in 1887 and stood until 1944.",
    ),
    ("stamp_as_year", "When was it built?", {"date": "1887-06-01"}, "It was built in 1887."),
):
    _answer(FACTS, _name, _question, _result, _told, right=False)

_PLAN = "Is the rota ready?"
for _name, _used, _result, _told in (
    ("clash_in_the_rota", "check_rota", {"clashes": [{"nurse": "Kim"}]}, "Ready, no conflicts."),
    ("count_of_overlaps", "check_rota", {"overlaps": 2}, "The rota is free of overlaps."),
    (
        "german_warnings",
        "pruefe_plan",
        {"warnungen": ["Ruhezeit"], "status": "fertig"},
        "Der Plan steht, ohne Warnungen.",
    ),
    (
        "spanish_conflicts",
        "revisar",
        {"conflictos": [{"sala": 3}]},
        "El plan no tiene ningún conflicto.",
    ),
    (
        "drug_interaction",
        "check_drugs",
        {"interactions": [{"pair": "A+B", "grade": 3}]},
        "There are no interactions between the two.",
    ),
    ("free_of_duplicates", "scan", {"duplicates": ["r7"]}, "The list is duplicate-free."),
):
    _answer(DENIED, _name, _PLAN, _result, _told, used=_used)
for _name, _result, _told in (
    ("nothing_listed", {"clashes": []}, "Ready, no conflicts."),
    ("count_of_zero", {"overlaps": 0}, "The rota is free of overlaps."),
    ("admitted", {"clashes": [{"nurse": "Kim"}]}, "Kim has two shifts at once."),
    ("no_others", {"clashes": [{"nurse": "Kim"}]}, "Kim has two shifts; no other conflicts."),
    ("other_problem", {"clashes": [{"nurse": "Kim"}]}, "Kim has two shifts; no warnings."),
):
    _answer(DENIED, _name, _PLAN, _result, _told, right=False, used="check_rota")
_answer(
    DENIED,
    "mended_since",
    _PLAN,
    {"clashes": [{"nurse": "Kim"}]},
    "Ready, no conflicts are left.",
    right=False,
    used="check_rota",
    after=("move_shift", {"moved": 1}),
)
