"""Usage events for product analytics: that something happened, never what it was about.

An event has no text, no id and no name of a user, workspace, project or trace; users and workspaces
are hashes with the database's key, so that nobody without it can tell who they are.
"""

import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from app.caller import Owner
from app.conversation.ports import TurnFacts, TurnObserver
from app.events import (
    ModelCalled,
    StoredEvent,
    TerminalEvent,
    ToolCompleted,
    TurnCancelled,
)
from app.telemetry.observers import NoObserver

EVENT_PREFIX = "opik-ai-trace-analyzer-"
"""Of the replaced service, whose dashboards find its `conversation-started` by it."""

Properties = Mapping[str, str | int | float | bool]


class EventSink(Protocol):
    """Where events go; never waits, never raises."""

    def send(self, event: str, user: str, properties: Properties) -> None:
        """`user` is a hash."""
        ...


class AnalyticsObserver(NoObserver):
    """`conversation.ports.Observer`; sends each event to one sink."""

    def __init__(self, sink: EventSink, *, key: bytes, environment: str) -> None:
        """`key` hashes users and workspaces."""
        self._sink = sink
        self._key = key
        self._environment = environment

    def start_turn(self, turn: TurnFacts) -> TurnObserver:
        """Sends that a question was asked, and that a conversation started with it."""
        if turn.first:
            self._send("conversation-started", turn.owner, {})
        self._send("question-asked", turn.owner, {"first": turn.first})
        return _AnalyticsTurn(lambda event, more: self._send(event, turn.owner, more))

    def record_rating(self, owner: Owner, conversation_id: str, value: int) -> None:
        self._send("feedback-submitted", owner, {"feedback_value": value})

    def record_rating_removed(self, owner: Owner, conversation_id: str) -> None:
        self._send("feedback-removed", owner, {})

    def _send(self, event: str, owner: Owner, properties: Properties) -> None:
        common = {"environment": self._environment, "workspace": self._hash(owner.workspace)}
        user = self._hash(f"{owner.workspace}\0{owner.name}")
        self._sink.send(EVENT_PREFIX + event, user, {**common, **properties})

    def _hash(self, name: str) -> str:
        return hmac.new(self._key, name.encode(), hashlib.sha256).hexdigest()[:32]


class _AnalyticsTurn(NoObserver):
    def __init__(self, send: Callable[[str, Properties], None]) -> None:
        self._send = send
        self._started_at = time.monotonic()
        self._model_calls = 0
        self._tool_calls = 0
        self._tokens = 0

    def record_event(self, event: StoredEvent | ModelCalled) -> None:
        if isinstance(event, ModelCalled):
            self._model_calls += 1
            self._tokens += event.usage.total_tokens
        elif isinstance(event, ToolCompleted):
            self._tool_calls += 1

    def record_end(self, ending: TerminalEvent) -> None:
        counts: Properties = {
            "outcome": ending.type.removeprefix("turn_"),
            "seconds": round(time.monotonic() - self._started_at, 3),
            "model_calls": self._model_calls,
            "tool_calls": self._tool_calls,
            "tokens": self._tokens,
        }
        self._send("answer-finished", counts)
        if isinstance(ending, TurnCancelled):
            self._send("answer-stopped", {})
