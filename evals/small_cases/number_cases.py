"""Replies with other numbers than they were given, and verdicts against their own reasoning."""

import json

from evals.small_cases.builder import CaseList, calls, model, says, tool

NUMBERS = CaseList("reply_number")
VERDICTS = CaseList("verdict_against_reasoning")


def _handed(name: str, source: str, text: str) -> None:
    """A model that was given a text and wrote another; faulty unless the name says otherwise."""
    NUMBERS.add(
        name,
        model(says(text), asked=source, name="write_item", right=not name.endswith("_healthy")),
        model(says("no"), asked=f"Does it name a person? {text}", name="check_item"),
        question={"meeting": "2026-05"},
        answer={"items": 1, "text": text},
        says="" if name.endswith("_healthy") else "given",
    )


for _name, _source, _text in (
    ("votes", "The motion failed: 5 ayes, 6 noes.", "Carried with 6 ayes to 5 noes."),
    ("czech", "Návrh neprošel: 4 pro, 7 proti.", "Schváleno, 7 pro, 4 proti."),
    ("german", "Im Lager: 12 Jacken, 48 Hosen.", "Es liegen 48 Jacken und 12 Hosen im Lager."),
    ("after_the_words", "Home: 2, Guests: 3.", "Result: Home 3, Guests 2."),
    ("spanish", "Viajan 31 adultos y 13 niños.", "Van 13 adultos y 31 niños."),
    ("digit_added", "Compare claim and source: 9 closed by the report.", "False: 19 closed."),
    ("digits_mixed", "The report counts 213 lights on pier 4.", "There are 231 lights there."),
    ("kept_healthy", "The motion failed: 5 ayes, 6 noes.", "Lost with 5 ayes to 6 noes."),
    ("other_order_healthy", "The motion failed: 5 ayes, 6 noes.", "6 noes, 5 ayes."),
    ("added_up_healthy", "Bus 1 has 12 seats, bus 2 has 12 seats.", "In all 24 seats."),
    ("both_named_healthy", "The old report had 9 closed.", "9 closed then, 19 closed now."),
    ("two_of_each_healthy", "Red: 5 ayes, 6 noes. Blue: 6 ayes, 5 noes.", "6 ayes, 5 noes."),
):
    _handed(_name, _source, _text)


def _found(name: str, result: object, text: str) -> None:
    """A model that asked for a tool and answers after its result; others go on with its text."""
    right = not name.endswith("_healthy")
    asked = [{"role": "user", "content": "Find a band for the evening of the harbour feast."}]
    read = [
        *asked,
        calls("find_bands", {"genre": "jazz"})["choices"][0]["message"],
        {"role": "tool", "tool_call_id": "call_1", "content": json.dumps(result)},
    ]
    NUMBERS.add(
        name,
        model(calls("find_bands", {"genre": "jazz"}), asked=asked),
        tool("find_bands", {"genre": "jazz"}, result),
        model(says(text), asked=read, right=right),
        model(says(f"The plan is ready. {text}"), asked=f"Write the plan: {text}"),
        question={"feast": 2026},
        answer=f"The plan is ready. {text}",
        says="" if not right else "which stand in nothing",
    )


_BAND = {"bands": [{"name": "Trio Fosso", "price_eur": 1350}]}
_found("invented_band", _BAND, "The evening goes to Quartet Serena for 900 EUR, deposit 310.")
_found("named_band_healthy", _BAND, "The evening goes to Trio Fosso for 1,350 EUR.")
_found("no_band_healthy", _BAND, "No band fits the budget of 900 EUR; ask Harbour Radio instead.")


def _judged(name: str, text: str) -> None:
    right = not name.endswith("_healthy")
    VERDICTS.add(
        name,
        model(says(text), asked="Decide by the rules of the fund.", right=right),
        tool("store_verdict", {"case": 88}, {"stored": True}),
        question={"case": 88},
        answer={"stored": True},
        says="" if not right else "reasoned",
    )


_OVER = "The budget of 31,800 EUR exceeds the limit of 25,000 EUR."
for _name, _text in (
    ("json", json.dumps({"reasoning": _OVER, "eligible": True})),
    ("fields", f"[[ ## reasoning ## ]]\n{_OVER}\n\n[[ ## eligible ## ]]\nTrue"),
    ("german", '{"grund": "Der Betrag 31 800 überschreitet die Grenze 25 000", "zulässig": "ja"}'),
    ("portuguese", "Orçamento 31800, o limite é 25000, portanto excede.\n\nelegivel: sim"),
    ("french", '{"motif": "31 800 EUR dépasse le plafond de 25 000", "éligible": "oui"}'),
    ("japanese", '{"理由": "金額 31800 は上限 25000 を超えています", "承認": "はい"}'),
    ("below_the_least", "Age 15 is below the minimum of 16.\napproved: yes"),
    ("refused_healthy", json.dumps({"reasoning": _OVER, "eligible": False})),
    ("within_healthy", '{"reasoning": "9,000 does not exceed 25,000", "eligible": true}'),
    ("within_german_healthy", "5 000 überschreitet nicht die Grenze 25 000\n\ngenehmigt: ja"),
    ("no_numbers_healthy", '{"reasoning": "It exceeds all hopes", "approved": true}'),
):
    _judged(_name, _text)
