"""Numbers and codes whose digits changed places on the way into a call, and healthy twins."""

from typing import Any

from evals.small_cases.builder import CaseList, SpanPlan, calls, model, says, span, tool

DIGITS = CaseList("swapped_digits")


def _ask(name: str, given: Any, result: Any, *, right: bool = False) -> list[SpanPlan]:
    return [model(calls(name, given), right=right), tool(name, given, result, right=right)]


_BERTH = "This is berth 231. Please order breakfast for two, and then shore power from eight."
_BREAKFAST = _ask("order_breakfast", {"berth": "231", "guests": 2}, {"order": "B-9"})


def _shore_power(name: str, berth: str, *, right: bool = False) -> None:
    DIGITS.add(
        name,
        *_BREAKFAST,
        *_ask("book_shore_power", {"berth": berth, "from": "08:00"}, {"ok": True}, right=right),
        model(says("Breakfast and shore power are ordered.")),
        question=_BERTH,
        answer="Breakfast and shore power are ordered.",
    )


_shore_power("short_number_of_one_of_two_calls", "213", right=True)
_shore_power("short_number_healthy", "231")


def _plot(name: str, plot: str, *, right: bool = False) -> None:
    question = "Wem gehört das Flurstück 318/24 in der Gemarkung Seehausen?"
    DIGITS.add(
        name,
        span("antrag", input={"nr": 4}, output={"flurstück": "318/24", "gemarkung": "Seehausen"}),
        *_ask("eigentuemer", {"flurstück": plot}, {"name": "Gemeinde Seehausen"}, right=right),
        model(says("Das Flurstück gehört der Gemeinde."), asked=question),
        question=question,
        answer="Das Flurstück gehört der Gemeinde.",
    )


_plot("number_with_a_slash", "381/24", right=True)
_plot("number_with_a_slash_healthy", "318/24")

_EARLIER = [
    {"role": "user", "content": "Bonsoir, cabine 352, notre lampe ne marche pas."},
    {"role": "assistant", "content": "C'est noté."},
    {"role": "user", "content": "Et le petit déjeuner à sept heures, s'il vous plaît."},
]


def _wake(name: str, cabin: int, *, right: bool = False) -> None:
    DIGITS.add(
        name,
        model(calls("petit_dejeuner", {"cabine": cabin}), asked=_EARLIER, right=right),
        tool("petit_dejeuner", {"cabine": cabin, "heure": "07:00"}, {"ok": True}, right=right),
        model(says("Le petit déjeuner est commandé."), asked=_EARLIER),
        question=_EARLIER[-1]["content"],
        answer="Le petit déjeuner est commandé.",
    )


_wake("number_of_an_earlier_message", 325, right=True)
_wake("number_of_an_earlier_message_healthy", 352)


def _truck(name: str, plate: str, *, right: bool = False) -> None:
    """A program whose tools are given one text."""
    DIGITS.add(
        name,
        tool("next_in_lane", "lane 4", "truck KA-4417, 18 t, refrigerated"),
        model(says(f"ACTION: weigh[{plate}, axles 3]"), right=right),
        tool("weigh", f"{plate}, axles 3", "17.8 t", right=right),
        model(says("The truck may board.")),
        question="May the next truck of lane 4 board?",
        answer="The truck may board.",
    )


_truck("code_of_an_earlier_result_in_a_text", "KA-4471", right=True)
_truck("code_of_an_earlier_result_in_a_text_healthy", "KA-4417")

DIGITS.add(
    "programs_count_healthy",
    tool("open_locker", {"locker": 412}, {"locker": 412, "empty": True}),
    tool("open_locker", {"locker": 413}, {"locker": 413, "empty": True}),
    tool("open_locker", {"locker": 421}, {"locker": 421, "empty": True}),
    answer="All lockers are empty.",
)
DIGITS.add(
    "measures_healthy",
    tool("read_meter", {"pier": 2}, {"total": 412, "width": 88213}),
    tool("set_limit", {"limit": 421, "width": 88231}, {"ok": True}),
    answer="The limit is set.",
)
DIGITS.add(
    "both_were_listed_healthy",
    tool("list_orders", {"open": True}, {"orders": [{"order": 88213}, {"order": 88231}]}),
    *_ask("close_order", {"order": 88231}, {"ok": True}),
    answer="Order 88231 is closed.",
)
DIGITS.add(
    "number_that_a_user_corrected_healthy",
    *_ask("find_cabin", {"cabin": "352"}, {"guest": "Vik"}),
    *_ask("find_cabin", {"cabin": "325"}, {"guest": "Moe"}),
    question="Who is in cabin 352? Sorry, I meant 325.",
    answer="Moe is in cabin 325.",
)
