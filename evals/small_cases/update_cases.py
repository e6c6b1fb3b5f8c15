"""Records that two branches of a program write at once, with and without a loss."""

from typing import Any

from evals.small_cases.builder import CaseList, SpanPlan, span, tool

UPDATES = CaseList("lost_update")


def _branch(
    berth: str,
    read: Any,
    write: Any,
    *,
    at: float,
    key: str = "version",
    right: bool = False,
) -> SpanPlan:
    """Reads how much of a pier is free, and writes what is left of it."""
    return span(
        "reserve",
        tool("get_pier", {"pier": "N2"}, {"free_m": 140, key: read}, at=0.0, seconds=0.1),
        tool(
            "save_pier",
            {"pier": "N2", **write},
            {"saved": True},
            at=0.3 + 4 * at,
            seconds=0.1,
            right=right,
        ),
        input={"berth": berth},
        output={"ok": True},
        at=at,
        seconds=0.2,
    )


def _reserved(
    name: str, first: SpanPlan, second: SpanPlan, last: Any, *, key: str = "version"
) -> None:
    found = {"free_m": 95, key: last}
    check = tool("get_pier", {"pier": "N2"}, found, at=6.0)
    UPDATES.add(name, first, second, check, question="Reserve two berths.", answer="Done.")


def _pair(name: str, key: str, read: Any, later: Any, *, last: Any) -> None:
    """Two branches; the later one writes from the version `later`."""
    is_right = not name.endswith("_healthy")
    _reserved(
        name,
        _branch("B-1", read, {"free_m": 110, key: read}, at=0.0, key=key),
        _branch("B-2", read, {"free_m": 95, key: later}, at=0.5, key=key, right=is_right),
        last,
        key=key,
    )


_pair("of_a_number", "version", 17, 17, last=18)
_pair("of_a_revision", "base_rev", "a41f", "a41f", last="b77e")
_pair("of_an_etag", "ETag", 'W/"17"', 'W/"17"', last='W/"18"')
_pair("in_spanish", "versión", 17, 17, last=18)
_pair("from_the_next_healthy", "version", 17, 18, last=19)
_pair("of_an_interface_healthy", "api_version", 17, 17, last=18)
_pair("that_never_moves_healthy", "version", "2.0", "2.0", last="2.0")
_reserved(
    "the_same_again_healthy",
    _branch("B-1", 17, {"free_m": 110, "version": 17}, at=0.0),
    _branch("B-1", 17, {"free_m": 110, "version": 17}, at=0.5),
    18,
)
