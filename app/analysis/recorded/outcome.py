"""Whether an output reports that the call failed, and with which words."""

import re
from collections.abc import Mapping
from itertools import islice
from typing import Any

from app.analysis.recorded.failure_text import (
    find_failed_document,
    find_failure_text,
    find_reported_failure,
    is_api_refusal,
)
from app.analysis.recorded.object_text import read_object_text
from app.analysis.recorded.opened_json import open_text
from app.analysis.recorded.outer_objects import MOST_PARTS, Members, list_outer_objects
from app.analysis.recorded.service_texts import CODES_OF_REFUSALS, KEYS_OF_CODES
from app.analysis.recorded.spellings import (
    ENVELOPE_FACTS,
    MEMBERS_READ,
    TEXT,
    key_set,
    plain_members,
    word_set,
)
from app.analysis.recorded.status_words import (
    EXIT_KEYS,
    HTTP_CODE_KEYS,
    STATES_OF_TASKS,
    STATUS_KEYS,
    STATUS_OF_THINGS,
    SUCCESS_FLAGS,
    SURE_STATUS,
    read_state,
)

_ERROR_KEYS = key_set(
    "error fehler fehlermeldung erreur errore fejl feil fel fout błąd chyba ошибка 错误 エラー"
    " 오류 mensaje_error message_erreur error_message exception traceback error_msg errmsg err"
    " error_description error_text failure_reason error_detail error_details"
    " fault fault_string stack_trace sql_message"
    " failure_trace failure_details failure_info failure_cause error_info error_object"
    " error_response fault_info"
)
_ERROR_LISTS = key_set("errors")
_ERROR_FLAGS = key_set(
    "is_error error has_error tool_call_error failed is_failure has_failed errored failure"
    " timed_out"
)
_FALLBACK_FLAGS = key_set("fallback is_fallback used_fallback fallback_used degraded is_degraded")
_FLAG_WORDS = {True: word_set("true yes"), False: word_set("false no")}
_VERDICT_KEYS = key_set(
    "comment comments feedback critique score scores verdict rating grade issues suggestions"
    " remarks review rationale improvements"
)
"""Members of what a reviewer answers: a flag beside them judges the work that it looked at."""
_SYSTEM_CODE = re.compile(r"E[A-Z]{3,20}\Z|(?:UND_)?ERR_[A-Z_]{3,40}\Z")  # of Node.js and C
_ERROR_NUMBERS = key_set("errno err_no error_no")
_ALL_OF_A_REFUSAL = key_set("message detail msg")
_BESIDE_A_REFUSAL = key_set("documentation_url request_id timestamp path trace_id")
_VARIANTS = key_set("failure rejected denied permission_denied not_permitted")
"""The only key of a result that is named after how the call went (Cursor, Temporal, Rust)."""
_PAYLOADS = key_set("data result results payload")
_ERROR_OUTPUT = key_set("stderr")
_PART_TYPES = word_set("error-text error-json tool-error tool_error execution-denied output-denied")
"""Values of `type` for results that failed (Vercel AI SDK)."""
_CODES_OF_THINGS = key_set(
    "code cod ret retcode ret_code"
)  # of a city, a product, an error that is explained
_CODES = _CODES_OF_THINGS | _ERROR_NUMBERS
_FLAGS = _ERROR_FLAGS | _FALLBACK_FLAGS | SUCCESS_FLAGS
_STATING_KEYS = (
    _FLAGS
    | EXIT_KEYS
    | STATUS_KEYS
    | HTTP_CODE_KEYS
    | _CODES
    | KEYS_OF_CODES
    | {"type", "name", "subtype"}
)
_REASONS = key_set(
    "message reason detail details text error_message description msg status_text title body"
    " content value result error error_description cause hint stderr errors detalle mensaje motivo"
    " meldung failure_reason failure_message return_msg ret_msg result_msg parts"
    " grund nachricht raison détail messaggio dettaglio mensagem detalhe reden melding powód"
    " komunikat причина сообщение 原因 信息 消息 理由 詳細 メッセージ 사유 메시지"
)
_REASONS_OF_CODES = key_set("message reason detail details error error_message msg errors status")
_NOT_AN_ERROR = word_set("none null no false ok n/a 0 nan - success nothing undefined nil {} []")
_NO_ERRORS = ("no error", "no errors", "none.", "without error")
_IN_WORDS = TEXT | key_set("extracted_content observation observations action_result")
_BESIDE_A_REPORT = (
    _IN_WORDS
    | ENVELOPE_FACTS
    | STATUS_KEYS
    | key_set("tool tool_name tool_call_id tool_use_id call_id raw_input raw_output is_error")
)
"""Keys of texts that stand beside a report of failure; others (a title, an address) make the object
a document, whose text may be about errors."""
_BESIDE_ERRORS = _ERROR_KEYS | key_set(
    "data status message errors extensions request_id trace_id id code success ok timestamp path"
    " status_code result results documentation_url"
)
"""Members beside a list of errors that leave it the outcome."""
_PRINTED = _IN_WORDS | key_set(
    "stdout stderr out logs log console printed html raw_html page body markdown page_content"
)
FAILURE_KEYS = _ERROR_KEYS | _ERROR_LISTS | _STATING_KEYS | _ALL_OF_A_REFUSAL | _PRINTED | _VARIANTS
"""One of these stands in each object that reports a failure."""
_WORD_READ = 60  # characters of a value that may be a word for a state
_VALUES_READ = 60  # of what an error holds, until a text is found
_FEW_MEMBERS = 3  # of an object with a failed status: a record of a thing has more
_LONGEST_REASON = 2_000  # characters


