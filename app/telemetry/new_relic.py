"""Sends usage events and timings of requests to New Relic. Imported only where it is configured.

What the agent would record of content by itself is switched off: statements, messages of
exceptions, logs, attributes of requests, and spans, which hold URLs. Requests are named by their
endpoint, as a path holds a trace's id.
"""

import configparser
import os
from typing import Any

import newrelic.agent
from newrelic.api.exceptions import ConfigurationError
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from app.errors import StartRefused
from app.telemetry.analytics import Properties

EVENT_TYPE = "OpikAssist"
CLOSE_SECONDS = 3.0
"""For the last events; the service's own shutdown goes on meanwhile."""


class NewRelicSink:
    """`EventSink` of New Relic's agent, whose threads connect and send."""

    def __init__(self, *, license_key: str | None, config_file: str | None) -> None:
        """The license key may also stand in the file. Waits for no connection.

        Raises StartRefused for a file that cannot be read.
        """
        if license_key is not None:
            os.environ["NEW_RELIC_LICENSE_KEY"] = license_key
        try:
            newrelic.agent.initialize(config_file)
        except (ConfigurationError, configparser.Error, OSError, ValueError) as error:
            # Parsers quote lines, and one holds the license key.
            raise StartRefused(
                f"NEW_RELIC_CONFIG_FILE: {config_file} is no file that New Relic's agent can read"
                f" ({type(error).__name__})"
            ) from None
        settings = newrelic.agent.global_settings()
        settings.transaction_tracer.enabled = False
        settings.span_events.enabled = False
        settings.distributed_tracing.enabled = False
        settings.strip_exception_messages.enabled = True
        settings.application_logging.enabled = False
        settings.attributes.exclude = [*settings.attributes.exclude, "request.*"]
        self._application: Any = newrelic.agent.register_application(timeout=0)

    def send(self, event: str, user: str, properties: Properties) -> None:
        fields = {"event": event, "user": user, **properties}
        self._application.record_custom_event(EVENT_TYPE, fields)

    def build_middleware(self) -> list[Middleware]:
        """What times the requests of an app."""
        return [
            Middleware(newrelic.agent.ASGIApplicationWrapper, self._application),
            Middleware(_NameByEndpoint),
        ]

    def close(self) -> None:
        """Sends what waits, within CLOSE_SECONDS."""
        newrelic.agent.shutdown_agent(CLOSE_SECONDS)


class _NameByEndpoint:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        newrelic.agent.set_transaction_name("unknown")
        try:
            await self._app(scope, receive, send)
        finally:
            endpoint = scope.get("endpoint")
            if endpoint is not None:
                newrelic.agent.set_transaction_name(getattr(endpoint, "__name__", "unknown"))
