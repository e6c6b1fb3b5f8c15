"""What makes good for a failed call, and what does not."""

from app.analysis.analyse_trace import analyse_trace
from app.analysis.rules.recovery import find_recovery, is_named_after
from app.opik.records import ErrorInfo, Span
from testkit.case_tables import each_case
from tests.analysis.timeline import span, trace

ERROR = ErrorInfo(exception_type="ConnectTimeout", message="connect timed out")


def call(span_id: str, start: float, given: object, *, name: str, failed: bool = False) -> Span:
    ending = {"error_info": ERROR} if failed else {"output": {"sent": 1}}
    return span(
        span_id, start, start + 1, name=name, type="tool", input=given, parent_span_id="p", **ending
    )


def recovery_of_a(*spans: Span) -> str | None:
    analysis = analyse_trace(trace(), [span("p", 0, 20), *spans])
    found = find_recovery(analysis.tree.by_id["a"], analysis)
    return found.later.id if found else None


def test_another_provider_of_the_same_call_makes_good_for_a_failure() -> None:
    first = call("a", 1, {"to": "P-338", "provider": "one"}, name="sms.send", failed=True)
    second = call("b", 3, {"to": "P-338", "provider": "two"}, name="sms.send")
    assert recovery_of_a(first, second) == "b"
    other = call("b", 3, {"to": "Q-400", "provider": "two"}, name="sms.send")
    assert recovery_of_a(first, other) is None


def test_the_next_items_of_a_list_do_not_make_good_for_a_failed_one() -> None:
    items = [
        call(sign, 2 * place, {"account": "A-1", "page": place}, name="load", failed=sign == "a")
        for place, sign in enumerate("abcd", 1)
    ]
    assert recovery_of_a(*items) is None


def test_a_fallback_of_another_name_makes_good_for_a_failure() -> None:
    first = call("a", 1, {"text": "your order is ready", "to": "P-1"}, name="sms.send", failed=True)
    mail = call("b", 3, {"text": "your order is ready", "to": "P-1"}, name="mail.send")
    assert recovery_of_a(first, mail) == "b"
    other = call("b", 3, {"order": 7}, name="store.close")
    assert recovery_of_a(first, other) is None


@each_case(
    "name, tool, named",
    [
        ("execute_tool get_order", "get_order", True),
        ("Get order", "get_order", True),
        ("tools.getOrder", "get_order", True),
        ("get_orders", "get_order", False),
        ("get_order", "", False),
    ],
)
def test_a_span_is_known_as_that_of_a_tool(name: str, tool: str, named: bool) -> None:
    node = analyse_trace(trace(), [span("a", name=name)]).tree.by_id["a"]
    assert is_named_after(node, tool) is named


def test_a_span_is_known_as_that_of_the_tool_in_its_attributes() -> None:
    recorded = span("a", name="ai.toolCall", input={"toolName": "openingHours", "args": "{}"})
    node = analyse_trace(trace(), [recorded]).tree.by_id["a"]
    assert is_named_after(node, "openingHours")
    assert not is_named_after(node, "findArtwork")


def say(span_id: str, start: float, role: str, *lines: str, failed: bool = False) -> Span:
    """A model call of an agent that read a task and what others had written."""
    said = [{"role": "assistant", "content": line} for line in lines]
    task = {"role": "user", "content": "Plan the trip to the salt mine."}
    ending = {"error_info": ERROR} if failed else {"output": {"role": "assistant", "content": "A"}}
    return span(
        span_id,
        start,
        start + 1,
        name="chat",
        type="llm",
        input={"messages": [{"role": "system", "content": role}, task, *said]},
        parent_span_id="p",
        **ending,
    )


@each_case(
    "later, found",
    [
        (("You are Guide at 10:05.",), "b"),
        (("You are Guide at 10:05.", "Driver: 30 seats."), "b"),
        (("Answer any question.",), "b"),
        (("You are Cook.", "Driver: 30 seats."), None),
        (("Name the next speaker.",), None),
    ],
)
def test_the_turn_of_another_agent_does_not_make_good_for_a_failed_one(
    later: tuple[str, ...], found: str | None
) -> None:
    selected = say("s", 0, "Name the next speaker.")
    first = say("a", 2, "You are Guide at 10:04.", failed=True)
    assert recovery_of_a(selected, first, say("b", 4, *later)) == found
