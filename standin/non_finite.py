"""NaN and infinities in written records, as the backend's JSON library treats them.

The backend's mapper reads the tokens `NaN`, `Infinity` and `-Infinity` (comet-ml/opik, JsonUtils:
`ALLOW_NON_NUMERIC_NUMBERS`) and writes them between quotes, so a body gives back the text "NaN".
As an exact number, such as a score's value, they do not bind and the write is refused.
"""

import json
import math
from collections.abc import Iterable
from typing import Any

_TEXTS = frozenset(["NaN", "Infinity", "-Infinity"])


def quote_non_finite(value: Any) -> Any:
    """`value`, or where it holds NaN or an infinity a copy with their names as texts."""
    if not _holds_non_finite(value):
        return value
    return json.loads(json.dumps(value), parse_constant=str)


def is_non_finite(value: object) -> bool:
    """Whether a value of a quoted body was NaN or an infinity."""
    return isinstance(value, str) and value in _TEXTS


def _holds_non_finite(value: Any) -> bool:
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, float) and not math.isfinite(one):
            return True
        waiting += _inner_values(one)
    return False


def _inner_values(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
