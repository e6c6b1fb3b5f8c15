"""An ADK session -> the turns and events of a conversation."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from app.adk_import.source import AdkEvent, AdkSession
from app.events import (
    ReplyCompleted,
    StoredEvent,
    TerminalEvent,
    ToolCallRecord,
    ToolCompleted,
    TurnFailed,
    TurnFinished,
    TurnInterrupted,
    TurnStarted,
)
from app.ids import UUID_PATTERN
from app.messages import TokenUsage
from app.surrogates import join_surrogates

_NAMESPACE = UUID("6f0e1f0a-1d5c-5b7e-9a63-0d2b7c1e4a90")
"""Ids are derived from ADK's, so that a second import finds what the first one stored."""

_RESULT_CHARACTERS = 20_000
"""Of a tool result, whose only reader is the model of a later turn, in one line."""


@dataclass(frozen=True, slots=True)
class DatedEvent:
    """An event, its id and its time in UTC."""

    id: str
    created_at: datetime
    event: StoredEvent


@dataclass(frozen=True, slots=True)
class ImportedTurn:
    """A question with everything that followed; the last event is terminal."""

    id: str
    model: str
    usage: TokenUsage
    events: tuple[DatedEvent, ...]


@dataclass(frozen=True, slots=True)
class ImportedConversation:
    """A session as a conversation; `user_id` is ADK's."""

    id: str
    user_id: str
    trace_id: str
    created_at: datetime
    updated_at: datetime
    turns: tuple[ImportedTurn, ...]


def convert_session(session: AdkSession) -> ImportedConversation | str:
    """The conversation, or the reason why there is none."""
    if not re.fullmatch(UUID_PATTERN, session.trace_id):
        return "the session names no trace"
    turns = tuple(_convert_turns(session))
    if not turns:
        return "nothing was asked"
    return ImportedConversation(
        id=_derive_id(session, session.id),
        user_id=session.user_id,
        trace_id=session.trace_id,
        created_at=session.created_at,
        updated_at=session.updated_at,
        turns=turns,
    )


def _convert_turns(session: AdkSession) -> Iterator[ImportedTurn]:
    """One turn for each invocation that a question began, in the order of the questions."""
    invocations: dict[str, list[AdkEvent]] = {}
    for event in session.events:
        invocations.setdefault(event.invocation_id, []).append(event)
    for invocation, events in invocations.items():
        asked = next((each for each in events if each.author == "user"), None)
        if asked is not None and _join_texts(asked):
            yield _convert_turn(session, invocation, events)


def _convert_turn(session: AdkSession, invocation: str, events: Sequence[AdkEvent]) -> ImportedTurn:
    turn_id = _derive_id(session, session.id, invocation)
    dated = [
        DatedEvent(_derive_id(session, session.id, each.id, str(number)), each.created_at, event)
        for each in events
        for number, event in enumerate(_convert_event(session, each))
    ]
    end = _build_end(events, [each.event for each in dated])
    end_id = _derive_id(session, session.id, invocation, "end")
    replies = [each.event for each in dated if isinstance(each.event, ReplyCompleted)]
    return ImportedTurn(
        id=turn_id,
        model=next((each.model for each in replies if each.model), ""),
        usage=sum((each.usage for each in replies if each.usage), TokenUsage()),
        events=(*dated, DatedEvent(end_id, events[-1].created_at, end)),
    )


def _convert_event(session: AdkSession, event: AdkEvent) -> Iterator[StoredEvent]:
    if event.author == "user":
        if text := _join_texts(event):
            yield TurnStarted(question=text)
        return
    if event.partial:
        return
    text = _join_texts(event)
    calls = tuple(
        _convert_call(event, number)
        for number, part in enumerate(event.parts)
        if part.function_call is not None
    )
    if text or calls:
        yield ReplyCompleted(
            bubble=_derive_id(session, session.id, event.id, "bubble"),
            text=text,
            calls=calls,
            usage=_convert_usage(event),
            model=event.model_version or "",
        )
    for number, part in enumerate(event.parts):
        if (result := part.function_response) is not None:
            failed = isinstance(result.response, dict) and "error" in result.response
            yield ToolCompleted(
                call_id=result.id or f"{event.id}-{number}",
                name=result.name,
                outcome="failed" if failed else "ok",
                text=join_surrogates(json.dumps(result.response, ensure_ascii=False))[
                    :_RESULT_CHARACTERS
                ],
            )


def _convert_call(event: AdkEvent, number: int) -> ToolCallRecord:
    call = event.parts[number].function_call
    assert call is not None
    return ToolCallRecord(
        id=call.id or f"{event.id}-{number}",
        name=call.name,
        arguments=join_surrogates(json.dumps(call.args or {}, ensure_ascii=False)),
        display_name=call.name.replace("_", " ").capitalize(),
    )


def _convert_usage(event: AdkEvent) -> TokenUsage | None:
    counted = event.usage_metadata
    if counted is None:
        return None
    return TokenUsage(
        prompt_tokens=counted.prompt_token_count or 0,
        completion_tokens=counted.candidates_token_count or 0,
        cached_tokens=counted.cached_content_token_count or 0,
        reasoning_tokens=counted.thoughts_token_count or 0,
    )


def _build_end(events: Sequence[AdkEvent], converted: Sequence[StoredEvent]) -> TerminalEvent:
    """ADK stores no end: a text without calls is one, an error is one, else it was cut off."""
    failed = next((each for each in reversed(events) if each.error_code), None)
    if failed is not None:
        message = failed.error_message or "The assistant's model failed."
        return TurnFailed(code="imported", message=join_surrogates(message))
    last = converted[-1]
    if isinstance(last, ReplyCompleted) and last.text and not last.calls:
        return TurnFinished()
    return TurnInterrupted()


def _join_texts(event: AdkEvent) -> str:
    return join_surrogates(
        "".join(part.text for part in event.parts if part.text and not part.thought)
    )


def _derive_id(session: AdkSession, *names: str) -> str:
    return str(uuid5(_NAMESPACE, "\0".join((session.user_id, *names))))
