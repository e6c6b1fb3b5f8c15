"""Errors that only the innermost span recorded, and errors over what a result lacked."""

from typing import Any

from evals.small_cases.builder import CaseList, SpanPlan, failed, model, says, span, tool

PASSING = CaseList("passing_error")
SUBJECTS = CaseList("lacked_subject")
_REFUSED = failed("ConnectionRefusedError", "[Errno 111] connect to 10.2.0.9:9100 refused")


def _innermost(*after: SpanPlan, output: Any = None, error: Any = _REFUSED) -> list[SpanPlan]:
    """A model's plan, a tool that worked and one of which only the connection failed."""
    printed = span(
        "print_label",
        span("printer.open", span("tcp.connect", input={"port": 9100}, right=True, **error)),
        type="tool",
        input={"label": "B12"},
        output=output,
    )
    return [
        model(says("I look the cabin up and print its label.")),
        tool("find_cabin", {"guest": "Ida Berg"}, {"cabin": "B12"}),
        printed,
        *after,
    ]


def _add(name: str, *spans: SpanPlan, output: Any = None) -> None:
    root = span("label_job", *spans, input={"guest": "Ida Berg"}, output=output)
    PASSING.add_flat(name, root, input={"guest": "Ida Berg"}, output=output)


_add("nothing_around_it_gave_anything", *_innermost())
_add(
    "message_of_another_language",
    *_innermost(error=failed("", "Error: connect ECONNREFUSED 10.2.0.9:9100")),
)

_add("a_later_step_healthy", *_innermost(tool("note_down", {"cabin": "B12"}, {"noted": True})))
_add("the_tool_went_on_healthy", *_innermost(output={"printed": True, "by": "spare printer"}))


# A result without what the name of its call promises.
def _lacks(name: str, used: str, result: object, error: str, message: str, *, right: bool) -> None:
    SUBJECTS.add(
        name,
        tool(used, {"harbour": "Bergen"}, result, right=right),
        tool("note_down", {"harbour": "Bergen"}, {"noted": "yes, at noon"}),
        span("plan_day", input={"day": 4}, right=not right, **failed(error, message)),
        answer=None,
    )


_PLAN = {"harbour": "Bergen", "plan": "basic", "hint": "the forecast needs another plan"}
_lacks("tides", "harbour_tides", _PLAN, "KeyError", "'tides'", right=True)
_lacks(
    "prices",
    "getPrices",
    {"content": [{"type": "text", "text": '{"port": "Bergen", "day": 4}'}]},
    "TypeError",
    "Cannot read properties of undefined (reading 'prices')",
    right=True,
)
_lacks("held", "harbour_tides", {"tides": [1.2, 0.4]}, "KeyError", "'tides'", right=False)