def find_failure(output: Any) -> str:
    """The text with which an output reports that the call failed, or an empty one.

    Looked at are error fields, flags, failed states and HTTP codes of the object that describes
    the whole output, with the text beside them, and texts that report a failure. What lies in
    lists of records or below other keys than wrappers is content, not an outcome.
    """
    if isinstance(output, str):
        if found := find_failure_text(output):
            return found[:_LONGEST_REASON]
        output = read_object_text(output)
    if isinstance(output, dict) and len(output) == 1:
        (only,) = output.values()
        if isinstance(only, str) and (found := find_reported_failure(only)):
            return found[:_LONGEST_REASON]
    for members in list_outer_objects(output):
        if found := _find_failure_of_object(members):
            return found[:_LONGEST_REASON]
    return ""


def _find_failure_of_object(members: Members) -> str:
    for key, inner in members:
        if key in _ERROR_KEYS and (found := _read_error(inner)):
            return found
        if key in _ERROR_LISTS and (found := _read_errors(inner, members)):
            return found
    for key, inner in members:
        if key in _STATING_KEYS and (stated := _read_statement(key, inner, members)):
            return find_reason(members) or stated
    if refusal := _find_refusal(members) or _read_variant(members):
        return refusal
    for key, inner in members:
        if key in _PRINTED and isinstance(inner, str):
            in_words = key in _IN_WORDS and not _is_document(members)
            found = find_failure_text(inner) if in_words else find_failed_document(inner)
            if found:
                return found
    return ""


def _is_document(members: Members) -> bool:
    """Whether there are other texts than those that stand beside a report."""
    return any(
        key not in _BESIDE_A_REPORT and isinstance(inner, str) and inner for key, inner in members
    )


def _find_refusal(members: Members) -> str:
    """The sentence by which an API refused, where it returned nothing else."""
    texts = [inner for key, inner in members if key in _ALL_OF_A_REFUSAL]
    if len(members) == 1 and texts and (found := _read_validation(texts[0])):
        return found
    if len(texts) != 1 or not isinstance(texts[0], str) or not is_api_refusal(texts[0]):
        return ""
    others = {key for key, _ in members} - _ALL_OF_A_REFUSAL
    return texts[0] if others <= _BESIDE_A_REFUSAL else ""


def _read_validation(value: Any) -> str:
    """The first message of a list of what is wrong with a request (FastAPI), or of an error."""
    first = value[0] if isinstance(value, list) and value else value
    if not isinstance(first, dict) or not ({"loc", "msg"} <= first.keys() or "error" in first):
        return ""
    return _read_error(first.get("msg") or first.get("error"))


def _read_variant(members: Members) -> str:
    """The reason in an object whose only key says that the call failed; its key where the reason
    is blank."""
    key, value = members[0] if len(members) == 1 else ("", None)
    if key not in _VARIANTS or not isinstance(value, dict):
        return ""
    inner = list(plain_members(value))
    has_reason = any(name in _REASONS and isinstance(held, str) for name, held in inner)
    return (find_reason(inner) or f"{key}: true") if has_reason else ""


