"""Whether a value was replaced by a placeholder before it was recorded.

Programs and collectors redact in spellings of their own: `[REDACTED]`, `<content not captured>`,
`***`, `__MASKED__`, `[PII REMOVED]` (OpenTelemetry's and OpenInference's redaction processors,
Vercel's and LangChain's hidden inputs and outputs, Opik's anonymizer).
"""

import re
from typing import Any

from app.analysis.recorded.spellings import word_set

_LONGEST = 60  # characters: a longer text says more than that something was left out
_MASKS = frozenset("*█■▇▓•●×")
_LEAST_MASKS = 3  # signs: one or two are a footnote or a list
_SURE = word_set("redacted masked scrubbed anonymized anonymised redaction")
_SURE_STEMS = ("redact", "mask", "scrub", "anonym")  # one of them is in each of these words
_IN_BRACKETS = word_set(
    "hidden removed omitted filtered disabled sensitive confidential private suppressed captured"
    " recorded stripped withheld pii"
)
"""Words that name a placeholder only within brackets: `hidden` alone is a state."""
_BESIDE = word_set(
    "content text data value by policy not no for privacy the is was has been input inputs output"
    " outputs prompt response message messages opik information field due to reasons user email"
    " phone name phi opentelemetry openinference"
)
_ALL_WORDS = _SURE | _IN_BRACKETS | _BESIDE
_WORDS = re.compile(r"[^\W_]+")


def is_placeholder(value: Any) -> bool:
    """Whether a value is a short text that only says that something was left out."""
    if not isinstance(value, str) or not 3 <= len(value) <= _LONGEST:
        return False
    text = value.strip()
    if not text:
        return False
    if len(text) >= _LEAST_MASKS and _MASKS.issuperset(text):
        return True
    if text.isalnum() and len(text) > _LEAST_MASKS and not text.strip("xX"):
        return True
    low = text.lower()
    bracketed = not (text[0].isalnum() or text[-1].isalnum())
    if not bracketed and not any(map(low.__contains__, _SURE_STEMS)):
        return False
    words = set(_WORDS.findall(low))
    if not words <= _ALL_WORDS or words <= _BESIDE:
        return False
    return bracketed or not words.isdisjoint(_SURE)
