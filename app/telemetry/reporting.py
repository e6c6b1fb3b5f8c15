"""What operators switch on: metrics, usage events, traces of our own turns.

Libraries are loaded only for what is switched on, and before requests are served.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from starlette.middleware import Middleware
from starlette.routing import Route

from app.conversation.ports import Observer
from app.extras import importing_extra
from app.telemetry.observers import CombinedObserver
from app.telemetry.turn_traces import OwnTraces
from app.telemetry.usage_reports import UsageReports

if TYPE_CHECKING:
    from app.telemetry.metrics import Metrics


class Reporting:
    """Routes and middleware for the app, and the observer of its turns."""

    def __init__(
        self, *, own_traces: OwnTraces, usage_reports: UsageReports, metrics: bool
    ) -> None:
        """Loads the libraries; raises StartRefused where one is not installed."""
        self._own_traces = own_traces
        self._usage_reports = usage_reports
        self._metrics: Metrics | None = None
        own_traces.start()
        with importing_extra():
            self.middleware = usage_reports.start()
            if metrics:
                self._start_metrics()

    def _start_metrics(self) -> None:
        from app.telemetry.metrics import Metrics, StreamsMiddleware

        self._metrics = Metrics()
        self.middleware.append(Middleware(StreamsMiddleware, self._metrics))

    def build_routes(self, prefix: str) -> Sequence[Route]:
        """The endpoint of the metrics, if they are switched on."""
        if self._metrics is None:
            return []
        return [Route(f"{prefix}/metrics", self._metrics.show, methods=["GET"])]

    @asynccontextmanager
    async def running(self, owner_key: Callable[[], Awaitable[bytes]]) -> AsyncIterator[Observer]:
        """Gives the observer; at the end what waits is sent, within some seconds.

        `owner_key` gives the key that hashes users.
        """
        async with AsyncExitStack() as stack:
            observers: list[Observer] = []
            own_traces = await stack.enter_async_context(self._own_traces.running())
            if own_traces is not None:
                observers.append(own_traces)
            if self._usage_reports.are_on:
                running = self._usage_reports.running(await owner_key())
                observers += await stack.enter_async_context(running)
            if self._metrics is not None:
                from app.telemetry.metrics import MetricsObserver

                stack.callback(self._metrics.close)
                observers.append(MetricsObserver(self._metrics))
            yield CombinedObserver(observers)

    def record_database_failure(self, kind: str) -> None:
        """Counts a failed unit of work."""
        if self._metrics is not None:
            self._metrics.database_failures.labels(kind).inc()

    def record_backend_failure(self) -> None:
        """Counts a failed request; `unreachable` is the only kind."""
        if self._metrics is not None:
            self._metrics.backend_failures.labels("unreachable").inc()
