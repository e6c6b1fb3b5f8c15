"""Folds the log of a conversation into the messages that the model reads.

Calls that never got an answer (the turn was stopped or its process died) are answered as
cancelled, and a turn that did not end well says so, since providers refuse dangling calls and the
model should not take a fragment for an answer.
"""

from collections.abc import Iterable, Sequence

from app.agent.citations import Aliases
from app.agent.context import summarize_tool_result
from app.events import (
    AliasesAssigned,
    ReplyCompleted,
    StoredEvent,
    ToolCallRecord,
    ToolCompleted,
    TurnCancelled,
    TurnFailed,
    TurnInterrupted,
    TurnStarted,
)
from app.messages import Assistant, Message, ToolCall, ToolResult, User

_ENDING_NOTES = {
    TurnCancelled: "[The user stopped this answer.]",
    TurnInterrupted: "[This answer was interrupted and never finished.]",
    TurnFailed: "[This answer failed before its end.]",
}


def restore_aliases(events: Sequence[StoredEvent]) -> Aliases:
    """The short names that the conversation has given."""
    named = [each for each in events if isinstance(each, AliasesAssigned)]
    return Aliases(
        (id for each in named for id in each.ids),
        traces=[trace for each in named for trace in each.traces],
    )


def build_messages(events: Sequence[StoredEvent], aliases: Aliases) -> list[Message]:
    """The messages of earlier turns, tool answers as one line each, in the order they were said."""
    answers = {each.call_id: each for each in events if isinstance(each, ToolCompleted)}
    return list(_yield_messages(events, answers, aliases))


def _yield_messages(
    events: Sequence[StoredEvent], answers: dict[str, ToolCompleted], aliases: Aliases
) -> Iterable[Message]:
    for event in events:
        ending = _ENDING_NOTES.get(type(event))
        if isinstance(event, TurnStarted):
            yield User(event.question)
        elif isinstance(event, ReplyCompleted):
            calls = tuple(_build_call(record) for record in event.calls)
            if event.text or calls:
                yield Assistant(aliases.to_aliases(event.text), calls)
            for call in calls:
                yield _build_result(call, answers.get(call.id))
        elif ending is not None:
            yield Assistant(ending)


def _build_call(record: ToolCallRecord) -> ToolCall:
    return ToolCall(record.id, record.name, record.arguments, record.provider_id)


def _build_result(call: ToolCall, completed: ToolCompleted | None) -> ToolResult:
    if completed is None:
        return ToolResult(call, "[cancelled before it was answered]")
    return ToolResult(call, summarize_tool_result(call, completed.text, completed.outcome))
