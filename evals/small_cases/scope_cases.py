"""Calls for another number, period or place than the question names, and their healthy twins."""

from typing import Any

from evals.small_cases.builder import CaseList, SpanPlan, calls, model, says, span, tool

OTHER = CaseList("other_scope")
UNKEPT = CaseList("unkept_scope")


def _ask(name: str, given: Any, result: Any, *, right: bool = False) -> list[SpanPlan]:
    """A model that asks for a call of a tool, and the call."""
    return [model(calls(name, given), right=right), tool(name, given, result, right=right)]


def _wrong(name: str, question: str, used: str, given: Any, result: Any, answer: str) -> None:
    spans = [*_ask(used, given, result, right=True), model(says(answer), asked=question)]
    OTHER.add(name, *spans, question=question, answer=answer)


def _right(name: str, question: str, *steps: tuple[str, Any, Any], answer: str) -> None:
    spans = [span for step in steps for span in _ask(*step)]
    told = model(says(answer), asked=question)
    OTHER.add(f"{name}_healthy", *spans, told, question=question, answer=answer)


_STATE = "Please check the state of booking FB-48213 for me."
_wrong(
    "digits_in_another_order",
    _STATE,
    "get_booking",
    {"booking": "FB-48231"},
    {"booking": "FB-48231", "state": "paid"},
    "Your booking is paid.",
)


def _typed_as_model_call(name: str, tenant: str, *, right: bool = False) -> None:
    """A tool whose span an SDK types as a model call; a model's reply names it."""
    given = {"tenant": tenant, "limit": 1}
    OTHER.add(
        name,
        model(calls("listSailings", given), right=right),
        span("listSailings", type="llm", input=given, output={"sailings": ["17:30"]}, right=right),
        model(says("The next sailing is at 17:30."), asked="Tenant t-91: when do we sail next?"),
        question="Tenant t-91: when do we sail next?",
        answer="The next sailing is at 17:30.",
    )


