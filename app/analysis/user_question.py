"""Finds the user's question and the answer in the input and output of a trace."""

from collections.abc import Mapping
from typing import Any

from app.analysis.json_values import innermost_key, is_cut, iterate_leaves, word_set
from app.analysis.llm_output import extract_text
from app.analysis.text.one_line import one_line
from app.analysis.text.previews import format_preview

_USER_ROLES = word_set("user human")
_QUESTION_KEYS = (
    "question",
    "query",
    "user_input",
    "user_message",
    "message",
    "prompt",
    "input",
    "text",
    "content",
)
_DEEPEST_KEY = 3  # SDKs wrap the arguments of a function once or twice (`{"args": {"message": …}}`)


def find_question(value: Any, *, limit: int) -> str:
    """The question in an input: the last message of a user, or the text under a common key; else
    the beginning of the input. One line of at most `limit` characters, "" for nothing."""
    if value in (None, "", {}, []):
        return ""
    question = _last_user_message(value) or _find_by_key(value)
    return one_line(question, limit=limit) if question else format_preview(value, limit=limit)


def find_answer(value: Any, *, limit: int) -> str:
    """The text of an output, else its beginning; one line, "" for nothing."""
    if value in (None, "", {}, []):
        return ""
    text = "" if is_cut(value) else extract_text(value)
    return one_line(text, limit=limit) if text else format_preview(value, limit=limit)


def _last_user_message(value: Any) -> str:
    lists = [value] if isinstance(value, list) else []
    if isinstance(value, Mapping):
        lists = [inner for inner in value.values() if isinstance(inner, list)]
    for messages in lists:
        for message in reversed(messages):
            if isinstance(message, Mapping) and _is_by_user(message):
                return extract_text(message.get("content")) or extract_text(dict(message))
    return ""


def _is_by_user(message: Mapping[str, Any]) -> bool:
    role = message.get("role", message.get("type"))
    return isinstance(role, str) and role.lower() in _USER_ROLES


def _find_by_key(value: Any) -> str:
    if isinstance(value, str):
        return value
    found: dict[str, str] = {}
    for path, leaf in iterate_leaves(value, most=200):
        if isinstance(leaf, str) and leaf.strip() and len(path) <= _DEEPEST_KEY:
            found.setdefault(innermost_key(path), leaf)
    return next((found[key] for key in _QUESTION_KEYS if key in found), "")
