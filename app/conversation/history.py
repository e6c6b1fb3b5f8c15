"""Builds the messages that the model reads from a conversation's event log.

Calls without a result (the turn was stopped or its process died) get a result that says so, since
providers refuse calls without one. A turn that did not finish is marked, so that the model does not
take a fragment for an answer.
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
    """The aliases that the conversation has assigned."""
    assigned = [each for each in events if isinstance(each, AliasesAssigned)]
    return Aliases(
        (id for each in assigned for id in each.ids),
        traces=[trace for each in assigned for trace in each.traces],
    )


def build_messages(events: Sequence[StoredEvent], aliases: Aliases) -> list[Message]:
    """The messages of earlier turns in order, each tool result shortened to a line."""
    results = {each.call_id: each for each in events if isinstance(each, ToolCompleted)}
    return list(_yield_messages(events, results, aliases))


def _yield_messages(
    events: Sequence[StoredEvent], results: dict[str, ToolCompleted], aliases: Aliases
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
                yield _build_result(call, results.get(call.id))
        elif ending is not None:
            yield Assistant(ending)


def _build_call(record: ToolCallRecord) -> ToolCall:
    return ToolCall(record.id, record.name, record.arguments, record.provider_id)


def _build_result(call: ToolCall, completed: ToolCompleted | None) -> ToolResult:
    if completed is None:
        return ToolResult(call, "[cancelled before there was a result]")
    return ToolResult(call, summarize_tool_result(call, completed.text, completed.outcome))
