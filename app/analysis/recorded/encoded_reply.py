"""Opens a text that holds the whole reply of a provider as JSON."""

from itertools import islice
from typing import Any

from app.analysis.recorded.opened_json import open_text
from app.analysis.recorded.spellings import key_set, plain_key

_ENVELOPE_MARKS = (
    '"choices"',
    '"candidates"',
    '"generations"',
    '"tool_calls"',
    '"toolCalls"',
    '"toolUse"',
    '"finish_reason"',
    '"stop_reason"',
    '"stopReason"',
    '"parts"',
    '"role"',
)
"""What a text that holds a whole encoded reply has near its beginning."""
_MARKS_SEARCHED = 2_000  # characters
_ENVELOPE_KEYS = key_set(
    "choices candidates generations tool_calls tool_use finish_reason stop_reason outputs"
)


def open_reply_text(text: str) -> Any:
    """The reply that a text holds as JSON; None where it is a text of the model."""
    if text[:1].isalnum():
        return None  # most texts of a model begin with a word
    start = text[:_MARKS_SEARCHED]
    if start.lstrip()[:1] not in ("{", "[", '"') or not any(
        mark in start or mark.replace('"', '\\"') in start for mark in _ENVELOPE_MARKS
    ):
        return None
    opened = open_text(text)
    first = opened[0] if isinstance(opened, list) and opened else opened
    if not isinstance(first, dict):
        return None
    keys = {plain_key(key) for key in islice(first, 64)}
    is_message = "role" in keys and not keys.isdisjoint(("content", "parts"))
    return opened if is_message or not keys.isdisjoint(_ENVELOPE_KEYS) else None
