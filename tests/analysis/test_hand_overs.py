"""Cases that agents hand to each other, and texts that they write again."""

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


def found(spans: Sequence[Span], category: Category, *, notes: bool = False) -> list[Finding]:
    root = span("root", 0, 1_000, input={"case": "heat pump"})
    analysis = analyse_trace(trace(), [root, *spans])
    kept = analysis.notes if notes else analysis.findings
    return [finding for finding in kept if finding.category is category]


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


ANSWER = (
    "I have checked the records of all regions and found that no further change is needed at all."
)


def answers(count: int, **more: Any) -> list[Span]:
    return [
        step(
            f"a{i}",
            50 * i,
            **({"name": f"{'abc'[i]} expert", "input": {"q": REASONS[i]}, "output": ANSWER} | more),
        )
        for i in range(count)
    ]


def test_a_long_answer_written_word_for_word_by_several_agents_is_a_note() -> None:
    (note,) = found(answers(3), Category.REPEATED_ANSWER, notes=True)
    assert note.spans == ("a0", "a1", "a2")
    assert "a expert, b expert, c expert wrote the same text 3 times" in note.sentence


def test_a_team_in_which_nobody_adds_anything_any_more_is_a_finding() -> None:
    spans = [*answers(3), step("a3", 150, name="a expert", input={"q": "and?"}, output=ANSWER)]
    (finding,) = found(spans, Category.REPEATED_ANSWER)
    assert "wrote the same text 4 times word for word" in finding.sentence
    assert f"“{ANSWER[:40]}" in finding.sentence


def test_texts_that_are_short_passed_on_or_asked_for_again_are_no_repeated_answers() -> None:
    short = answers(3, output="No change is needed.")
    passed = answers(3, input={"draft": ANSWER})
    again = answers(3, name="expert", input={"q": "the same"})
    wrapped = [
        *answers(1),
        step("inner", 1, name="ask", parent_span_id="a0", type="llm", input="x", output=ANSWER),
    ]
    for spans in (short, passed, again, wrapped):
        assert found(spans, Category.REPEATED_ANSWER, notes=True) == []


def test_steps_around_equal_answers_wrote_none_of_them_however_many_there_are() -> None:
    spans = []
    for i in range(40):
        name = f"{'abcd'[i % 4]} expert"
        spans.append(step(f"o{i}", 24 * i, name="team", output=ANSWER))
        inner = {"parent_span_id": f"o{i}", "type": "llm", "input": {"q": str(i)}, "output": ANSWER}
        spans.append(step(f"i{i}", 24 * i + 1, name=name, **inner))
    (finding,) = found(spans, Category.REPEATED_ANSWER)
    assert (
        "a expert, b expert, c expert and 1 more wrote the same text 40 times" in finding.sentence
    )
