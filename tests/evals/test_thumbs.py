"""What a thumb means for the spans that the answer before it cites."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.commands.export_cases import Recording, build_case_turns
from app.db.rated_conversations import RatedConversation
from app.events import LoggedEvent, ReplyCompleted, TurnFinished, TurnStarted
from app.opik.records import Span, Trace
from evals.grading import LabelledTurn, grade_spans

TRACE, BLAMED, BESIDE, GONE = (f"019ca869-0000-7000-8000-00000000000{n}" for n in range(4))
NOW = datetime(2026, 1, 1, tzinfo=UTC)
UP, DOWN = 1, 0
RECORDING = Recording(
    trace=Trace(id=TRACE), spans=[Span(id=each, trace_id=TRACE) for each in (BLAMED, BESIDE)]
)


def turns(thumb: int, text: str) -> list[dict[str, Any]]:
    events = (TurnStarted(question="Why?"), ReplyCompleted(bubble="b", text=text), TurnFinished())
    log = [LoggedEvent(str(n), n, "turn", NOW, event) for n, event in enumerate(events)]
    return build_case_turns(RatedConversation("c", TRACE, thumb, NOW), log, RECORDING)


def asked(thumb: int) -> LabelledTurn:
    (turn,) = turns(thumb, f"It was ⟦span:{BLAMED}⟧, seen in ⟦span:{BESIDE}⟧.")
    return LabelledTurn.model_validate(turn)


def test_thumb_up_case_naming_only_the_evidence_is_not_right() -> None:
    assert grade_spans(asked(UP), [BLAMED]) == "culprit"
    assert grade_spans(asked(UP), [BESIDE]) == "wrong"


def test_thumb_down_case_refuses_the_blamed_span_but_not_the_evidence() -> None:
    assert grade_spans(asked(DOWN), [BLAMED, BESIDE]) == "symptom"
    assert grade_spans(asked(DOWN), [BESIDE]) == "avoided"


@pytest.mark.parametrize("thumb", [UP, DOWN])
@pytest.mark.parametrize(
    "text",
    [
        f"It went as in ⟦trace:{GONE}⟧.",
        f"It was ⟦span:{GONE}⟧, seen in ⟦span:{BESIDE}⟧.",
    ],
    ids=["only another trace", "first a span that is gone"],
)
def test_an_answer_without_a_span_of_the_trace_makes_no_case(thumb: int, text: str) -> None:
    assert not turns(thumb, text)
