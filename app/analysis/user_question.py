"""Finds the user's question and the answer in the input and output of a trace."""

from typing import Any

from app.analysis.recorded.body import is_cut
from app.analysis.recorded.leaves import walk_leaves
from app.analysis.recorded.reply import read_reply
from app.analysis.recorded.request import RecordedRequest
from app.analysis.text.one_line import one_line
from app.analysis.text.previews import format_preview
from app.analysis.trace_analysis import TraceAnalysis

_QUESTION_KEYS = (
    "question",
    "query",
    "userinput",
    "usermessage",
    "message",
    "prompt",
    "input",
    "text",
    "content",
    "request",
    "task",
    "querystr",
)
_DEEPEST_KEY = 3  # SDKs wrap the arguments of a function once or twice (`{"args": {"message": …}}`)
_LEAVES_READ = 200
_LONGEST_QUESTION = 4_000  # characters: more than people write, less than the documents they send


def find_question(value: Any, *, limit: int) -> str:
    """The question in an input: the last message of a user, or the text under a common key; else
    the beginning of the input. One line of at most `limit` characters, "" for nothing."""
    if value in (None, "", {}, []):
        return ""
    question = _find_last_message(value) or _find_by_key(value)
    return one_line(question, limit=limit) if question else format_preview(value, limit=limit)


def asked_question(analysis: TraceAnalysis) -> str:
    """The question of a trace; for `once`."""
    return find_question(analysis.given.opened, limit=_LONGEST_QUESTION)


def find_answer(value: Any, *, limit: int) -> str:
    """The text of an output, else its beginning; one line, "" for nothing."""
    if value in (None, "", {}, []):
        return ""
    text = "" if is_cut(value) else read_reply(value).text
    return one_line(text, limit=limit) if text else format_preview(value, limit=limit)


def _find_last_message(value: Any) -> str:
    """The last message of a user, where the input holds messages."""
    messages = RecordedRequest(value, None).messages if isinstance(value, (dict, list)) else ()
    return next((each.text for each in reversed(messages) if each.role == "user"), "")


def _find_by_key(value: Any) -> str:
    if isinstance(value, str):
        return value
    found: dict[str, str] = {}
    for path, key, leaf in walk_leaves(value, most=_LEAVES_READ):
        if isinstance(leaf, str) and leaf.strip() and len(path) <= _DEEPEST_KEY:
            found.setdefault(key, leaf)
    return next((found[key] for key in _QUESTION_KEYS if key in found), "")