def find_failure_in_json(text: str) -> str:
    """What a reply that is an object of JSON says of a failure: the message of an API's error, or a
    value that is the report of one, as where a text should stand."""
    value = open_text(text) if text[:1] == "{" else None
    if not isinstance(value, dict):
        return ""
    error = value.get("error")
    if isinstance(error, dict) and not _KINDS_OF_ERRORS.isdisjoint(error):
        return _read_error(error.get("message"))[:_LONGEST_REASON]
    texts = (each for each in islice(value.values(), MEMBERS_READ) if isinstance(each, str))
    return next((text for text in texts if find_reported_failure(text)), "")


_KINDS_OF_ERRORS = word_set("type code status")


def _read_statement(key: str, value: Any, members: Members) -> str:
    """`key: value` where a member says by itself that the call failed."""
    if key in _ERROR_FLAGS and _is_flag(value, state=True):
        return f"{key}: true"
    if key in _FALLBACK_FLAGS and _is_flag(value, state=True) and _gives_nothing(members):
        return f"{key}: true"
    if key in SUCCESS_FLAGS and (
        _is_flag(value, state=False) or _is_explained_zero(value, members)
    ):
        return "" if _is_verdict(members) else f"{key}: false"
    if key in ("type", "name") and isinstance(value, str) and _is_error_type(value, members):
        return f"{key}: {value}"
    if key == "subtype" and isinstance(value, str) and value.startswith("error_"):
        return f"{key}: {value}"  # the result of a run of Claude's agents
    if key in EXIT_KEYS and _is_failed_exit(value, members):
        return f"{key}: {value}"
    if key in STATUS_KEYS and isinstance(value, str):
        word = read_state(value)
        if word in SURE_STATUS or (word in STATUS_OF_THINGS and _is_outcome(members)):
            return f"{key}: {word}"
    if key in KEYS_OF_CODES and isinstance(value, str) and value in CODES_OF_REFUSALS:
        return f"{key}: {value}"
    if key in HTTP_CODE_KEYS and _is_error_code(value):
        return f"{key}: {value}"
    if key == "status" and isinstance(value, dict):
        return _read_status_object(value)
    if key in _CODES and _is_explained_code(key, value, members):
        return f"{key}: {value}"
    return ""


def _read_status_object(value: Mapping[str, Any]) -> str:
    """The message of a status object: of gRPC, whose code for success is 0, or of A2A's tasks."""
    inner = list(plain_members(value))
    state = read_state(str(value.get("state") or ""))
    if state in STATES_OF_TASKS:
        return find_reason(inner) or f"state: {state}"
    code = value.get("code")
    message = _read_error(value.get("message"))
    return message if type(code) is int and code != 0 and message else ""


def _is_explained_code(key: str, value: Any, members: Members) -> bool:
    """Whether a code is one of HTTP's with a reason, an error number, or any but success beside a
    reason and a result that is empty: codes of cities and products are not."""
    if isinstance(value, str) and _SYSTEM_CODE.match(value):
        return True
    if type(value) is int and value != 0 and key in _ERROR_NUMBERS:
        return True
    if not any(name in _REASONS_OF_CODES and _read_error(inner) for name, inner in members):
        return False
    if _is_error_code(value):
        return True
    if type(value) is int and value < 0:
        return True
    return (
        type(value) is int
        and not (value == 0 or 200 <= value <= 299)
        and any(name in _PAYLOADS and inner in (None, {}, [], "") for name, inner in members)
    )


def _is_flag(value: Any, *, state: bool) -> bool:
    """Whether a flag has that state, as a boolean or as its word."""
    if isinstance(value, str):
        return value[:_WORD_READ].strip().lower() in _FLAG_WORDS[state]
    return value is state


def _gives_nothing(members: Members) -> bool:
    """Whether there is nothing but flags, reasons and at least one empty value."""
    given = [inner for key, inner in members if key not in _REASONS and not isinstance(inner, bool)]
    return bool(given) and all(inner in (None, "", [], {}) for inner in given)


