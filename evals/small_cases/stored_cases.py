"""Fields that were looked up and handed on as null; healthy twins."""

from typing import Any

from evals.small_cases.builder import CaseList, model, says, span, tool

NULLED = CaseList("nulled_field")


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
