"""Which records an answer holds, in which order, and how much of each: filters, sorting, cuts."""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from standin import timestamps
from standin.workspace import Json
from standin.writes import RequestRefused

TRUNCATED_CHARACTERS = 10_001
SORTABLE = [
    "id",
    "name",
    "start_time",
    "end_time",
    "duration",
    "total_estimated_cost",
    "usage.total_tokens",
    "usage.prompt_tokens",
    "usage.completion_tokens",
    "span_count",
    "llm_span_count",
    "type",
    "model",
    "provider",
    "created_at",
    "last_updated_at",
    "thread_id",
    "number_of_messages",
]
_CUT_FIELDS = ("input", "output", "metadata", "first_message", "last_message")
_TIMES = ("start_time", "end_time", "created_at", "last_updated_at")
_BASE64_IMAGE = re.compile(r"data:image/[\w.+-]+;base64,[A-Za-z0-9+/=]+")


def filtered(records: list[Json], filters: Any, *, same_case: bool = False) -> list[Json]:
    """The records that pass all filters; with `same_case`, `contains` minds the case.

    Raises RequestRefused for an unknown filter.
    """
    if not filters:
        return records
    if not isinstance(filters, list):
        raise RequestRefused(400, f"Invalid filters query parameter '{filters}'")
    tests = [_build_test(one, same_case) for one in filters]
    return [record for record in records if all(test(record) for test in tests)]


def _build_test(one: Json, same_case: bool) -> Callable[[Json], bool]:
    """One filter as a function, checked even where there is no record to try it on."""
    field, key = str(one.get("field", "")), str(one.get("key") or "")
    wanted = "" if one.get("value") is None else str(one["value"])
    test = _OPERATORS.get(str(one.get("operator", "")))
    if not field or test is None:
        raise RequestRefused(400, f"Invalid filters query parameter '{json.dumps(one)}'")
    if same_case and one["operator"] == "contains":
        return lambda record: any(
            wanted in _format_value(v) for v in _read_values(record, field, key)
        )
    return lambda record: test(_read_values(record, field, key), wanted, field)


def _read_values(record: Json, field: str, key: str) -> list[Any]:
    """What a filter looks at; a list, since tags, scores and guardrails are many."""
    if field.endswith("feedback_scores"):
        scores = record.get(field) or []
        return [s["value"] for s in scores if not key or s["name"].lower() == key.lower()]
    if field == "guardrails":
        checks = [c for one in record.get("guardrails_validations") or [] for c in one["checks"]]
        return [check["result"] for check in checks]
    field = {"input_json": "input", "output_json": "output"}.get(field, field)
    value = _read_field(record, field, key)
    if isinstance(value, list) and field == "tags":
        return value
    return [] if value in (None, "", {}, []) else [value]


def _read_field(record: Json, field: str, key: str) -> Any:
    value: Any = record
    for step in [*field.split("."), *(key.removeprefix("$.").split(".") if key else [])]:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _format_value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _compare_values(value: Any, wanted: str, field: str) -> int:
    """Below, at or above zero as the value is smaller than, equal to or greater than wanted."""
    left: Any
    right: Any
    if field in _TIMES:
        left, right = timestamps.parse(str(value)), timestamps.parse(wanted)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        try:
            left, right = float(value), float(wanted)
        except ValueError as error:
            raise RequestRefused(400, f"Invalid value '{wanted}' for field '{field}'") from error
    else:
        left, right = _format_value(value).lower(), wanted.lower()
    return int(left > right) - int(left < right)


Test = Callable[[list[Any], str, str], bool]


def _any_text(test: Callable[[str, str], bool]) -> Test:
    return lambda values, wanted, _: any(
        test(_format_value(v).lower(), wanted.lower()) for v in values
    )


def _any_order(test: Callable[[int], bool]) -> Test:
    return lambda values, wanted, field: any(
        test(_compare_values(v, wanted, field)) for v in values
    )


def _one_of(value: Any, wanted: str) -> bool:
    return _format_value(value).lower() in [part.strip().lower() for part in wanted.split(",")]


_OPERATORS: dict[str, Test] = {
    "contains": _any_text(lambda value, wanted: wanted in value),
    "not_contains": lambda v, w, f: not _OPERATORS["contains"](v, w, f),
    "starts_with": _any_text(str.startswith),
    "ends_with": _any_text(str.endswith),
    "=": _any_order(lambda order: order == 0),
    "!=": lambda v, w, f: not _OPERATORS["="](v, w, f),
    ">": _any_order(lambda order: order > 0),
    ">=": _any_order(lambda order: order >= 0),
    "<": _any_order(lambda order: order < 0),
    "<=": _any_order(lambda order: order <= 0),
    "is_empty": lambda values, _wanted, _field: not values,
    "is_not_empty": lambda values, _wanted, _field: bool(values),
    "in": lambda values, wanted, _: any(_one_of(value, wanted) for value in values),
    "not_in": lambda values, wanted, _: not any(_one_of(value, wanted) for value in values),
}


def searched(records: list[Json], words: str | None) -> list[Json]:
    """The records whose id, name, input or output contains the words, whatever their case."""
    if not words:
        return records
    fields = ("id", "name", "input", "output", "thread_id")
    return [
        record
        for record in records
        if any(words.lower() in _format_value(record.get(field, "")).lower() for field in fields)
    ]


def within(records: list[Json], start: str | None, end: str | None) -> list[Json]:
    """The records that began between the two ISO times; None leaves that side open."""
    if start:
        records = [
            r for r in records if timestamps.parse(r["start_time"]) >= timestamps.parse(start)
        ]
    if end:
        records = [r for r in records if timestamps.parse(r["start_time"]) <= timestamps.parse(end)]
    return records


def ordered(records: list[Json], sorting: Any, sortable: Sequence[str] = SORTABLE) -> list[Json]:
    """The records sorted by `[{"field", "direction"}]`, those without a value last."""
    for one in reversed(sorting or []):
        field = str(one.get("field", ""))
        if field not in sortable:
            raise RequestRefused(400, f"Invalid sorting fields '{field}'")
        known = [record for record in records if _read_field(record, field, "") is not None]
        unknown = [record for record in records if _read_field(record, field, "") is None]
        descending = str(one.get("direction", "ASC")).upper() == "DESC"
        records = (
            sorted(known, key=lambda r: _read_field(r, field, ""), reverse=descending) + unknown
        )
    return records


def trimmed(record: Json, *, exclude: list[str], truncate: bool) -> Json:
    """The record without the excluded fields and, if asked, with long fields cut to a string."""
    kept = {name: value for name, value in record.items() if name not in exclude}
    if truncate:
        for name in _CUT_FIELDS:
            if name in kept:
                kept[name] = _truncate_value(kept[name])
    return kept


def _truncate_value(value: Any) -> Any:
    text = _format_value(value)
    if "base64," in text:
        text = _BASE64_IMAGE.sub("[image]", text)
        value = text if isinstance(value, str) else json.loads(text)
    return value if len(text) <= TRUNCATED_CHARACTERS else text[:TRUNCATED_CHARACTERS]
