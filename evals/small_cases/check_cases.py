"""Actions against a check, and what programs deal with by themselves; healthy twins."""

from typing import Any

from evals.small_cases.builder import CaseList, calls, model, says, span, tool

ACTIONS = CaseList("denied_action")
DEALT_WITH = CaseList("dealt_with")

_SLOT = {"berth": "B7", "start": "2026-05-04T14:00Z"}
_DONE = "Berth B7 is reserved for 14:00."


def _reserved(
    name: str,
    checks: list[tuple[Any, Any]],
    slot: Any,
    *,
    right: bool,
    check: str = "check_window",
    action: str = "reserve_berth",
) -> None:
    """Checks with their results, and the action that follows."""
    looked = [
        part
        for given, result in checks
        for part in (model(calls(check, given)), tool(check, given, result))
    ]
    ACTIONS.add(
        name if right else f"{name}_healthy",
        *looked,
        model(calls(action, slot), right=right),
        tool(action, slot, {"reservation": "R-4471"}, right=right),
        model(says(_DONE)),
        question="Reserve a berth for the Aurora at 14:00.",
        answer=_DONE,
        says="had returned" if right else "",
    )


_NO = {"allowed": False, "under_keel_m": 0.6, "next": "16:40"}
_YES = {"allowed": True, "under_keel_m": 1.9}
_LATER = {"berth": "B7", "start": "2026-05-04T17:00Z"}
_reserved("reserved_all_the_same", [(_SLOT, _NO)], _SLOT, right=True)
_reserved(
    "paid_though_not_covered",
    [({"policy": "P-771", "claim": "C-2041"}, {"covered": False, "reason": "flood"})],
    {"policy": "P-771", "claim": "C-2041", "eur": 900},
    right=True,
    check="check_cover",
    action="pay_claim",
)
_reserved(
    "german_booking",
    [({"raum": "Saal 2", "tag": "2026-05-09"}, {"verfügbar": False})],
    {"raum": "Saal 2", "tag": "2026-05-09"},
    right=True,
    check="pruefe_raum",
    action="buche_raum",
)
_reserved("allowed", [(_SLOT, _YES)], _SLOT, right=False)
_reserved("checked_anew", [(_SLOT, _NO), (_LATER, _YES)], _LATER, right=False)
_reserved("another_slot", [(_SLOT, _NO)], {"berth": "K2", "start": "18:00"}, right=False)
_reserved(
    "flag_of_one_of_many",
    [(_SLOT, {"slots": [{"at": "14:00", "allowed": False}, {"at": "15:00", "allowed": True}]})],
    _SLOT,
    right=False,
)


def _failed(name: str, message: str, *, right: bool) -> None:
    """A sensor that raises, and a step that goes on with what it has."""
    error = {"exception_type": "StarLost", "message": message, "traceback": ""}
    DEALT_WITH.add(
        name if right else f"{name}_healthy",
        model(calls("lock_guide", {"star": 1})),
        tool("lock_guide", {"star": 1}, None, error_info=error, right=right),
        model(says("The image was taken, and all went as planned."), asked="Take the image."),
        question="Take the image.",
        answer="The image was taken, and all went as planned.",
    )


_failed("star_lost", "star 1 faded", right=True)
_failed("other_star_is_tried", "star 1 faded, trying star 2", right=False)
_failed("skipped_in_german", "Stern 1 verloren, wird übersprungen", right=False)


def _exposed(name: str, given: Any, *, right: bool) -> None:
    """A step of 50 s that takes nearly all of the trace."""
    DEALT_WITH.add(
        name if right else f"{name}_healthy",
        tool("point", {"target": "M31"}, {"ok": True}, seconds=0.5),
        tool("expose", given, {"file": "a.fits"}, seconds=50, right=right),
        tool("measure", {"file": "a.fits"}, {"sources": 41}, seconds=0.5),
        answer="41 sources were measured.",
    )


_exposed("long_without_a_setting", {"filter": "r"}, right=True)
_exposed("as_long_as_its_timeout", {"filter": "r", "timeout_seconds": 50}, right=True)
_exposed("as_long_as_set_in_seconds", {"seconds": 49, "filter": "r"}, right=False)
_exposed("as_long_as_set_in_milliseconds", {"exposure_ms": 48_000}, right=False)

_BLOCKED = {"output": "Access denied. Please verify you are human."}
DEALT_WITH.add(
    "page_that_could_not_be_read_healthy",
    model(calls("fetch_page", {"url": "https://a.example/tides"})),
    tool("fetch_page", {"url": "https://a.example/tides"}, _BLOCKED),
    model(calls("fetch_page", {"url": "https://b.example/tides"})),
    tool("fetch_page", {"url": "https://b.example/tides"}, {"output": "High water at 14:20."}),
    model(says("High water is at 14:20."), asked="High water at 14:20. When is high water?"),
    question="When is high water?",
    answer="High water is at 14:20.",
)
DEALT_WITH.add(
    "only_page_could_not_be_read",
    model(calls("fetch_page", {"url": "https://a.example/tides"})),
    tool("fetch_page", {"url": "https://a.example/tides"}, _BLOCKED, right=True),
    model(says("High water is at 14:20."), asked="When is high water?"),
    question="When is high water?",
    answer="High water is at 14:20.",
)
DEALT_WITH.add(
    "failure_as_the_only_text_under_any_key",
    *[tool("describe", {"image": n}, {"legenda": f"Casaco {n}, de frente"}) for n in range(3)],
    tool(
        "describe",
        {"image": 3},
        {"legenda": "Unable to process input image. Please retry or report this issue."},
        right=True,
    ),
    span("publish", input={"images": 4}, output={"published": True}),
    answer="4 images were published.",
)
DEALT_WITH.add(
    "no_entries_beside_a_date",
    tool(
        "rota.read",
        {"depot": "P-2", "day": "2026-05-09"},
        {"status": "ok", "wpisy": [], "do": "2026-01-02"},
        right=True,
    ),
    span(
        "assign_crew",
        input={"entries": 0},
        output=None,
        error_info={
            "exception_type": "IndexError",
            "message": "list index out of range",
            "traceback": 'File "crew.py", line 12, in assign_crew\n',
        },
    ),
    answer=None,
)
