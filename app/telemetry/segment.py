"""Sends usage events to Segment. Imported only where SEGMENT_WRITE_KEY is set."""

import atexit
import logging

import structlog
from segment.analytics.client import Client

from app.telemetry.analytics import Properties

QUEUED_EVENTS = 1_000
"""Some minutes of a busy service; what does not fit is lost, as nothing may wait for it."""
_REQUEST_SECONDS = 5
_RETRIES = 2
"""While one request waits, so do all later events: a slow one is given up soon."""

log = structlog.get_logger(__name__)


class SegmentSink:
    """`EventSink` whose requests are made by a thread of the library."""

    def __init__(self, write_key: str, host: str | None) -> None:
        """`host` is Segment's address for the region, None for its default."""
        self._client = Client(
            write_key,
            host=host,
            max_queue_size=QUEUED_EVENTS,
            on_error=_report_failure,
            timeout=_REQUEST_SECONDS,
            max_retries=_RETRIES,
        )
        # At the end of the process it would wait without a limit; `close` has one.
        atexit.unregister(self._client.join)
        # Its own log quotes requests.
        logging.getLogger("segment").setLevel(logging.CRITICAL)

    def send(self, event: str, user: str, properties: Properties) -> None:
        self._client.track(user_id=user, event=event, properties=dict(properties))

    def close(self) -> None:
        """Sends what waits; may take as long as its requests."""
        self._client.shutdown()


def _report_failure(error: Exception, _: object) -> None:
    log.warning("analytics_lost", sink="segment", error=type(error).__name__)
