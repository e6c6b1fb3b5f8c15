"""Constants of the service that a test or a soak may change for a while, by short names."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

PLACES = {
    "access_cache_seconds": "app.opik.access.ACCESS_CACHE_SECONDS",
    "baseline_seconds": "app.tools.trace.project_baselines.BASELINE_SECONDS",
    "body_bytes": "app.web.requests.BODY_BYTES",
    "body_seconds": "app.web.requests.BODY_SECONDS",
    "busy_wait_seconds": "app.wiring.BUSY_WAIT_SECONDS",
    "calls_per_step": "app.wiring.CALLS_PER_STEP",
    "end_seconds": "app.wiring.END_SECONDS",
    "export_characters": "app.conversation.conversations.EXPORT_CHARACTERS",
    "forced_end_seconds": "app.shutdown.FORCED_END_SECONDS",
    "head_seconds": "app.web.connection.HEAD_SECONDS",
    "heartbeat_seconds": "app.web.sse.HEARTBEAT_SECONDS",
    "history_characters": "app.conversation.conversations.HISTORY_CHARACTERS",
    "lease_seconds": "app.wiring.LEASE_SECONDS",
    "message_characters": "app.web.requests.MESSAGE_CHARACTERS",
    "owner_conversations": "app.wiring.OWNER_CONVERSATIONS",
    "owner_events": "app.wiring.OWNER_EVENTS",
    "read_seconds": "app.web.connection.READ_SECONDS",
    "reader_seconds": "app.web.sse.READER_SECONDS",
    "reply_bytes": "app.wiring.REPLY_BYTES",
    "slowest_reader_bytes": "app.web.connection.SLOWEST_READER_BYTES",
    "tool_seconds": "app.wiring.TOOL_SECONDS",
    "trace_conversations": "app.db.conversation_list.TRACE_CONVERSATIONS",
    "transaction_seconds": "app.db.transactions.UNIT_SECONDS",
    "turn_tool_characters": "app.wiring.TURN_TOOL_CHARACTERS",
}
"""Where each constant is read: beside its use, or in the wiring that passes it on."""


@contextmanager
def changed_constants(**values: Any) -> Iterator[None]:
    """Sets constants for the length of the block."""
    with ExitStack() as stack:
        for name, value in values.items():
            stack.enter_context(patch(PLACES[name], value))
        yield


def split_constants(values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The constants and the settings among these values."""
    constants = {name: value for name, value in values.items() if name in PLACES}
    settings = {name: value for name, value in values.items() if name not in PLACES}
    return constants, settings
