"""Items of a batch that failed although the call as a whole worked, as its result states them.

Shapes: a status, a flag or an error on each item (HTTP 207, Microsoft Graph `responses`,
Elasticsearch `_bulk`), counts (`FailedEntryCount` of AWS, `failed` beside `succeeded`), and lists
of what failed (`UnprocessedItems` of DynamoDB, `Failed` of SQS, `insertErrors` of BigQuery,
`rejected` of nodemailer).
"""

from itertools import islice
from typing import Any, NamedTuple

from app.analysis.recorded.body import Body
from app.analysis.recorded.spellings import key_set, plain_members, word_set
from app.analysis.recorded.status_words import CODE_KEYS, SUCCESS_FLAGS

_FAILED_COUNTS = key_set(
    "failed failures errors failed_count failure_count num_failed error_count errors_count"
    " num_errors rejected rejected_count failed_rows error_rows not_sent unsent undelivered"
    " failed_items failed_records records_failed rows_failed fehlgeschlagen fehler fallidos"
    " fallidas errores échoués falhas"
)
_OWN_COUNTS = key_set("failed_entry_count failed_record_count failed_put_count")
"""Counts that only batch calls have; the others need a count of successes beside them."""
_SUCCESS_COUNTS = key_set(
    "succeeded success success_count successes successful ok sent processed total imported inserted"
    " updated created written accepted indexed delivered uploaded deleted count num_succeeded saved"
    " erfolgreich gesamt exitosos enviados envoyés réussis importados sucesso"
)
_FAILED_LISTS = key_set(
    "failed failures failed_items failed_ids failed_entries failed_records unprocessed"
    " unprocessed_items unprocessed_keys unprocessed_entries batch_item_failures rejected"
    " insert_errors undelivered failed_recipients failed_rows partial_failure_error"
)
_OWN_LISTS = key_set(
    "unprocessed_items unprocessed_keys unprocessed_entries batch_item_failures insert_errors"
    " partial_failure_error failed_entries"
)
_WORDS = key_set("status state result outcome")
_BAD_WORDS = word_set(
    "failed failure error rejected errored unprocessed fehlgeschlagen fallido 失败"
)
_GOOD_WORDS = word_set(
    "ok success succeeded done created updated inserted indexed deleted sent accepted completed"
    " complete processed delivered uploaded imported noop queued erledigt enviado 成功"
)
_NAMES = key_set("id _id key name email recipient to path file sku row index uuid message_id")
_ERRORS = key_set("error errors error_message error_code exception err")
_HOLDERS = key_set("result response status outcome")
_NO_ERRORS = word_set("none None NONE null OK ok")
_CANDIDATES = (
    _ERRORS | _FAILED_COUNTS | _OWN_COUNTS | _FAILED_LISTS | CODE_KEYS | SUCCESS_FLAGS | _WORDS
)
_LEVELS = 4  # wrappers around the items
_ITEMS_READ = 2_000  # of one list of items
_LEAST_ITEMS = 2
_IDS_KEPT = 20
_MULTI_STATUS = 207


class FailedItems(NamedTuple):
    """`total` is 0 where it is not stated; `ids` are those of the first 20 that failed. `is_sure`
    says that the shape alone tells a batch, whatever the name of the call."""

    failed: int
    total: int
    ids: tuple[str, ...]
    is_sure: bool


def find_failed_items(output: Body) -> FailedItems | None:
    """What a result states of items that failed beside others that did not."""
    if not output.may_have_key(_CANDIDATES):
        return None
    waiting: list[tuple[int, Any]] = [(0, output.opened)]
    is_multi_status = False
    for level, value in waiting:
        if isinstance(value, dict):
            members = list(plain_members(value))
            is_multi_status = is_multi_status or any(
                key in CODE_KEYS and inner in (_MULTI_STATUS, str(_MULTI_STATUS))
                for key, inner in members
            )
            found = _read_counts(members) or _read_lists(members)
            if found is not None:
                return found
            inner_values = [inner for _, inner in members if isinstance(inner, (dict, list))]
        elif isinstance(value, list):
            found = _read_items(value)
            if found is not None:
                return found._replace(is_sure=found.is_sure or is_multi_status)
            inner_values = value[:1] if len(value) == 1 else []
        else:
            continue
        if level < _LEVELS:
            waiting.extend((level + 1, inner) for inner in inner_values)
    return None


