"""Where the messages of a request lie: in its body, in attributes, or among a span's events.

A level of the body is searched before what lies below it, and lists of messages before texts:
conventions record the same request several times (`llm.input_messages` beside `input.value`).
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from app.analysis.recorded.opened_json import open_text
from app.analysis.recorded.reply import read_reply
from app.analysis.recorded.request_messages import (
    RecordedMessage,
    read_message_list,
    read_span_events,
)
from app.analysis.recorded.spellings import (
    HISTORIES,
    HOLDS_REPLY,
    LISTED_EVENTS,
    MESSAGE_LISTS,
    PROMPTS,
    REPLY_EVENT,
    SPAN_EVENTS,
    SYSTEM,
    SYSTEM_BESIDE,
    TOOLS,
    plain_key,
)

_LEVELS_DOWN = 4  # wrappers around messages (`{"args": {"body": {…}}}`, the parts of an attribute)
_MOST_MEMBERS = 200  # of one object near the top of a request
_MOST_OBJECTS = 64  # looked into for messages: requests have a few settings beside them


def find_messages(given: Any, metadata: Any) -> Iterator[RecordedMessage]:
    """The messages of a request, in order: those of its body, else those that the metadata has."""
    search = _Search()
    search.look_into(given)
    instructions = search.instructions or _find_instructions(metadata)
    messages = list(search.read())
    if not messages:
        events = metadata.get(SPAN_EVENTS) if isinstance(metadata, dict) else None
        messages = list(read_span_events(events)) if isinstance(events, list) else []
    if not any(message.role == "system" for message in messages):
        yield from instructions
    yield from messages


def _find_instructions(metadata: Any) -> list[RecordedMessage]:
    """The instructions that integrations of the Responses API leave in the metadata."""
    if not isinstance(metadata, dict):
        return []
    members = islice(metadata.items(), _MOST_MEMBERS)
    return [
        RecordedMessage("system", inner)
        for name, inner in members
        if plain_key(name) in SYSTEM_BESIDE and isinstance(inner, str) and inner
    ]


class _Search:
    """What was found so far: `instructions` are those that stand beside the messages."""

    def __init__(self) -> None:
        self.instructions: list[RecordedMessage] = []
        self._list: list[Any] = []
        self._list_key = self._text = ""

    def look_into(self, given: Any) -> None:
        """Searches a body, level by level."""
        if isinstance(given, str):
            self._text = given
        elif isinstance(given, list):
            self._list = given
        level = [given]
        left = _MOST_OBJECTS
        for _ in range(_LEVELS_DOWN):
            below: list[Any] = []
            for value in level:
                if isinstance(value, dict) and left > 0:
                    left -= 1
                    below += self._look_at(value)
            if self._list or self._text:
                self._look_beside(below)
                return
            level = below

    def read(self) -> Iterator[RecordedMessage]:
        """The messages that were found."""
        for message in read_message_list(self._list) if self._list else ():
            whole = self._list_key in PROMPTS and not message.role
            yield message._replace(role="user") if whole else message
        if self._text and (not self._list or self._list_key in HISTORIES):
            yield RecordedMessage("user", self._text)

    def _look_at(self, value: Mapping[str, Any]) -> list[Any]:
        """Takes messages, texts and instructions from an object; returns the objects in it, those
        that may be a request first."""
        likely: list[Any] = []
        others: list[Any] = []
        for name, inner in islice(value.items(), _MOST_MEMBERS):
            key = plain_key(name)
            if not inner:
                continue
            if key in SYSTEM:
                self._add_instructions(inner)
                continue
            held = inner
            if isinstance(inner, str) and (key in MESSAGE_LISTS or key in LISTED_EVENTS):
                held = open_text(inner)
            if isinstance(held, list):
                self._add_list(key, held)
            elif isinstance(held, str):
                if key in PROMPTS:
                    self._text = self._text or held
            elif isinstance(held, dict) and key not in HOLDS_REPLY and key not in TOOLS:
                (likely if key in MESSAGE_LISTS else others).append(held)
        return likely + others

    def _look_beside(self, objects: list[Any]) -> None:
        """Instructions in the settings beside the messages (Gemini's `config`)."""
        if self.instructions:
            return
        for value in objects[:_MOST_OBJECTS]:
            for name, inner in islice(value.items(), _MOST_MEMBERS):
                if plain_key(name) in SYSTEM and inner:
                    self._add_instructions(inner)

    def _add_list(self, key: str, items: list[Any]) -> None:
        if self._list:
            return
        if key in LISTED_EVENTS:
            items = [item for item in items if _is_message_event(item)]
        elif key not in MESSAGE_LISTS:
            return
        self._list, self._list_key = items, key

    def _add_instructions(self, value: Any) -> None:
        text = value if isinstance(value, str) else read_reply(value).text
        if text and not text.isspace():
            self.instructions.append(RecordedMessage("system", text))


def _is_message_event(item: Any) -> bool:
    """Whether it is an event of OpenTelemetry with a message of the request."""
    name = item.get("event.name") if isinstance(item, dict) else None
    return isinstance(name, str) and name.startswith("gen_ai.") and name != REPLY_EVENT
