"""Answers with amounts and totals that follow from no result, and healthy twins."""

import json
from typing import Any

from evals.small_cases.builder import CaseList, model, says, span, tool

AMOUNTS = CaseList("claimed_amount")
TOTALS = CaseList("claimed_total")


def _claim(
    cases: CaseList,
    name: str,
    question: str,
    result: Any,
    answer: str,
    *,
    says_in_finding: str = "",
) -> None:
    """A lookup, and a model that answers with what it read and more; right where a finding has to
    name the model."""
    text = result if isinstance(result, str) else json.dumps(result, ensure_ascii=False)
    read = [{"role": "user", "content": question}, {"role": "tool", "content": text}]
    cases.add(
        name,
        tool("read_offers", {"text": question}, result),
        model(says(answer), asked=read, right=bool(says_in_finding)),
        question=question,
        answer=answer,
        says=says_in_finding,
    )


_CABINS = [
    {"cabin": "C-41", "deck": 4, "price": 210, "currency": "EUR"},
    {"cabin": "C-77", "deck": 7, "price": 265, "currency": "EUR"},
]
_WHICH_CABIN = "What do the cabins of the night ferry cost?"
_claim(
    AMOUNTS,
    "of_a_cabin",
    _WHICH_CABIN,
    _CABINS,
    "Cabin C-41 costs EUR 185 and cabin C-77 costs EUR 265.",
    says_in_finding="EUR 185",
)
_claim(
    AMOUNTS,
    "german_text",
    "Was kostet der Stellplatz im Hafen?",
    "Hafen Nord: Stellplatz P-12 kostet 48,00 € im Monat, mit Strom.\nStellplatz P-14: 61,00 €.",
    "Der Stellplatz P-12 kostet 39,50 € im Monat, P-14 kostet 61,00 €.",
    says_in_finding="39,50",
)
_claim(
    AMOUNTS,
    "spanish_energy",
    "¿Cuánto consumió la bomba BM-203 en mayo?",
    "Bomba BM-203, mayo: 1.840 kWh. Bomba BM-204, mayo: 920 kWh.",
    "La bomba BM-203 consumió 2.310 kWh en mayo; la BM-204, 920 kWh.",
    says_in_finding="2.310 kWh",
)
AMOUNTS.add_flat(
    "of_a_retrieved_text",
    span(
        "retrieve",
        type="tool",
        input={"query_str": "Tariff?"},
        output={"nodes": [{"node": {"id_": "T-88", "text": "Tariff T-88: EUR 34.90 a month."}}]},
    ),
    model(
        {
            "message": {
                "role": "assistant",
                "blocks": [{"block_type": "text", "text": "Tariff T-88 is EUR 19.90 a month."}],
            }
        },
        asked="Context:\n[T-88] Tariff T-88: EUR 34.90 a month.\n\nQuestion: Tariff?",
        right=True,
    ),
    input={"question": "What is tariff T-88?"},
    output={"response": "Tariff T-88 is EUR 19.90 a month."},
    says="EUR 19.90",
)
for _name, _told in (
    ("sum", "Cabins C-41 and C-77 cost EUR 475 for both of you."),
    ("difference", "Cabin C-77 costs EUR 265, EUR 55 over C-41."),
    ("two_nights", "Two nights in cabin C-41 are EUR 420."),
    ("share", "With 10 % off, cabin C-41 costs EUR 189."),
    ("rounded", "Cabin C-41 costs about EUR 200."),
    ("limit", "Cabin C-41 costs less than EUR 250."),
    ("advice", "For C-41 you should set aside EUR 290 with meals."),
    ("of_something_else", "Parking in the town is EUR 18 a day."),
    ("other_currency", "Cabin C-41 costs 2,310 SEK."),
):
    _claim(AMOUNTS, f"{_name}_healthy", _WHICH_CABIN, _CABINS, _told)

_PARTS = {
    "rows": [
        {"id": "R1", "amount": 18.5},
        {"id": "R2", "amount": 240},
        {"id": "R3", "amount": 33.2},
    ]
}
_SUM_UP = "Sum up the open invoices."
for _name, _told, _figure in (
    ("english", "They are USD 18.50, USD 240.00 and USD 33.20, together USD 921.70.", "USD 921.70"),
    ("german", "Offen sind 18,50 €, 240,00 € und 33,20 €, insgesamt 219,70 €.", "219,70 €"),
    ("french", "Il reste 18,50 €, 240,00 € et 33,20 €, au total 391,70 €.", "391,70 €"),
    ("with_labels", "Anchor $18.50, sails $240.00, paint $33.20. In total: $351.70", "$351.70"),
    ("polish", "Do zapłaty: 18,50 zł, 240,00 zł i 33,20 zł, razem 312,70 zł.", "312,70 zł"),
):
    _claim(TOTALS, _name, _SUM_UP, _PARTS, _told, says_in_finding=_figure)
for _name, _told in (
    ("right", "They are USD 18.50, USD 240.00 and USD 33.20, together USD 291.70."),
    ("rounded", "They are USD 18.50, USD 240.00 and USD 33.20, in total USD 292."),
    ("with_shipping", "USD 18.50, USD 240.00 and USD 33.20 plus shipping, in total USD 311.60."),
    ("with_others", "USD 18.50, USD 240.00 and others, in total USD 291.70."),
    ("of_two", "USD 18.50 and USD 33.20, together USD 51.70."),
    ("per_night", "USD 18.50 and USD 33.20 per night, in total USD 155.10."),
):
    _claim(TOTALS, f"{_name}_healthy", _SUM_UP, _PARTS, _told)

LINKS = CaseList("claimed_link")
_BERTHS = {"berths": [{"id": "BT-204", "length_m": 12}, {"id": "BT-209", "length_m": 15}]}
_BERTH = "Which berth is free for a boat of 12 metres?"
for _name, _told in (
    ("english", "BT-204 is free: https://book.nordquay-marina.net/berths/BT-204"),
    ("german", "Frei ist BT-204, siehe [hier](https://liegeplatz-nord.de/platz?id=BT-204)."),
    ("french", "Le poste BT-204 est libre. Réservez : https://www.capitainerie-bleue.fr/BT-204."),
):
    _claim(LINKS, _name, _BERTH, _BERTHS, _told, says_in_finding="whose host stands in nothing")
_WITH_LINK = {"id": "BT-204", "url": "https://marina.test/berths/BT-204"}
for _name, _result, _told in (
    ("returned", _WITH_LINK, "BT-204 is free: https://marina.test/berths/BT-204"),
    ("of_known_host", _WITH_LINK, "Details: https://marina.test/berths/BT-204/photos"),
    ("of_named_brand", {"by": "Harbour Hub", "id": "BT-204"}, "https://harbourhub.io/b/BT-204"),
    ("to_public_site", _BERTHS, "BT-204: https://www.openstreetmap.org/search?query=BT-204"),
    ("in_code", _BERTHS, "```\nrequests.get('https://quay-api.net/b/BT-204')\n```"),
    ("to_general_page", _BERTHS, "BT-204 is free. On knots: https://animatedsailing.net/bowline"),
):
    _claim(LINKS, f"{_name}_healthy", _BERTH, _result, _told)
