"""Usage events to Segment and New Relic. Without their settings no library is loaded."""

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
from starlette.middleware import Middleware

from app.conversation.ports import Observer
from app.telemetry.analytics import AnalyticsObserver

if TYPE_CHECKING:
    from app.telemetry.new_relic import NewRelicSink
    from app.telemetry.segment import SegmentSink

CLOSE_SECONDS = 3.0
"""Container runtimes kill a process some seconds after they asked it to stop."""


@dataclass(slots=True)
class UsageReports:
    """Where usage events go; `environment` is a property of each."""

    segment_write_key: str | None = field(repr=False)
    segment_host: str | None
    environment: str
    new_relic_license_key: str | None = field(repr=False)
    new_relic_config_file: str | None
    _new_relic: "NewRelicSink | None" = field(default=None, init=False)

    @property
    def are_on(self) -> bool:
        """Whether anything is configured."""
        return self.segment_write_key is not None or self._new_relic is not None

    def start(self) -> list[Middleware]:
        """Loads what is configured; called before the app is built, which gets this middleware.

        Raises ModuleNotFoundError where a library is missing.
        """
        if self.segment_write_key is not None:
            from app.telemetry import segment  # noqa: F401
        if self.new_relic_license_key is None and self.new_relic_config_file is None:
            return []
        from app.telemetry.new_relic import NewRelicSink

        self._new_relic = NewRelicSink(
            license_key=self.new_relic_license_key, config_file=self.new_relic_config_file
        )
        return self._new_relic.build_middleware()

    @asynccontextmanager
    async def running(self, key: bytes) -> AsyncIterator[list[Observer]]:
        """Gives the observers; at the end waiting events are sent, within CLOSE_SECONDS.

        `key` hashes users.
        """
        sinks: list[SegmentSink | NewRelicSink] = []
        if self.segment_write_key is not None:
            from app.telemetry import segment

            sinks.append(segment.SegmentSink(self.segment_write_key, self.segment_host))
        if self._new_relic is not None:
            sinks.append(self._new_relic)
        try:
            yield [AnalyticsObserver(each, key=key, environment=self.environment) for each in sinks]
        finally:
            for sink in sinks:
                # The process waits at its end for every thread that is no daemon.
                closing = threading.Thread(target=sink.close, daemon=True)
                closing.start()
                with anyio.CancelScope(shield=True):
                    await anyio.to_thread.run_sync(closing.join, CLOSE_SECONDS)
