"""The log as the model reads it in the next turn."""

from app.agent.citations import Aliases
from app.conversation.history import aliases_of, fold
from app.events import (
    CallRecord,
    ReplyCompleted,
    SpansNamed,
    ToolCompleted,
    TraceRead,
    TurnCancelled,
    TurnFailed,
    TurnFinished,
    TurnInterrupted,
    TurnStarted,
)
from app.messages import Assistant, ToolAnswer, ToolCall, User

SPAN = "0199dead-0000-7000-8000-000000000001"
OTHER = "0199dead-0000-7000-8000-000000000002"


def record(number: int) -> CallRecord:
    return CallRecord(id=f"c{number}", name="look", arguments="{}", provider_id=f"p{number}")


def call(number: int) -> ToolCall:
    return ToolCall(f"c{number}", "look", "{}", f"p{number}")


def test_answers_follow_their_calls_in_the_order_of_the_calls() -> None:
    events = [
        TurnStarted(question="Why?"),
        TraceRead(),
        ReplyCompleted(bubble="b", text="Hm.", calls=(record(1), record(2))),
        ToolCompleted(call_id="c2", name="look", outcome="failed", text="no" * 10),
        ToolCompleted(call_id="c1", name="look", outcome="ok", text="x" * 1_234),
        ReplyCompleted(bubble="c", text="That is why."),
        TurnFinished(),
    ]
    assert fold(events, Aliases()) == [
        User("Why?"),
        Assistant("Hm.", (call(1), call(2))),
        ToolAnswer(call(1), "[look: ok, 1,234 characters, left out here; call again to read it]"),
        ToolAnswer(call(2), "[look: failed, 20 characters, left out here; call again to read it]"),
        Assistant("That is why."),
    ]


def test_a_call_without_an_answer_is_answered_as_cancelled() -> None:
    events = [ReplyCompleted(bubble="b", text="", calls=(record(1),)), TurnCancelled()]
    messages = fold(events, Aliases())
    assert messages[1] == ToolAnswer(call(1), "[cancelled before it was answered]")


def test_a_turn_that_did_not_end_well_says_so() -> None:
    for ending, words in (
        (TurnCancelled(), "stopped"),
        (TurnInterrupted(), "interrupted"),
        (TurnFailed(code="x", message="secret detail"), "failed"),
    ):
        said = fold([TurnStarted(question="Why?"), ending], Aliases())[-1]
        assert isinstance(said, Assistant)
        assert words in said.text
        assert "secret" not in said.text


def test_an_empty_reply_is_left_out() -> None:
    assert fold([ReplyCompleted(bubble="b", text="")], Aliases()) == []


def test_the_model_reads_its_citations_in_its_own_short_names() -> None:
    events = [
        SpansNamed(ids=(SPAN,)),
        ReplyCompleted(bubble="b", text=f"See ⟦span:{OTHER}⟧ and ⟦span:{SPAN}⟧."),
        SpansNamed(ids=(OTHER,)),
    ]
    aliases = aliases_of(events)
    assert fold(events, aliases) == [Assistant("See [s2] and [s1].")]
    assert aliases.take_new() == ()