_typed_as_model_call("tool_typed_as_a_model_call", "t-19", right=True)
_typed_as_model_call("tool_typed_as_a_model_call_healthy", "t-91")
_right(
    "booking_that_took_its_place",
    _STATE,
    ("get_booking", {"booking": "FB-48213"}, {"replaced_by": "FB-48231"}),
    ("get_booking", {"booking": "FB-48231"}, {"state": "paid"}),
    answer="Your booking became FB-48231, which is paid.",
)
_right(
    "number_of_something_new",
    _STATE,
    ("open_ticket", {"ticket": "TK-99812", "booking": "FB-48213"}, {"opened": "TK-99812"}),
    answer="I opened ticket TK-99812 for your booking.",
)
_wrong(
    "plain_number",
    "Show me the last check of lifeboat 77120.",
    "read_checks",
    {"lifeboat": "77102"},
    {"checks": [{"passed": True}]},
    "The last check was passed.",
)
_right(
    "number_of_somebody_else",
    "Show me the last check of lifeboat 77120.",
    ("read_checks", {"lifeboat": "77120", "inspector": "88231"}, {"checks": [{"passed": True}]}),
    answer="The last check was passed.",
)
_MARCH = "Wie hoch war der Umsatz im Hafen Linz im März 2026?"
_wrong(
    "another_month",
    _MARCH,
    "umsatz_lesen",
    {"hafen": "Linz", "von": "2026-02-01", "bis": "2026-02-28"},
    {"umsatz": 184200.5},
    "Der Umsatz im März 2026 betrug 184.200,50 €.",
)
_right(
    "month_before_as_well",
    f"{_MARCH} Und im Vormonat?",
    ("umsatz_lesen", {"von": "2026-03-01", "bis": "2026-03-31"}, {"umsatz": 184200.5}),
    ("umsatz_lesen", {"von": "2026-02-01", "bis": "2026-02-28"}, {"umsatz": 170100.0}),
    answer="Im März 184.200,50 €, im Februar 170.100,00 €.",
)
_CLAIMS = "SELECT count(*) FROM claims WHERE day >= '{}' AND day < '{}'"
_wrong(
    "another_year_in_sql",
    "How many claims were filed in 2024?",
    "run_sql",
    {"sql": _CLAIMS.format("2023-01-01", "2024-01-01")},
    {"rows": [[1893]]},
    "1,893 claims were filed in 2024.",
)
_right(
    "the_year_in_sql",
    "How many claims were filed in 2024?",
    ("run_sql", {"sql": _CLAIMS.format("2024-01-01", "2025-01-01")}, {"rows": [[1893]]}),
    answer="1,893 claims were filed in 2024.",
)
_wrong(
    "another_quarter",
    "What was the number of guests in Q3 2025?",
    "count_guests",
    {"quarter": "Q2", "year": 2025},
    {"guests": 41822},
    "There were 41,822 guests in Q3 2025.",
)
_right(
    "fiscal_year_begins_before",
    "What did we spend on fuel in fiscal year 2025?",
    ("sum_costs", {"account": "fuel", "from": "2024-10-01", "to": "2025-09-30"}, {"sum": 88120}),
    answer="You spent 88,120 on fuel.",
)
_right(
    "everything_since_a_day",
    "What did we spend on fuel in June 2025?",
    ("list_costs", {"account": "fuel", "since": "2024-01-01"}, {"june_2025": 7400}),
    answer="You spent 7,400 on fuel in June 2025.",
)
_right(
    "date_of_today",
    "Is the pier open today, and was it in May 2019?",
    ("opening_hours", {"pier": 4, "date": "2026-05-05"}, {"open": "09:00"}),
    answer="Yes, from 09:00.",
)
_wrong(
    "another_country",
    "List the open invoices of our guests in Portugal.",
    "list_invoices",
    {"country": "ES", "state": "open"},
    {"invoices": [{"id": "I-1", "total": 400}]},
    "There is one open invoice in Portugal.",
)
_right(
    "code_of_the_country",
    "List the open invoices of our guests in Portugal.",
    ("list_invoices", {"country": "PT", "state": "open"}, {"invoices": [{"id": "I-1"}]}),
    answer="There is one open invoice in Portugal.",
)
_wrong(
    "another_currency",
    "What does a cabin cost in Swiss francs?",
    "get_price",
    {"kind": "cabin", "currency": "EUR"},
    {"price": 49.0},
    "A cabin costs 49.00 francs.",
)
_right(
    "currency_converted_afterwards",
    "What does a cabin cost in Swiss francs?",
    ("get_price", {"kind": "cabin", "currency": "EUR"}, {"price": 50.0}),
    ("convert", {"amount": 50.0, "from": "EUR", "to": "CHF"}, {"amount": 47.5}),
    answer="A cabin costs 47.50 francs.",
)
_wrong(
    "another_environment",
    "Restart the worker pool in staging.",
    "restart_pool",
    {"environment": "production", "pool": "workers"},
    {"restarted": True},
    "The worker pool is restarted.",
)
_right(
    "environment_as_named",
    "Restart the worker pool in staging.",
    ("restart_pool", {"environment": "stage", "pool": "workers"}, {"restarted": True}),
    answer="The worker pool is restarted.",
)
_wrong(
    "value_beside_its_noun",
    "How much diesel does tank 12 hold?",
    "read_level",
    {"tank": 21},
    {"litres": 400},
    "The tank holds 400 litres.",
)
_wrong(
    "letter_beside_its_noun",
    "Why did line B stop this morning?",
    "list_stops",
    {"line": "C"},
    {"stops": [{"minutes": 4}]},
    "Line B stopped for four minutes.",
)
_wrong(
    "nothing_for_a_named_tenant",
    "Export the users of tenant acme-nordic.",
    "export_users",
    {"tenant": None, "format": "csv"},
    {"file": "users.csv", "rows": 48211},
    "The users of acme-nordic are in users.csv.",
)
_right(
    "name_with_more_around_it",
    "How much diesel does tank 12 hold?",
    ("read_level", {"tank_id": "T-12", "depth": 30}, {"litres": 400}),
    answer="The tank holds 400 litres.",
)
_right(
    "number_that_was_looked_up",
    "How much diesel does tank 12 hold?",
    ("find_tank", {"name": "12"}, {"tank": 9931}),
    ("read_level", {"tank": 9931}, {"litres": 400}),
    answer="The tank holds 400 litres.",
)
_wrong(
    "code_of_a_machine",
    "Why is winch M-07 slow today?",
    "read_log",
    {"winch": "M-70"},
    {"stops": 3},
    "Winch M-07 stopped three times.",
)
OTHER.add(
    "number_of_the_input",
    *_ask("read_results", {"guest_id": "G-2041"}, {"points": 11}, right=True),
    model(says("You have 11 points.")),
    input={"question": "Show me my points, please.", "guest_id": "G-2014"},
    answer="You have 11 points.",
)


# A step that looks at another record inside than it was given.
def _invite(name: str, inside: str, *before: SpanPlan, right: bool = False) -> None:
    UNKEPT.add(
        name,
        tool("list_crew", {"ferry": "MF Ida"}, {"crew": ["C-4711", "C-4713", "C-4790"]}),
        span(
            "invite_to_drill",
            *before,
            tool("read_roster", {"crew_member": inside, "year": 2026}, {"shift": 2}, right=right),
            tool("send_mail", {"subject": "Drill"}, {"accepted": True}),
            input={"crew_member": "C-4711", "drill": "lifeboat"},
            output={"sent": True},
            right=right,
        ),
        answer="The invitation was sent.",
    )


_invite("other_record_inside", "C-4713", right=True)
_invite("same_record_inside_healthy", "C-4711")
_invite(
    "record_that_took_its_place_healthy",
    "C-4790",
    tool("find_deputy", {"absent": True}, {"deputy": "C-4790"}),
)


def _rules_of(name: str, found: str, *, right: bool = False) -> None:
    given = {"query": "may dogs travel on deck", "filters": {"line": "Nordfjord"}, "top_k": 2}
    text = "Dogs travel on deck 2 of all ferries."
    result = {"hits": [{"text": text, "line": found, "score": 0.8}]}
    UNKEPT.add(
        name,
        tool("search_rules", given, result, right=right),
        model(says(text), asked=f"Rules: {text}\nMay dogs travel on deck?"),
        question="May dogs travel on deck?",
        answer=text,
    )


_rules_of("result_contradicts_the_filter", "Sydfjord", right=True)
_rules_of("result_has_the_wanted_value_healthy", "Nordfjord")
