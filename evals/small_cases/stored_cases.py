"""Old results from stores, and fields that were looked up and handed on as null; healthy twins."""

from typing import Any

from evals.small_cases.builder import CaseList, model, says, span, tool

STALE = CaseList("stale_result")
NULLED = CaseList("nulled_field")


def _stored(name: str, result: Any, answer: str, *, right: bool = True, **given: Any) -> None:
    """A lookup in a store in May 2026, and the answer that rests on it."""
    STALE.add(
        name if right else f"{name}_healthy",
        tool("read_level", given or {"tank": "north"}, result, right=right),
        model(says(answer), asked=f"How much is left? {result}"),
        question="How much is left?",
        answer=answer,
        says="stored result" if right else "",
    )


_LEVEL = {"litres": 48_200, "as_of": "2026-05-04T08:55:00Z", "source": "cache"}
_ANSWER = "There are 48,200 litres left."
_stored("months_in_a_cache", _LEVEL | {"as_of": "2026-01-11T06:00:00Z"}, _ANSWER)
_stored(
    "snapshot_of_last_year",
    {"bestand": 312, "stand": "2025-11-02", "quelle": "snapshot"},
    "Es sind noch 312 Stück da.",
    artikel="A-9",
)
_stored(
    "flag_says_stale",
    {"price": {"amount": 7.45, "last_updated": "2026-02-20"}, "stale": True},
    "It costs 7.45.",
    fund="DK-3",
)
_stored("minutes_in_a_cache", _LEVEL, _ANSWER, right=False)
_stored("over_a_weekend", _LEVEL | {"as_of": "2026-05-01T17:00:00Z"}, _ANSWER, right=False)
_stored(
    "old_record_that_is_no_copy",
    {"litres": 48_200, "updated_at": "2025-01-11T06:00:00Z", "source": "gauge"},
    _ANSWER,
    right=False,
)
_stored(
    "old_text_from_a_cache",
    {"text": "Wear gloves at the north tank.", "fetched_at": "2025-01-11", "cached": True},
    "Wear gloves.",
    right=False,
)
_stored(
    "figure_that_is_not_used",
    _LEVEL | {"as_of": "2026-01-11T06:00:00Z"},
    "I have no current level of the north tank.",
    right=False,
)


def _handed(
    name: str, step: str, given: Any, returned: Any, *, found: Any, right: bool = True
) -> None:
    """A lookup of a vessel, and a step of the program that is given its record."""
    NULLED.add(
        name if right else f"{name}_healthy",
        tool("read_vessel", {"vessel": "Aurora"}, found),
        span(step, type="general", input=given, output=returned, right=right),
        model(says("It is on its way."), asked="Where is the Aurora?"),
        question="Where is the Aurora?",
        answer="It is on its way.",
        says="no " if right else "",
    )


_FOUND = {"imo": "9241061", "berth": "K-12", "pilot": "Jansen"}
_handed(
    "hand_over_without_the_berth",
    "hand_over",
    {"to": "port_agent", "case": {"imo": "9241061", "berth": None, "pilot": "Jansen"}},
    {"ok": True},
    found=_FOUND,
)
_handed(
    "blank_text_in_a_summary",
    "build_brief",
    {"vessel": "Aurora"},
    {"imo": "9241061", "pilot": ""},
    found=_FOUND,
)
_handed(
    "argument_of_the_lookup_is_shared",
    "prepare_notice",
    {"vessel": "Aurora", "berth": None},
    {"notice": "no berth yet"},
    found={"berth": "K-12"},
)
_handed(
    "another_vessel",
    "hand_over",
    {"imo": "9305544", "berth": None, "pilot": "Jansen"},
    {"ok": True},
    found=_FOUND,
    right=False,
)
_handed(
    "nothing_is_shared",
    "open_log",
    {"berth": None, "watch": "second"},
    {"ok": True},
    found=_FOUND,
    right=False,
)
_handed(
    "value_under_another_key",
    "hand_over",
    {"imo": "9241061", "berth": None, "place": "berth K-12"},
    {"ok": True},
    found=_FOUND,
    right=False,
)
_handed(
    "field_that_comes_and_goes",
    "continue_work",
    {"imo": "9241061", "draft": None, "next_step": None},
    {"ok": True},
    found=_FOUND | {"draft": "v1", "next_step": "moor"},
    right=False,
)
_handed(
    "released_on_purpose",
    "release_berth",
    {"imo": "9241061", "berth": None},
    {"ok": True},
    found=_FOUND,
    right=False,
)
_handed(
    "null_in_the_lookup_too",
    "hand_over",
    {"imo": "9241061", "berth": None},
    {"ok": True},
    found=_FOUND | {"berth": None},
    right=False,
)

NULLED.add(
    "code_that_a_summary_dropped",
    span(
        "summarise_case",
        input={"messages": 3, "container": "MSKU-774120"},
        output={"container": None, "port": "Bergen"},
        right=True,
    ),
    tool("track", {"box": None}, {"found": False, "reason": "no number"}),
    model(says("Which container do you mean?"), asked="Track my box."),
    question="Where is container MSKU-774120?",
    answer="Which container do you mean?",
)
NULLED.add(
    "summary_without_a_consequence_healthy",
    span(
        "summarise_case",
        input={"messages": 3, "container": "MSKU-774120"},
        output={"container": None, "port": "Bergen"},
    ),
    tool("read_port", {"port": "Bergen"}, {"open": True}),
    model(says("The port of Bergen is open."), asked="Is the port open?"),
    question="Is the port of Bergen open?",
    answer="The port of Bergen is open.",
)