def _read_counts(members: list[tuple[str, Any]]) -> FailedItems | None:
    """Counts of failures beside counts of successes."""
    counts = [(key, inner) for key, inner in members if type(inner) is int and inner > 0]
    for key, count in counts:
        if key in _OWN_COUNTS:
            return FailedItems(count, 0, (), is_sure=True)
        if key in _FAILED_COUNTS and any(other in _SUCCESS_COUNTS for other, _ in counts):
            total = dict(members).get("total")
            return FailedItems(count, total if type(total) is int else 0, (), is_sure=False)
    return None


def _read_lists(members: list[tuple[str, Any]]) -> FailedItems | None:
    """Lists of what failed, by a key of their own or beside what worked."""
    lists = [(key, inner) for key, inner in members if inner and isinstance(inner, (list, dict))]
    for key, inner in lists:
        if key in _OWN_LISTS or (key in _FAILED_LISTS and any(map(_counts_success, members))):
            items = inner if isinstance(inner, list) else [inner]
            ids = tuple(islice(filter(None, map(_name_item, items)), _IDS_KEPT))
            return FailedItems(len(items), 0, ids, is_sure=key in _OWN_LISTS)
    return None


def _counts_success(member: tuple[str, Any]) -> bool:
    """Whether a member is a count or a list of what worked."""
    key, inner = member
    return key in _SUCCESS_COUNTS and bool(inner) and type(inner) in (int, list)


def _read_items(items: list[Any]) -> FailedItems | None:
    """Items of which some state that they failed, and others that they worked or, where an error
    tells it, none."""
    if len(items) < _LEAST_ITEMS or not isinstance(items[0], dict):
        return None
    read = [_unwrap(item) for item in items[:_ITEMS_READ] if isinstance(item, dict)]
    states = [_read_state(item) for item in read]
    bad = [item for item, state in zip(read, states, strict=True) if state is False]
    if not bad or not (True in states or any(map(_read_own_error, bad))):
        return None
    ids = tuple(islice(filter(None, map(_name_item, bad)), _IDS_KEPT))
    return FailedItems(len(bad), len(items), ids, is_sure=False)


def _unwrap(item: dict[str, Any]) -> dict[str, Any]:
    """The object inside one that only names the action (`{"index": {…}}`)."""
    inner = next(iter(item.values())) if len(item) == 1 else None
    return inner if isinstance(inner, dict) else item


def _read_state(item: dict[str, Any]) -> bool | None:
    """Whether an item says that it worked; None where it says nothing."""
    failed = _read_own_error(item)
    if failed:
        return False
    found: bool | None = None if failed is None else True
    for key, inner in plain_members(item):
        if key in CODE_KEYS and (code := _read_code(inner)):
            if code >= 400:
                return False
            found = True
        elif key in SUCCESS_FLAGS and isinstance(inner, bool):
            if not inner:
                return False
            found = True
        elif key in _WORDS and isinstance(inner, str):
            if inner.strip().lower() in _BAD_WORDS:
                return False
            found = found or (inner.strip().lower() in _GOOD_WORDS or None)
    return found


def _read_own_error(item: dict[str, Any]) -> bool | None:
    """Whether an item has an error of its own, in what happened to it where that is an object
    (Weaviate); None where it has no place for one."""
    members = list(plain_members(item))
    for key, inner in members:
        if key in _ERRORS:
            stated = bool(inner) and isinstance(inner, (str, dict, list, bool))  # no measured error
            return stated and not (isinstance(inner, str) and inner.strip() in _NO_ERRORS)
    inside = (inner for key, inner in members if key in _HOLDERS and isinstance(inner, dict))
    return next((found for found in map(_read_own_error, inside) if found is not None), None)


def _read_code(value: Any) -> int:
    """A code of HTTP, 0 where it is none."""
    if isinstance(value, str) and len(value) == 3 and value.isdecimal():
        value = int(value)
    return value if type(value) is int and 200 <= value <= 599 else 0


def _name_item(item: Any) -> str:
    """The id of an item, or a name that stands for it."""
    if isinstance(item, (str, int)):
        return str(item)
    if isinstance(item, dict):
        for key, inner in plain_members(item):
            if key in _NAMES and isinstance(inner, (str, int)):
                return str(inner)
    return ""
