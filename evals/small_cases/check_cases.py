"""What programs deal with by themselves, and what they do not."""

from typing import Any

from evals.small_cases.builder import CaseList, calls, model, says, span, tool

DEALT_WITH = CaseList("dealt_with")


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


# A code that says that something is not there is an answer of a lookup, and a failure elsewhere.
_MISSING = {"http_status": 404, "fallback": "initials"}
DEALT_WITH.add(
    "picture_that_is_not_there_healthy",
    tool("lookup_picture", {"guest": "G-2041"}, _MISSING),
    model(says("There are 14 seats left."), asked="14 seats. How many are left?"),
)
DEALT_WITH.add(
    "order_that_is_not_there",
    tool("confirm_order", {"order": "FB-2291"}, {"status": 404, "detail": "gone"}, right=True),
    model(says("Your order is confirmed."), asked="Please confirm FB-2291."),
    question="Please confirm FB-2291.",
    answer="Your order is confirmed.",
)

# Dates are what a calendar returns.
DEALT_WITH.add(
    "dates_of_a_list_healthy",
    tool("ferry_days", {"pier": "Oster"}, {"days": ["2026-05-05", "2026-06-02"], "note": None}),
    model(says("On 5 May and 2 June."), asked="2026-05-05, 2026-06-02. When does a ferry go?"),
    question="When does a ferry go from Oster?",
    answer="On 5 May and 2 June.",
)

# The one text of a result reports a failure, whatever its key.
_SEEN = [{"billedtekst": f"The ferry at pier {n}."} for n in range(4)]
_UNSEEN = {"billedtekst": "Unable to process the input image. Please retry or report this issue."}
DEALT_WITH.add(
    "failure_under_a_key_of_its_own",
    *[
        tool("describe_photo", {"photo": n}, seen, right=seen is _UNSEEN)
        for n, seen in enumerate([*_SEEN, _UNSEEN])
    ],
    span("publish", input={"photos": 5}, output={"published": 5}),
    answer="Five photos are published.",
)
DEALT_WITH.add(
    "text_about_failures_healthy",
    tool("describe_photo", {"photo": 1}, {"billedtekst": "A sign that says: ticket error 12."}),
    span("publish", input={"photos": 1}, output={"published": 1}),
    answer="One photo is published.",
)

# Broken JSON that a model was given to mend, and then returned as it should be.
_TORN = '{"sailing": "FB-2291", "seats": 14,}'
_WHOLE = '{"sailing": "FB-2291", "seats": 14}'
for _name, _second in (("mended_json_healthy", _WHOLE), ("json_that_stayed_broken", _TORN)):
    DEALT_WITH.add(
        _name,
        model(says(f"```json\n{_TORN}\n```"), asked="FB-2291 as JSON only", right=_second == _TORN),
        model(says(_second), asked=f"Mend this: {_TORN}", right=_second == _TORN),
        span("store", input={"sailing": "FB-2291"}, output={"stored": True}),
        answer="It is stored.",
    )

# Failures with a number, pages of a robot check, and blocks of Bedrock around a result.
DEALT_WITH.add(
    "error_with_a_number",
    tool(
        "feed_log",
        {"day": "2026-05-04"},
        {"content": [{"type": "text", "text": "Virhe 1042: laite ei vastaa."}], "isError": False},
        right=True,
    ),
    span("make_report", input={"section": "feed"}, output={"section": "feed", "lines": 1}),
    answer="The report is ready.",
)
_CHECK = "<html><title>Just a moment...</title><p>Enable JavaScript and cookies.</p></html>"
DEALT_WITH.add(
    "robot_check_as_a_body",
    tool("read_plan", {"url": "https://e.org"}, {"status": 200, "body": _CHECK}, right=True),
    model(says("The plan is one page long."), asked=_CHECK),
    question="How long is the plan?",
    answer="The plan is one page long.",
)
_BLOCK = {"toolUseId": "t-1", "status": "success", "content": [{"json": {"hits": 0, "items": []}}]}
DEALT_WITH.add(
    "nothing_in_a_block_of_bedrock",
    tool("search_items", {"query": "blue umbrella at pier N2"}, {"toolResult": _BLOCK}, right=True),
    model(says("Your blue umbrella is at the desk of pier N2, number U-20533."), right=True),
    question="Did you find my blue umbrella at pier N2?",
    answer="Your blue umbrella is at the desk of pier N2, number U-20533.",
)
