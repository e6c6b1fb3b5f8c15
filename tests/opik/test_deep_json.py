"""JSON beyond the limits of Python's parser or encoder."""

import json
from typing import Any

import pytest

from app.opik.deep_json import MAX_DEPTH, loads
from app.opik.records import Span

LEVELS = 60_000


def test_ordinary_json_is_read_as_it_is() -> None:
    assert loads(b'{"a": [1, "\\ud83d\\ude00", null]}') == {"a": [1, "\U0001f600", None]}


@pytest.mark.parametrize("opening", ["[", '{"k":'])
def test_values_nested_too_deeply_are_replaced_and_the_rest_stays(opening: str) -> None:
    closing = {"[": "]", "{": "}"}[opening[0]] * LEVELS
    deep = opening * LEVELS + "1" + closing
    value = loads(f'{{"before": "]}}\\"{{[", "deep": {deep}, "after": [{{"x": 2}}]}}'.encode())
    assert (value["before"], value["after"]) == (']}"{[', [{"x": 2}])
    inner, depth = value["deep"], 1
    while not isinstance(inner, str):
        inner = inner[0] if isinstance(inner, list) else inner["k"]
        depth += 1
    assert depth == MAX_DEPTH
    length = len(deep) - (MAX_DEPTH - 1) * (len(opening) + 1)
    assert inner == f"[nested too deeply to be read: {length} characters]"


def test_a_deep_text_that_is_broken_is_no_json() -> None:
    with pytest.raises(ValueError, match="Expecting"):
        loads(b"[" * LEVELS)


def test_the_parsed_value_can_be_encoded_again() -> None:
    assert json.dumps(loads(b"[" * LEVELS + b"]" * LEVELS)).startswith("[[[")


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (rb'"cut \ud83d"', "cut \ufffd"),
        (rb'"\uDE00 first"', "\ufffd first"),
        (rb'{"\ud83d": ["\ud83d\ude00 \ud83d"]}', {"\ufffd": ["\U0001f600 \ufffd"]}),
        (b'"raw \xed\xa0\xbd"', "raw \ufffd"),
        (rb'"told of \\ud83d"', r"told of \ud83d"),
    ],
    ids=["first half", "second half", "keys and lists", "not escaped", "no escape"],
)
def test_a_single_surrogate_is_replaced(text: bytes, read: Any) -> None:
    assert loads(text) == read


def test_a_number_of_thousands_of_digits_is_a_text_and_the_record_stays() -> None:
    digits = "7" * 5_001
    usage, times = f'{{"a": {digits}, "b": 2}}', f'"duration": {digits}, "ttft": 5'
    line = f'{{"id": "a", "trace_id": "t", "output": -{digits}, "usage": {usage}, {times}}}'
    span = Span.model_validate(loads(line.encode()))
    assert span.output == f"-{digits}"
    assert (span.usage, span.duration, span.ttft) == ({"b": 2}, None, 5)


def test_implausible_numbers_are_left_out_and_the_record_stays() -> None:
    line = (
        b'{"id": "a", "trace_id": "t", "duration": NaN, "ttft": 1e999, "total_estimated_cost": 1'
        + b"0" * 400
        + b', "usage": {"a": -Infinity, "b": 2}, "feedback_scores": [{"name": "x", "value": NaN}]}'
    )
    span = Span.model_validate(loads(line))
    assert (span.duration, span.ttft, span.total_estimated_cost) == (None, None, None)
    assert span.usage == {"b": 2}
    assert span.feedback_scores[0].value is None
