"""Cases that agents hand to each other."""

from collections.abc import Sequence
from typing import Any

from app.analysis.analyse_trace import analyse_trace
from app.analysis.finding import Category, Finding
from app.opik.records import Span
from tests.analysis.timeline import span, trace

REASONS = (
    "The amount comes from a meter reading.",
    "Our meters are fine, please look at the tariff.",
    "The tariff is right, somebody has to visit the customer.",
    "A visit needs an approved invoice.",
    "Invoices are only approved after a reading.",
    "The reading was taken in April and looks plausible.",
    "Plausible or not, the customer complains about money.",
    "Money follows the reading.",
)


def found(spans: Sequence[Span], category: Category) -> list[Finding]:
    root = span("root", 0, 1_000, input={"case": "heat pump"})
    analysis = analyse_trace(trace(), [root, *spans])
    return [finding for finding in analysis.findings if finding.category is category]


def step(span_id: str, at: float, /, **more: Any) -> Span:
    return span(span_id, at, at + 20, **({"parent_span_id": "root"} | more))


def hand_overs(count: int, *, by_name: bool = False) -> list[Span]:
    spans = []
    for i in range(count):
        target = ("technical", "billing")[i % 2]
        given = {"reason": REASONS[i]} if by_name else {"to": target, "reason": REASONS[i]}
        name = f"transfer_to_{target}" if by_name else "handoff"
        spans.append(step(f"h{i}", 50 * i, name=name, type="tool", input=given, output="accepted"))
    return spans


def test_a_case_that_is_handed_to_and_fro_is_ping_pong_whatever_the_reasons() -> None:
    for by_name in (False, True):
        (finding,) = found(hand_overs(8, by_name=by_name), Category.PING_PONG)
        assert finding.spans[:2] == ("h0", "h1")
        assert "handed over 8 times in turn, to technical and billing" in finding.sentence


def test_agents_whose_outputs_name_each_other_hand_over() -> None:
    spans = [
        step(
            f"a{i}",
            50 * i,
            name=("billing_agent", "technical_agent")[i % 2],
            input={"note": REASONS[i - 1]},
            output={"goto": ("technical agent", "billing agent")[i % 2], "why": REASONS[i]},
        )
        for i in range(8)
    ]
    (finding,) = found(spans, Category.PING_PONG)
    assert finding.numbers["calls"] == 7


def test_hand_overs_with_work_in_between_or_back_once_are_fine() -> None:
    looks = [
        step(
            f"t{i}", 50 * i + 25, name="read_meter", type="tool", input={"id": i}, output={"kwh": i}
        )
        for i in range(8)
    ]
    assert found([*hand_overs(8), *looks], Category.PING_PONG) == []
    assert found(hand_overs(3), Category.PING_PONG) == []
    team = [
        step(
            f"h{i}", 50 * i, name="delegate", type="tool", input={"agent": name, "task": REASONS[i]}
        )
        for i, name in enumerate(("plan", "search", "write", "check", "plan", "publish"))
    ]
    assert found(team, Category.PING_PONG) == []
