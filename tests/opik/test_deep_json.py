"""JSON beyond the limits of Python's parser or encoder."""

import contextlib
import json
import tracemalloc
from typing import Any

import pytest

from app.opik.deep_json import MAX_DEPTH, TooManyValues, loads
from app.opik.records import Span

LEVELS = 60_000
MANY = 2**18
DEEP = b"[" * (MAX_DEPTH + 1)


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


# What the author of a trace may send: the worst that was found for each step of the reading.
GREEDY = {
    "one long text": DEEP + b'"' + b"x" * MANY + b'"' + b"]" * len(DEEP),
    "quotes in a text": DEEP + b'"' + rb"\"" * (MANY // 2) + b'"' + b"]" * len(DEEP),
    "texts": DEEP + b'"",' * (MANY // 3) + b"1" + b"]" * len(DEEP),
    "a text without an end": DEEP + b'"' + rb"\"" * (MANY // 2),
    "backslashes": DEEP + b"\\" * MANY,
    "deep": b"[" * (MANY // 2) + b"]" * (MANY // 2),
    "a comb": DEEP + b"[]," * (MANY // 12) + b"1" + b"]" * len(DEEP),
    "openings": b"[" * (2 * MANY),
    "closings": DEEP + b"]" * (2 * MANY),
    "lists": b"[" + b"[]," * MANY + b"1]",
}


def test_no_text_takes_more_than_its_size_in_time_or_memory() -> None:
    tracemalloc.start()
    try:
        taken = {name: _measure(data) for name, data in GREEDY.items()}
    finally:
        tracemalloc.stop()
    assert {name: size for name, size in taken.items() if size > 32} == {}


def _measure(data: bytes) -> float:
    """The most memory that reading the text takes, in times its length."""
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    with contextlib.suppress(ValueError):
        loads(data)
    return (tracemalloc.get_traced_memory()[1] - before) / len(data)


@pytest.mark.parametrize("name", ["lists", "openings", "closings"])
def test_more_objects_and_lists_than_are_read_are_refused_before_they_are_parsed(name: str) -> None:
    with pytest.raises(TooManyValues):
        loads(GREEDY[name])
