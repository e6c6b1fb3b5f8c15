"""Cuts events that are too large for one packet of the database, or for memory."""

from app.events import (
    ReplyCompleted,
    StoredEvent,
    ToolCompleted,
    TurnFailed,
    TurnStarted,
    dump_event,
)

CUT_MARK = "\n[the rest was too large to be stored]"

_TEXT_FIELDS: dict[type[StoredEvent], str] = {
    TurnStarted: "question",
    ReplyCompleted: "text",
    ToolCompleted: "text",
    TurnFailed: "message",
}


def measure_event(event: StoredEvent) -> int:
    """The bytes of the event's JSON text in UTF-8."""
    return len(dump_event(event).encode())


def shrink_event(event: StoredEvent, limit: int) -> StoredEvent:
    """The event, its text cut and marked where it has more than `limit` bytes.

    Where a reply's tool calls and citations alone are too large, the calls lose their arguments and
    the citations their labels. The limit may be exceeded where it is below some hundred bytes a
    call, and by events without a text.
    """
    if measure_event(event) <= limit:
        return event
    if isinstance(event, ReplyCompleted) and measure_event(_cut_text(event, 0)) > limit:
        calls = tuple(each.model_copy(update={"arguments": "{}"}) for each in event.calls)
        event = event.model_copy(update={"calls": calls, "cited": {}})
    length = len(_read_text(event))
    while length and (size := measure_event(_cut_text(event, length))) > limit:
        length = min(length * limit // size, length - 1)
    return _cut_text(event, length)


def _read_text(event: StoredEvent) -> str:
    name = _TEXT_FIELDS.get(type(event))
    return getattr(event, name) if name else ""


def _cut_text(event: StoredEvent, length: int) -> StoredEvent:
    name = _TEXT_FIELDS.get(type(event))
    if name is None:
        return event
    return event.model_copy(update={name: _read_text(event)[:length] + CUT_MARK})
