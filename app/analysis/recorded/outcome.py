"""Whether an output reports that the call failed, and with which words."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.analysis.recorded.failure_text import find_failed_run, find_failure_text
from app.analysis.recorded.spellings import ENVELOPE_FACTS, TEXT, key_set, plain_key, word_set

_ERROR_KEYS = key_set(
    "error errors error_message exception traceback error_msg err error_description error_text"
    " failure_reason failure error_detail error_details fault last_error"
)
_ERROR_FLAGS = key_set("is_error error has_error failed is_failure has_failed errored failure")
_SUCCESS_FLAGS = key_set("success ok succeeded is_success is_ok successful")
_STATUS_KEYS = key_set("status state outcome result_status execution_status")
_FAILED_STATUS = word_set(
    "error failed failure timeout timed_out timedout exception fatal aborted unsuccessful fail"
    " internal_error server_error unavailable service_unavailable"
    " fehler fehlgeschlagen erreur échec fallido falló erro falha errore 失败 错误 失敗 エラー"
    " 오류 실패 ошибка"
)
_CODE_KEYS = key_set("status_code http_status http_code response_code status http_status_code code")
_WEAK_CODE_KEYS = key_set("code status")  # also used for other numbers: a reason has to be near
_REASONS = key_set(
    "message reason detail details text error_message description msg status_text title body"
    " content error error_description cause hint stderr"
)
_BESIDE_A_REPORT = (
    TEXT | ENVELOPE_FACTS | _STATUS_KEYS | key_set("tool tool_name tool_call_id call_id")
)
"""Keys of texts that stand beside a report of failure; others (a title, an address) make the object
a document, whose text may be about errors."""
_NOT_AN_ERROR = frozenset(["none", "null", "no", "false", "ok", "n/a", "0", "nan", "-", "success"])
_LISTS_OF_PARTS = key_set("content choices errors messages parts output outputs results")
_MOST_PARTS = 16  # parts of an answer; a longer list holds records
_LEVELS = 4  # wrappers add two or three levels above a status; below that lies content
_MEMBERS_READ = 60  # members of one object; a report of failure has few
_LONGEST_REASON = 2_000  # characters


def find_failure(output: Any) -> str:
    """The text with which an output reports that the call failed, or an empty one.

    Looked at are error fields, flags, failed states and HTTP codes near the top, with the text
    beside them, and texts that report a failure. What lies in lists of records or far below is
    content, not an outcome.
    """
    if isinstance(output, str):
        return find_failure_text(output)[:_LONGEST_REASON]
    for level, value in _objects_near_top(output):
        found = _failure_of_object(value, level)
        if found:
            return found[:_LONGEST_REASON]
    return ""


def _objects_near_top(output: Any) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Objects that describe the whole output, the outermost first."""
    waiting: list[tuple[int, str, Any]] = [(0, "", output)]
    for level, key, value in waiting:
        if level > _LEVELS:
            return
        if isinstance(value, Mapping):
            yield level, value
            for name, inner in list(value.items())[:_MEMBERS_READ]:
                if isinstance(inner, Mapping | list):
                    waiting.append((level + 1, plain_key(name), inner))
        elif isinstance(value, list) and _is_list_of_parts(value, key, level):
            waiting.extend((level + 1, key, each) for each in value)


def _is_list_of_parts(value: list[Any], key: str, level: int) -> bool:
    return len(value) <= _MOST_PARTS and (level == 0 or key in _LISTS_OF_PARTS)


def _failure_of_object(value: Mapping[str, Any], level: int) -> str:
    members = [(plain_key(name), inner) for name, inner in list(value.items())[:_MEMBERS_READ]]
    for key, inner in members:
        if key in _ERROR_KEYS and (found := _error_text(inner)):
            return found
    for key, inner in members:
        stated = _stated_failure(key, inner, level)
        if stated:
            reason = _reason_beside(members)
            if key in _WEAK_CODE_KEYS and not isinstance(inner, str) and not reason:
                continue
            return reason or stated
    is_document = any(
        isinstance(inner, str) and inner and key not in _BESIDE_A_REPORT for key, inner in members
    )
    find = find_failed_run if is_document else find_failure_text
    for key, inner in members:
        if key in TEXT and isinstance(inner, str) and (found := find(inner)):
            return found
    return ""


def _stated_failure(key: str, value: Any, level: int) -> str:
    """`key: value` where a member says by itself that the call failed."""
    if key in _ERROR_FLAGS and value is True:
        return f"{key}: true"
    if key in _SUCCESS_FLAGS and value is False and level <= 2:
        return f"{key}: false"
    if key in _STATUS_KEYS and isinstance(value, str) and value.lower() in _FAILED_STATUS:
        return f"{key}: {value}"
    if key in _CODE_KEYS and _is_error_code(value):
        return f"{key}: {value}"
    return ""


def _is_error_code(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) == 3 and value.isdecimal() and value[0] in "45"
    return isinstance(value, int) and not isinstance(value, bool) and 400 <= value <= 599


def _error_text(value: Any) -> str:
    """The text of an error field; empty where it says that there is none."""
    if isinstance(value, str):
        text = value.strip()
        return "" if text.lower() in _NOT_AN_ERROR else text
    if isinstance(value, Mapping):
        return _reason_beside([(plain_key(key), inner) for key, inner in value.items()])
    if isinstance(value, list) and value:
        return _error_text(value[0])
    return ""


def _reason_beside(members: list[tuple[str, Any]]) -> str:
    """The text among the members that tells why."""
    for key, value in members:
        if key not in _REASONS:
            continue
        if isinstance(value, str) and value.strip():
            return value.strip()
        if isinstance(value, Mapping | list) and (found := _first_text(value)):
            return found
    return ""


def _first_text(value: Any) -> str:
    waiting = [value]
    for item in waiting:
        if len(waiting) > _MEMBERS_READ:
            break
        if isinstance(item, str) and item.strip():
            return item.strip()
        if isinstance(item, Mapping):
            waiting.extend(inner for key, inner in item.items() if plain_key(key) in _REASONS)
        elif isinstance(item, list):
            waiting.extend(item[:_MOST_PARTS])
    return ""
