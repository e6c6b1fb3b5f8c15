"""Model replies that were to be JSON and are not."""

import re
from collections.abc import Mapping
from typing import Any

from app.analysis.json_values import is_cut, leaves, parse_json, texts
from app.analysis.llm_output import calls_tools, spoken
from app.opik.records import Span

_FORMATS = frozenset(["json_object", "json_schema", "json", "application/json"])
_FORMAT_KEYS = frozenset(["response_format", "responseformat", "response_mime_type", "format"])
_ASKS = re.compile(
    r"\b(?:return|respond|reply|answer|output|produce|give|write)\b[^.\n]{0,60}\bjson\b"
    r"|\bjson\b[^.\n]{0,20}\b(?:only|object|array)\b",
    re.IGNORECASE,
)
_READ_OF_PROMPT = 20_000


def broken_json(span: Span) -> str:
    """Why a reply counts as broken JSON; empty where it does not.

    JSON is expected where the request set a format, where the prompt asks for it, or where the
    reply sets out to be an object. A reply with whole JSON inside other text passes unless a
    format was set. Tool arguments have to be JSON always.
    """
    if is_cut(span.output):
        return ""
    if calls_tools(span.output):
        return "the arguments of a tool call are no JSON" if _broken_arguments(span) else ""
    text = spoken(span.output).strip()
    if not text or parse_json(text)[0]:
        return ""
    if _format_set(span.input) or _format_set(span.metadata):
        return "a JSON format was set and the reply cannot be parsed"
    if text.startswith(("{", "[{", "```json")) and not _has_json_inside(text):
        return "the reply begins as JSON and cannot be parsed"
    if _prompt_asks(span.input) and not _has_json_inside(text):
        return "the prompt asks for JSON and the reply holds none that can be parsed"
    return ""


def _format_set(record: Any) -> bool:
    if not isinstance(record, Mapping):
        return False
    return any(
        isinstance(leaf, str)
        and leaf.lower() in _FORMATS
        and any(str(part).lower() in _FORMAT_KEYS for part in path)
        for path, leaf in leaves(record)
    )


def _prompt_asks(given: Any) -> bool:
    return any(_ASKS.search(text[:_READ_OF_PROMPT]) for _, text in texts(given))


def _has_json_inside(text: str) -> bool:
    for opening, closing in (("{", "}"), ("[", "]")):
        start, end = text.find(opening), text.rfind(closing)
        if 0 <= start < end and parse_json(text[start : end + 1])[0]:
            return True
    return False


def _broken_arguments(span: Span) -> bool:
    return any(
        isinstance(leaf, str) and leaf.strip() and not parse_json(leaf)[0]
        for path, leaf in leaves(span.output)
        if path and path[-1] == "arguments"
    )