def _is_explained_zero(value: Any, members: Members) -> bool:
    """Whether a flag is the number 0 with a text that tells why: alone it may be a count."""
    return (
        type(value) is int
        and value == 0
        and any(
            key in ("message", "reason", "detail") and _read_error(inner) for key, inner in members
        )
    )


def _is_verdict(members: Members) -> bool:
    """Whether an object judges other work, and does not say why it failed itself."""
    keys = {key for key, inner in members if inner not in (None, "", [], {})}
    return not keys.isdisjoint(_VERDICT_KEYS) and keys.isdisjoint(_ERROR_KEYS | HTTP_CODE_KEYS)


def _is_error_type(value: str, members: Members) -> bool:
    """Whether a type is that of a failed result, or the class of an exception with its message."""
    if value[:_WORD_READ] in _PART_TYPES:
        return True
    named = value.endswith(("Exception", "Error", "Fault")) and " " not in value
    return named and any(key == "message" and _read_error(inner) for key, inner in members)


def _is_failed_exit(value: Any, members: Members) -> bool:
    """Whether a command ended with a code other than 0 and complained: `grep` that finds nothing
    and tests that fail end so too, but say nothing on the error stream."""
    if not isinstance(value, int) or isinstance(value, bool) or value == 0:
        return False
    outputs = {key: inner for key, inner in members if isinstance(inner, str) and inner.strip()}
    return not _ERROR_OUTPUT.isdisjoint(outputs)


def _is_outcome(members: Members) -> bool:
    """Whether an object with a failed status tells of a call rather than of a thing."""
    return len(members) <= _FEW_MEMBERS or any(
        key in ("reason", "message", "errormessage", "errorcode", "detail") and _read_error(inner)
        for key, inner in members
    )


def _is_error_code(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) == 3 and value.isdecimal() and value[0] in "45"
    return isinstance(value, int) and not isinstance(value, bool) and 400 <= value <= 599


def _read_error(value: Any) -> str:
    """The text of an error field; empty where it says that there is none."""
    if isinstance(value, str):
        text = value[:_LONGEST_REASON].strip()
        return "" if _says_no_error(text) else text
    if isinstance(value, dict):
        members = list(plain_members(value))
        if reason := find_reason(members):
            return "" if _says_no_error(reason) else reason
        stated = [f"{key}: {inner}" for key, inner in members if _is_stated(inner)]
        return ", ".join(stated[:_FEW_MEMBERS])
    return ""


def _says_no_error(text: str) -> bool:
    low = text[:_WORD_READ].lower()
    return not low or low in _NOT_AN_ERROR or low.startswith(_NO_ERRORS)


def _is_stated(value: Any) -> bool:
    if isinstance(value, str):
        return not _says_no_error(value.strip())
    return isinstance(value, int) and not isinstance(value, bool) and value != 0


def _read_errors(value: Any, members: Members) -> str:
    """The first of a list of errors, or of sentences by field (Jira, Rails), if they are all that
    the output has: a check that ran well returns what it found beside a verdict or a score."""
    if isinstance(value, dict):
        value = [each[0] if isinstance(each, list) and each else each for each in value.values()]
        value = value if all(isinstance(each, str) and " " in each for each in value) else []
    if not isinstance(value, list) or not value:
        return ""
    if not all(key in _BESIDE_ERRORS for key, inner in members if inner not in (None, "", [], {})):
        return ""
    if any(key in ("data", "result", "results") and inner for key, inner in members):
        return ""
    return _read_error(value[0])


def find_reason(members: Members) -> str:
    """The text among the members that tells why; a title or result only where nothing else does."""
    for key, value in sorted(members, key=lambda member: member[0] in ("title", "result")):
        if key not in _REASONS:
            continue
        if isinstance(value, str) and value.strip():
            return value[:_LONGEST_REASON].strip()
        if isinstance(value, (dict, list)) and (found := _find_first_text(value)):
            return found
    return ""


def _find_first_text(value: Any) -> str:
    waiting = [value]
    for item in waiting:
        if len(waiting) > _VALUES_READ:
            break
        if isinstance(item, str) and item.strip():
            return item[:_LONGEST_REASON].strip()
        if isinstance(item, dict):
            waiting.extend(inner for key, inner in plain_members(item) if key in _REASONS)
        elif isinstance(item, list):
            waiting.extend(item[:MOST_PARTS])
    return ""
