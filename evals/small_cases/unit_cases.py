"""Numbers that changed their unit on the way to the answer, rates of 1, and healthy twins."""

from typing import Any

from evals.small_cases.builder import CaseList, SpanPlan, calls, model, says, span, tool

RESTATED = CaseList("restated_unit")
RATES = CaseList("idle_rate")


def _tell(
    name: str, question: str, result: Any, answer: str, *, right: bool = False, more: Any = ()
) -> None:
    given = {"ferry": "MF Ida"}
    RESTATED.add(
        name,
        model(calls("read_log", given), asked=question),
        tool("read_log", given, result),
        *more,
        model(says(answer), asked=question, right=right),
        question=question,
        answer=answer,
    )


_REST = {"crew": 14, "rest_left": 9, "unit": "hours"}
_FREE = "Hvor mye hviletid har mannskapet igjen?"
_tell("hours_as_days", _FREE, _REST, "Mannskapet har 9 dager hviletid igjen.", right=True)
_tell("hours_as_hours_healthy", _FREE, _REST, "Mannskapet har 9 timer hviletid igjen.")
_FARES = {
    "currency": "SEK",
    "fares": [{"class": "car", "fare": 412}, {"class": "van", "fare": 587}],
}
_COST = "Was kostet die Überfahrt mit dem Auto?"
_tell("kronor_as_euros", _COST, _FARES, "Die Überfahrt mit dem Auto kostet 412 €.", right=True)
_tell("kronor_by_sign_healthy", _COST, _FARES, "Die Überfahrt mit dem Auto kostet 412 kr.")
_tell("converted_healthy", _COST, _FARES, "Mit dem Auto 37 €, mit dem Van 52 €.")
_tell(
    "both_units_named_healthy",
    _COST,
    _FARES,
    "Der Preis 412 ist in SEK; das sind etwa 37 €, nicht 412 €.",
)
_tell(
    "number_of_something_else_healthy",
    "Kostet die Überfahrt mehr als mein Limit von 412 €?",
    _FARES,
    "Nein, das Limit von 412 € wird nicht erreicht.",
)
_tell(
    "given_in_both_units_healthy",
    _COST,
    _FARES,
    "Im Bordladen kostet der Korb 587 €.",
    more=(tool("shop", {"item": "basket"}, {"price": 587, "currency": "EUR"}),),
)
_DRAFT = {"draft_ft": 18.5, "length_ft": 244}
_SIZE = "Combien de tirant d'eau a le ferry ?"
_tell("feet_as_metres", _SIZE, _DRAFT, "Le tirant d'eau est de 18,5 m.", right=True)
_tell("feet_as_feet_healthy", _SIZE, _DRAFT, "Le tirant d'eau est de 18,5 ft.")


def _rank(name: str, ranked: Any, *, right: bool = False) -> None:
    offers = {"offers": [{"yard": "Gdynia", "price": 48210, "currency": "PLN"}]}
    RESTATED.add(
        name,
        tool("ask_yard", {"yard": "Gdynia"}, {"price": 48210, "currency": "PLN"}),
        span("rank_offers", input=offers, output=ranked, right=right),
        model(says("Gdynia is the cheapest yard.")),
        answer="Gdynia is the cheapest yard.",
    )


_rank("program_renames_a_currency", {"ranking": [{"yard": "Gdynia", "eur": 48210}]}, right=True)
_rank("program_converts_healthy", {"ranking": [{"yard": "Gdynia", "eur": 11213}]})


def _pay(name: str, given: Any, result: Any, *, right: bool = False) -> None:
    RATES.add(
        name,
        tool("kurs_lesen", given, result, right=right),
        span("umrechnen", input={"betrag": 250.0}, output={"betrag": 250.0}),
        _answer(),
        answer="Die Liegegebühr ist bezahlt.",
    )


def _answer() -> SpanPlan:
    return model(says("Die Liegegebühr ist bezahlt."))


_PAIR = {"von": "EUR", "nach": "NOK"}
_pay("rate_of_one", _PAIR, {"kurs": 1.0, "stand": None}, right=True)
_pay("rate_of_one_as_text", {"paar": "USDINR"}, {"rate": "1.00"}, right=True)
_pay("default_near_parity", {"pair": "EUR/USD"}, {"rate": 1, "source": "fallback"}, right=True)
_pay("table_of_ones", {"day": 4}, {"rates": {"EUR": 1.0, "NOK": 1.0, "PLN": 4.2}}, right=True)
_pay("true_rate_healthy", _PAIR, {"kurs": 11.42, "stand": "2026-05-04"})
_pay("one_currency_healthy", {"von": "EUR", "nach": "EUR"}, {"kurs": 1.0})
_pay("near_parity_healthy", {"pair": "EUR/USD"}, {"rate": 1.0, "source": "ECB"})
_pay("base_of_a_table_healthy", {"day": 4}, {"rates": {"EUR": 1.0, "NOK": 11.4, "PLN": 4.2}})
_pay("rate_of_something_else_healthy", {"sensor": "A"}, {"rate": 1.0, "unit": "Hz"})
