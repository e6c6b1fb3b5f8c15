"""Traces of our own turns. Without a URL for them, their library is not loaded."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from app.conversation.ports import Observer

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
    async def running(self) -> "AsyncIterator[Observer | None]":
        """Gives the observer, or None; at the end waiting traces are sent, within some seconds."""
        if self.url is None:
            yield None
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
