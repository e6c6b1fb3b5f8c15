"""The log as the model reads it in the next turn."""

from app.agent.citations import Aliases
from app.conversation.history import build_messages, restore_aliases
from app.events import (
    AliasesAssigned,
    ReplyCompleted,
    ToolCallRecord,
    ToolCompleted,
    TraceRead,
    TurnCancelled,
    TurnFailed,
    TurnFinished,
    TurnInterrupted,
    TurnStarted,
)
from app.messages import Assistant, ToolCall, ToolResult, User

SPAN = "0199dead-0000-7000-8000-000000000001"
OTHER = "0199dead-0000-7000-8000-000000000002"


def record(number: int) -> ToolCallRecord:
    return ToolCallRecord(id=f"c{number}", name="look", arguments="{}", provider_id=f"p{number}")


def call(number: int) -> ToolCall:
    return ToolCall(f"c{number}", "look", "{}", f"p{number}")


def test_results_follow_their_calls_in_the_order_of_the_calls() -> None:
    events = [
        TurnStarted(question="Why?"),
        TraceRead(),
        ReplyCompleted(bubble="b", text="Hm.", calls=(record(1), record(2))),
        ToolCompleted(call_id="c2", name="look", outcome="failed", text="no" * 10),
        ToolCompleted(call_id="c1", name="look", outcome="ok", text="x" * 1_234),
        ReplyCompleted(bubble="c", text="That is why."),
        TurnFinished(),
    ]
    assert build_messages(events, Aliases()) == [
        User("Why?"),
        Assistant("Hm.", (call(1), call(2))),
        ToolResult(call(1), "[look: ok, 1,234 characters, left out here; call again to read it]"),
        ToolResult(call(2), "[look: failed, 20 characters, left out here; call again to read it]"),
        Assistant("That is why."),
    ]


def test_a_call_without_a_result_gets_one_that_says_cancelled() -> None:
    events = [ReplyCompleted(bubble="b", text="", calls=(record(1),)), TurnCancelled()]
    messages = build_messages(events, Aliases())
    assert messages[1] == ToolResult(call(1), "[cancelled before there was a result]")


def test_a_turn_that_did_not_end_well_says_so() -> None:
    for ending, note in (
        (TurnCancelled(), "stopped"),
        (TurnInterrupted(), "interrupted"),
        (TurnFailed(code="x", message="secret detail"), "failed"),
    ):
        message = build_messages([TurnStarted(question="Why?"), ending], Aliases())[-1]
        assert isinstance(message, Assistant)
        assert note in message.text
        assert "secret" not in message.text


def test_an_empty_reply_is_left_out() -> None:
    assert build_messages([ReplyCompleted(bubble="b", text="")], Aliases()) == []


def test_the_model_reads_its_citations_in_its_own_short_names() -> None:
    events = [
        AliasesAssigned(ids=(SPAN,)),
        ReplyCompleted(bubble="b", text=f"See ⟦span:{OTHER}⟧ and ⟦span:{SPAN}⟧."),
        AliasesAssigned(ids=(OTHER,)),
    ]
    aliases = restore_aliases(events)
    assert build_messages(events, aliases) == [Assistant("See [s2] and [s1].")]
    assert aliases.take_new_spans() == ()
