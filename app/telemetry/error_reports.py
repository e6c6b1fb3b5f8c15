"""Error reports to Sentry. Without a DSN its library is not even loaded."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ErrorReports:
    """What is reported: rates are shares from 0 to 1, of requests and of those with a profile.

    Without a `dsn` nothing is sent; with `send_default_pii` the caller's address is sent along.
    """

    dsn: str | None
    environment: str
    traces_sample_rate: float
    profiles_sample_rate: float
    send_default_pii: bool

    def start(self) -> None:
        """Starts reporting; called before the app is built, so that reports can name its routes."""
        if self.dsn is not None:
            from app.telemetry import sentry

            sentry.configure(self)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Also reports from the tasks of this event loop, and sends the last reports at the end."""
        if self.dsn is None:
            yield
            return
        from app.telemetry import sentry

        sentry.isolate_tasks()
        try:
            yield
        finally:
            await sentry.flush()
