"""Lists in pages, of which one was read, some or all."""

from typing import Any

from evals.small_cases.builder import CaseList, SpanPlan, model, says, span, tool, turn_with

PAGES = CaseList("unread_pages")

_SHIPS = [{"ship": f"Tern {number}", "state": "open"} for number in range(1, 13)]


def _counted(name: str, result: Any, answer: str, *more: SpanPlan, right: bool = False) -> None:
    """A model that counts the repairs of a list."""
    listed = tool("list_repairs", {"state": "open", "page": 1}, result, right=right)
    first, used, last = turn_with(listed, answer, "How many repairs are open?")
    PAGES.add(name, first, used, *more, last, question="How many repairs are open?", answer=answer)


for _key, _value in {
    "has_more": True,
    "nextPageToken": "cGFnZS0y",
    "@odata.nextLink": "https://ferry.example/repairs?page=2",
    "next_offset": 12,
}.items():
    _spelled = "".join(filter(str.isalpha, _key)).lower()
    _counted(
        f"page_taken_for_all_{_spelled}",
        {"items": _SHIPS, _key: _value},
        "There are 12 open repairs.",
        right=True,
    )
_counted(
    "page_taken_for_all_in_german",
    {"daten": _SHIPS, "page": 1, "total": 31, "hasMore": True},
    "Es sind 12 Reparaturen offen.",
    right=True,
)
_counted(
    "total_answered_healthy",
    {"items": _SHIPS, "total": 31, "has_more": True},
    "There are 31 open repairs, the first 12 are listed below.",
)
_counted("last_page_healthy", {"items": _SHIPS, "has_more": False}, "There are 12 open repairs.")
_counted(
    "newest_one_wanted_healthy",
    {"items": _SHIPS, "next_cursor": "cGFnZS0y"},
    "The newest open repair is that of the Tern 1.",
)
_counted(
    "next_page_read_healthy",
    {"items": _SHIPS[:6], "next_cursor": "cGFnZS0y"},
    "There are 12 open repairs, 6 of them old.",
    tool("list_repairs", {"state": "open", "cursor": "cGFnZS0y"}, {"items": _SHIPS[6:]}),
)
_counted(
    "other_call_follows_the_link_healthy",
    {"items": _SHIPS[:6], "nextLink": "https://ferry.example/repairs?page=2"},
    "There are 12 open repairs, 6 of them old.",
    tool("http_get", {"url": "https://ferry.example/repairs?page=2"}, {"items": _SHIPS[6:]}),
)


def _job(name: str, total: int, cursor: str, *, right: bool = False) -> None:
    """A job that handles what one call returned."""
    page = {"tickets": _SHIPS, "next_cursor": cursor, "total": total}
    PAGES.add(
        name,
        tool("GET /tickets", {"url": "https://desk.example/tickets?cursor="}, page, right=right),
        span("sort_tickets", input={"tickets": 12}, output={"sorted": 12}),
        question={"desk": "harbour"},
        answer={"sorted": 12, "in_desk": total},
    )


_job("job_on_a_part", 40, "bzI", right=True)
_job("job_on_all_healthy", 12, "")


def _offers(name: str, listed: dict[str, Any], *more: SpanPlan, right: bool = False) -> None:
    given = {"request": {"method": "tools/list", "params": {}}}
    PAGES.add(
        name,
        span("tools/list", input=given, output={"result": listed}, right=right),
        *more,
        model(says("I have no tool for that."), asked="Book a berth."),
        question="Book a berth.",
        answer="I have no tool for that.",
    )


_TOOLS = [{"name": f"get_{word}", "required": []} for word in ("times", "fares", "decks")]
_offers(
    "tool_of_the_next_page_fails",
    {"tools": _TOOLS, "nextCursor": "Mg=="},
    tool("tools/call book_berth", {"berth": "B-17"}, {"error": {"message": "Unknown tool"}}),
    right=True,
)
_offers("all_of_the_tools_healthy", {"tools": _TOOLS, "nextCursor": None})
_offers(
    "tools_of_two_pages_healthy",
    {"tools": _TOOLS, "nextCursor": "Mg=="},
    span("tools/list", input={"params": {"cursor": "Mg=="}}, output={"result": {"tools": _TOOLS}}),
)


def _in_words_of_the_service(name: str, page: dict[str, Any], *, given: str, answer: str) -> None:
    """A program in another language that asks for a page by its number and counts the items."""
    right = not name.endswith("_healthy")
    listed = tool("GET /tiket", {"kapal": "Tern", given: 1}, page, right=right)
    PAGES.add(
        f"own_words_{name}",
        span("ambil_tiket", listed, input={"kapal": "Tern"}, output={"n": 12}, right=right),
        answer=answer,
    )


_TICKETS = [{"no": f"K-{number}"} for number in range(1, 13)]
_FIRST = {"daftar": _TICKETS, "halaman": 1}
for _name, _answer in {
    "total": "Kapal Tern punya 12 tiket.",
    "total_known_healthy": "Sebagian: 12 dari 40 tiket.",
    "total_first_wanted_healthy": "Tiket pertama adalah K-1.",
}.items():
    _in_words_of_the_service(_name, _FIRST | {"totaal": 40}, given="halaman", answer=_answer)
_in_words_of_the_service(
    "whole_page_healthy",
    _FIRST | {"per_halaman": 50, "halaman_berikut": None, "totaal": 12},
    given="halaman",
    answer="Kapal Tern punya 12 tiket.",
)


# A result that has the number of the next page, but not that of its own.
for _name, _page in {
    "next_only": {"jumlah": 12, "daftar": _TICKETS, "berikut": 2, "total": 40},
    "next_only_beside_fewer_healthy": {"daftar": _TICKETS, "dek": 2, "total": 12},
}.items():
    _in_words_of_the_service(_name, _page, given="halaman", answer="Kapal Tern punya 12 tiket.")
