"""Traces of our own turns. Without a URL for them, their library is not loaded."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx

from app.events import ModelCalled, StoredEvent, TerminalEvent

if TYPE_CHECKING:
    from app.telemetry.own_traces.observer import OwnTracesObserver

REQUEST_SECONDS = 5.0
"""A backend in use takes milliseconds; while one request waits, the next turns are queued."""


@dataclass(frozen=True, slots=True)
class OwnTraces:
    """Where the traces are sent, and whether with `full` content; without a `url` nothing is."""

    url: str | None
    api_key: str | None = field(repr=False)
    workspace: str | None
    project: str
    full: bool

    def start(self) -> None:
        """Loads the SDK, which takes a second; called before requests are served."""
        if self.url is not None:
            from app.telemetry.own_traces import observer  # noqa: F401

    @asynccontextmanager
    async def running(self) -> "AsyncIterator[NoObserver | OwnTracesObserver]":
        """Gives the observer; at the end waiting traces are sent, within some seconds."""
        if self.url is None:
            yield NoObserver()
            return
        from app.telemetry.own_traces.delivery import JobBuilder
        from app.telemetry.own_traces.observer import OwnTracesObserver
        from app.telemetry.own_traces.queue import DeliveryQueue

        async with httpx.AsyncClient(timeout=REQUEST_SECONDS) as http:
            jobs = JobBuilder(
                http, self.url, api_key=self.api_key, workspace=self.workspace, project=self.project
            )
            queue = DeliveryQueue()
            async with queue.running():
                yield OwnTracesObserver(queue.put, jobs, full=self.full)


class NoObserver:
    """`conversation.ports.Observer` and `TurnObserver` that do nothing."""

    def start_turn(self, **_: str) -> "NoObserver":
        return self

    def record_event(self, event: StoredEvent | ModelCalled) -> None:
        pass

    def record_end(self, ending: TerminalEvent) -> None:
        pass

    def record_rating(self, conversation_id: str, value: int) -> None:
        pass

    def record_rating_removed(self, conversation_id: str) -> None:
        pass

    def record_deletion(self, conversation_id: str) -> None:
        pass
