"""Metrics for Prometheus. Imported only where METRICS_ENABLED is set.

No label holds an id, a user, a workspace or a text: labels are outcomes, kinds of tokens, and the
names of tools and models. Of models each process keeps the first MOST_NAMES.

Several processes behind one port share a folder, the library's own PROMETHEUS_MULTIPROC_DIR: each
writes its values there, and whichever is asked adds them up.
"""

import os
import time
from typing import Any

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
    multiprocess,
)
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import __version__
from app.conversation.ports import TurnFacts, TurnObserver
from app.events import ModelCalled, StoredEvent, TerminalEvent, ToolCompleted
from app.telemetry.observers import NoObserver

MOST_NAMES = 100
"""Models have tens of names; a server of one's own may report a new one each time."""

OTHER = "other"
_SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_TURN_SECONDS = (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 240)
"""Up to TURN_SECONDS' default; most turns take 5 to 30 s."""
_FIRST_TEXT_SECONDS = (0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 60)
"""People wait for the first words; models take 0.5 to 3 s for them."""


class Metrics:
    """The metrics of this process; `names` are frozen by a test."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call] # a time beside each counter, which no query needs
        self._registry = CollectorRegistry()
        self._models: set[str] = set()
        self.turns = self._counter("turns", "Finished turns by outcome.", "outcome")
        self.turn_seconds = self._histogram(
            "turn_seconds", "Seconds from a question to the end of its turn.", _TURN_SECONDS
        )
        self.first_text_seconds = self._histogram(
            "first_text_seconds", "Seconds from a question to its first text.", _FIRST_TEXT_SECONDS
        )
        self.model_calls = self._counter(
            "model_calls", "Calls of a model by its name and outcome.", "model", "outcome"
        )
        self.tokens = self._counter("tokens", "Tokens of model calls by kind.", "kind")
        self.tool_calls = self._counter("tool_calls", "Tool calls by outcome.", "tool", "outcome")
        self.database_failures = self._counter(
            "database_failures", "Failed units of work on the database.", "kind"
        )
        self.backend_failures = self._counter(
            "backend_failures", "Failed requests to the Opik backend.", "kind"
        )
        self.streams_open = Gauge(
            "opik_assist_streams_open",
            "Answers that are being streamed.",
            registry=self._registry,
            multiprocess_mode="livesum",
        )
        info = Gauge(
            "opik_assist_build",
            "Always 1; the version of the service.",
            ["version"],
            registry=self._registry,
            multiprocess_mode="livemax",
        )
        info.labels(__version__).set(1)

    async def show(self, _: Request[Any]) -> Response:
        """`GET /metrics`: the text format of Prometheus."""
        registry = self._registry
        if os.environ.get(_SHARED_FOLDER):
            registry = CollectorRegistry()
            multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    def close(self) -> None:
        """Takes this process's gauges out of what the others add up."""
        if os.environ.get(_SHARED_FOLDER):
            multiprocess.mark_process_dead(os.getpid())  # type: ignore[no-untyped-call]

    def limit_model(self, name: str) -> str:
        """The model's name, or OTHER where there are MOST_NAMES others already."""
        if name not in self._models:
            if len(self._models) >= MOST_NAMES:
                return OTHER
            self._models.add(name)
        return name

    def _counter(self, name: str, about: str, *labels: str) -> Counter:
        return Counter(f"opik_assist_{name}", about, labels, registry=self._registry)

    def _histogram(self, name: str, about: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(f"opik_assist_{name}", about, registry=self._registry, buckets=buckets)


class MetricsObserver(NoObserver):
    """`conversation.ports.Observer`."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def start_turn(self, turn: TurnFacts) -> TurnObserver:
        return _TurnMetrics(self._metrics, turn.model)


class _TurnMetrics(NoObserver):
    def __init__(self, metrics: Metrics, model: str) -> None:
        self._metrics = metrics
        self._model = model
        self._tools: set[str] = set()
        self._started_at = time.monotonic()

    def record_event(self, event: StoredEvent | ModelCalled) -> None:
        if isinstance(event, ModelCalled):
            self._record_model_call(event)
        elif isinstance(event, ToolCompleted):
            # A name that no tool has is the model's own text.
            tool = event.name if event.name in self._tools else OTHER
            self._metrics.tool_calls.labels(tool, event.outcome).inc()

    def record_first_text(self) -> None:
        self._metrics.first_text_seconds.observe(time.monotonic() - self._started_at)

    def record_end(self, ending: TerminalEvent) -> None:
        self._metrics.turns.labels(ending.type.removeprefix("turn_")).inc()
        self._metrics.turn_seconds.observe(time.monotonic() - self._started_at)

    def _record_model_call(self, call: ModelCalled) -> None:
        self._tools |= {each.name for each in call.tools}
        if call.reply is not None:
            self._model = call.reply.model or self._model
        outcome = "ok" if call.reply else "failed" if call.error else "stopped"
        model = self._metrics.limit_model(self._model)
        self._metrics.model_calls.labels(model, outcome).inc()
        tokens = self._metrics.tokens
        tokens.labels("prompt").inc(call.usage.prompt_tokens)
        tokens.labels("completion").inc(call.usage.completion_tokens)
        tokens.labels("cached").inc(call.usage.cached_tokens)
        tokens.labels("reasoning").inc(call.usage.reasoning_tokens)


class StreamsMiddleware:
    """Counts the event streams that are open."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._open = metrics.streams_open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        streams = False

        async def watch(message: Message) -> None:
            nonlocal streams
            if message["type"] == "http.response.start" and _is_stream(message):
                streams = True
                self._open.inc()
            await send(message)

        try:
            await self._app(scope, receive, watch)
        finally:
            if streams:
                self._open.dec()


def _is_stream(message: Message) -> bool:
    return any(
        name.lower() == b"content-type" and value.startswith(b"text/event-stream")
        for name, value in message["headers"]
    )
