"""Reads from an output whether the call failed, in the shapes that SDKs and models use."""

import re
from collections.abc import Mapping
from typing import Any

from app.analysis.json_values import (
    innermost_key,
    is_cut,
    is_empty,
    iterate_leaves,
    iterate_texts,
    parse_json,
    word_set,
)
from app.analysis.tree import Node
from app.opik.records import Span

_ERROR_KEYS = word_set("error errors error_message errormessage exception traceback stderr_error")
_FAILED_STATUS = word_set("error failed failure timeout timed_out exception fatal")
_STATUS_KEYS = word_set("status state outcome")
_CODE_KEYS = word_set("status_code statuscode http_status http_code")
_FLAG_KEYS = word_set("is_error iserror")
_NOT_AN_ERROR = word_set("none null no false ok n/a")
_REASON_KEYS = word_set("finish_reason finishreason stop_reason stopreason done_reason")
_CALL_KEYS = word_set("tool_calls function_call tool_use function arguments")
_TEXT_KEYS = word_set("content text output answer response completion message result")
_ERROR_TEXT = re.compile(
    r"""\s*(?:
      (?:\w+\.)*\w*(?:Error|Exception|Timeout)\b\s*[:(]
    | (?:an?\s+|fatal\s+|internal\s+|unexpected\s+)*error\b
      (?:\s*[:\-!]|\s+(?:occurred|\d{3}|while|calling|processing))
    | traceback\s\(most\srecent | exception\b\s*[:\-]
    | internal\sserver\serror | bad\sgateway | gateway\stimeout
    | service\s(?:temporarily\s)?unavailable
    | (?:http(?:/\d\.\d)?\s)?[45]\d\d\s
      (?:too\smany|internal|bad\s|service|gateway|unauth|forbid|not\sfound|error)
    | (?:the\s)?(?:request|connection|operation|call|tool|query|task)\s(?:\w+\s){0,3}
      (?:failed|timed\sout|was\srefused|was\sreset)
    | (?:failed|failure|unable)\sto\s(?:\w+\s){0,2}(?:connect|reach|process|complete|retrieve|fetch
      |load|parse|execute|generate|call|get|query|read|open)
    | rate\slimit\b | too\smany\srequests | quota\sexceeded | timed?\s?out\b | permission\sdenied
    | (?:oops|sorry|i'?m\ssorry|i\sapologi[sz]e|apologies|unfortunately)\b.{0,60}?
      \b(?:error|went\swrong|timed\sout|failed|failure|exception|technical\s(?:issue|diffic|prob))
    | (?:something|it)\swent\swrong
    | i\s(?:encountered|ran\sinto|hit|got|experienced)\s(?:an?|some)\s(?:\w+\s)?
      (?:error|problem|issue|exception|failure|technical)
    )""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_NO_ANSWER = re.compile(
    r"""\b(?:
      (?:do\snot|don'?t|didn'?t|could\snot|couldn'?t|cannot|can'?t|unable\sto|not\sable\sto)
      \s(?:\w+\s){0,2}(?:know|find|locate|have|access|answer|retrieve|determine)
    | no\s(?:\w+\s)?(?:information|results?|data|documents?|records?|context|match\w*|relevant
      |answer)
    | nothing\s(?:was\s)?found | not\s(?:found|available)
    | insufficient\s(?:information|context|data)
    | without\s(?:\w+\s)?(?:sources|context|documents))""",
    re.IGNORECASE | re.VERBOSE,
)
_DEEPEST_FLAG = 4  # wrappers add two or three levels above a status; below that lies content
_LONGEST_ERROR = 1_500  # characters: a longer text that begins like an error is about errors


def find_reported_failure(output: Any) -> str | None:
    """The text with which an output reports that the call failed, or None.

    Looked for are error fields, failed states and HTTP codes near the top, and texts that begin
    like an error. What lies in lists of records or far below is content, not an outcome.
    """
    if isinstance(output, str):
        return _match_error_text(output)
    for path, leaf in iterate_leaves(output, most=400):
        if len(path) > _DEEPEST_FLAG or _is_inside_records(path):
            continue
        found = _read_failure_flag(path, leaf)
        if found:
            return found
    return None


def _is_inside_records(path: tuple[str | int, ...]) -> bool:
    lists = [path[i - 1] for i, part in enumerate(path) if isinstance(part, int) and i > 0]
    return any(name not in ("content", "choices", "errors", "messages") for name in lists)


def _read_failure_flag(path: tuple[str | int, ...], leaf: Any) -> str | None:
    key = innermost_key(path)
    keys = {part.lower() for part in path if isinstance(part, str)}
    if keys & _ERROR_KEYS and isinstance(leaf, str) and leaf.strip():
        return None if leaf.strip().lower() in _NOT_AN_ERROR else leaf
    if key in _STATUS_KEYS and isinstance(leaf, str) and leaf.lower() in _FAILED_STATUS:
        return f"{key}: {leaf}"
    if key in _CODE_KEYS and isinstance(leaf, int) and 400 <= leaf <= 599:
        return f"{key}: {leaf}"
    if key in _FLAG_KEYS and leaf is True:
        return f"{key}: true"
    if key in _TEXT_KEYS and isinstance(leaf, str):
        return _match_error_text(leaf)
    return None


def _match_error_text(text: str) -> str | None:
    if len(text) <= _LONGEST_ERROR and _ERROR_TEXT.match(text):
        return text
    return None


def find_finish_reason(*records: Any) -> str | None:
    """Why the model stopped, from the first record that says so; lower case."""
    for record in records:
        if not isinstance(record, Mapping | list):
            continue
        for path, leaf in iterate_leaves(record):
            if innermost_key(path) in _REASON_KEYS and isinstance(leaf, str) and leaf:
                return leaf.lower()
    return None


def calls_tools(output: Any) -> bool:
    """Whether a model's reply holds tool calls."""
    return any(
        innermost_key(path) in {"name", "arguments", "args", "input"}
        and any(isinstance(part, str) and part.lower() in _CALL_KEYS for part in path)
        for path, leaf in iterate_leaves(output)
        if leaf not in (None, "", [], {})
    ) or any(key == "type" and text == "tool_use" for key, text in iterate_texts(output))


def extract_text(output: Any) -> str:
    """The text of a reply or a result: its longest string under one of the common keys."""
    if isinstance(output, str):
        return output
    found = [text for key, text in iterate_texts(output) if key in _TEXT_KEYS]
    return max(found, key=len, default="")


def is_blank_reply(output: Any) -> bool:
    """Whether a model's reply has neither text nor tool calls, in any wrapping."""
    if output is None or is_cut(output) or calls_tools(output):
        return output is None
    words = [
        leaf
        for path, leaf in iterate_leaves(output)
        if innermost_key(path) in _TEXT_KEYS and (leaf is None or isinstance(leaf, str | list))
    ]
    if words:
        return not any(isinstance(word, str) and word.strip() for word in words)
    return is_empty(output)


def is_model_call(node: Node) -> bool:
    """Whether the span is a call of a language model."""
    return node.span.type == "llm"


def has_empty_output(node: Node) -> bool:
    """Whether the output of a read span is empty; a model call's is where its reply is blank."""
    output: Any = node.span.output
    if is_model_call(node):
        return is_blank_reply(output)
    return output is None or is_empty(output, given=node.span.input)


def reply_gives_up(text: str) -> bool:
    """Whether an answer says that it could not find what it needed."""
    return _NO_ANSWER.search(text[:600]) is not None


_JSON_FORMATS = word_set("json_object json_schema json application/json")
_FORMAT_KEYS = word_set("response_format responseformat response_mime_type format")
_ASKS_FOR_JSON = re.compile(
    r"\b(?:return|respond|reply|answer|output|produce|give|write)\b[^.\n]{0,60}\bjson\b"
    r"|\bjson\b[^.\n]{0,20}\b(?:only|object|array)\b",
    re.IGNORECASE,
)
_LONGEST_PROMPT_READ = 20_000  # characters: instructions stand at the beginning, documents follow


def find_broken_json(span: Span) -> str:
    """Why a reply counts as broken JSON; empty where it does not.

    JSON is expected where the request set a format, where the prompt asks for it, or where the
    reply sets out to be an object. A reply with whole JSON inside other text passes unless a
    format was set. Tool arguments have to be JSON always.
    """
    if is_cut(span.output):
        return ""
    if calls_tools(span.output):
        return "the arguments of a tool call are no JSON" if _has_broken_arguments(span) else ""
    text = extract_text(span.output).strip()
    if not text or parse_json(text)[0]:
        return ""
    if _requests_json_format(span.input) or _requests_json_format(span.metadata):
        return "a JSON format was set and the reply cannot be parsed"
    if text.startswith(("{", "[{", "```json")) and not _has_json_inside(text):
        return "the reply begins as JSON and cannot be parsed"
    if _prompt_asks_for_json(span.input) and not _has_json_inside(text):
        return "the prompt asks for JSON and the reply holds none that can be parsed"
    return ""


def _requests_json_format(record: Any) -> bool:
    if not isinstance(record, Mapping):
        return False
    return any(
        isinstance(leaf, str)
        and leaf.lower() in _JSON_FORMATS
        and any(str(part).lower() in _FORMAT_KEYS for part in path)
        for path, leaf in iterate_leaves(record)
    )


def _prompt_asks_for_json(given: Any) -> bool:
    return any(
        _ASKS_FOR_JSON.search(text[:_LONGEST_PROMPT_READ]) for _, text in iterate_texts(given)
    )


def _has_json_inside(text: str) -> bool:
    for opening, closing in (("{", "}"), ("[", "]")):
        start, end = text.find(opening), text.rfind(closing)
        if 0 <= start < end and parse_json(text[start : end + 1])[0]:
            return True
    return False


def _has_broken_arguments(span: Span) -> bool:
    return any(
        isinstance(leaf, str) and leaf.strip() and not parse_json(leaf)[0]
        for path, leaf in iterate_leaves(span.output)
        if path and path[-1] == "arguments"
    )
