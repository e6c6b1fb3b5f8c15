"""What was known, and became null in what a later step returned or was given; healthy twins."""

from typing import Any

from evals.small_cases.builder import CaseList, SpanPlan, calls, model, says, span, tool

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


# What a trace was given is meant for all of its steps.
EMPTIED = CaseList("emptied_value")
_STATE = {"sprog": "da", "kabine": "C-12", "spørgsmål": "Hvornår er der mad?"}


def _rewrite(name: str, returned: Any, *later: SpanPlan, right: bool = True, **more: Any) -> None:
    """A step that rewrites what it was given, and a model that is asked with it."""
    EMPTIED.add(
        name if right else f"{name}_healthy",
        span(more.pop("step", "omskriv"), input=_STATE, output=returned, right=right),
        *later,
        model(says("Der er mad fra klokken 18."), asked="Hvornår er der mad?"),
        input=_STATE,
        answer="Der er mad fra klokken 18.",
        **more,
    )


_rewrite("returned_as_null", _STATE | {"sprog": None}, says="returned null for it")
_rewrite(
    "left_out_and_missed_later",
    {"kabine": "C-12"},
    span("skriv", input={"kabine": "C-12", "sprog": None}, output={"tekst": "Mad fra 18."}),
    says="returned no such value",
)
_rewrite("returned_whole", _STATE | {"tid": None}, right=False)
_rewrite("cleared_on_purpose", _STATE | {"sprog": None}, right=False, step="clear_session")
_rewrite("left_out_and_never_missed", {"kabine": "C-12"}, right=False)


def _search(name: str, given: Any, *, right: bool = False) -> None:
    """A search of a kiosk of one ship, which the trace names."""
    EMPTIED.add(
        name,
        model(calls("search_menu", given), right=right),
        tool("search_menu", given, {"dishes": ["soup", "fish", "pie"]}, right=right),
        model(says("There are soup, fish and pie."), asked="soup, fish, pie. What is there?"),
        input={"question": "What is there to eat?", "ship": "MF Ida"},
        answer="There are soup, fish and pie.",
    )


_search("argument_without_what_the_trace_names", {"ship": None, "meal": "dinner"}, right=True)
_search("all_instead_of_what_the_trace_names", {"ship": "*", "meal": "dinner"}, right=True)
_search("argument_that_the_trace_names_healthy", {"ship": "MF Ida", "meal": None})
_search("another_argument_that_is_all_healthy", {"ship": "MF Ida", "meal": "all"})

# A step empties a field of the record that it was given itself; a later step may need it or not.
for _needs, _name in ((True, "field_needed_later"), (False, "field_not_needed_healthy")):
    NULLED.add(
        _name,
        span(
            "shorten_talk",
            input={"vessel": {"id": "MSKU-1174", "flag": "NO"}, "said": ["Hello", "Is it here?"]},
            output={"vessel": {"id": None, "flag": "NO"}, "gist": "asks for a vessel"},
            right=_needs,
        ),
        tool(
            "berth_of",
            {"vessel_id": None, "port": "Bergen"},
            {"berths": [] if _needs else ["K-12"]},
        ),
        model(says("It lies at K-12."), asked="Where does it lie?"),
        question="Where does it lie?",
        answer="It lies at K-12.",
        says="shorten_talk was given" if _needs else "",
    )
