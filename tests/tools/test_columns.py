"""One value of many spans as a column, and siblings as a table."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from app.analysis.recorded.recorded_span import RecordedSpan
from app.analysis.text.span_values import find_outliers, read_value, show_value, value_key
from app.opik.records import Span
from testkit.case_tables import each_case
from testkit.limits import tool_limits
from tests.tools.trace_harness import a_span, opened_trace_of


def lookups(count: int, **odd: Any) -> list[dict[str, Any]]:
    """Lookups below an agent, of which the third has another output and the fifth no status."""
    spans = [a_span(1, name="agent")]
    for n in range(2, count + 2):
        output: dict[str, Any] = {"status": "ok", "score": 0.9 + n / 1_000}
        if n == 4:
            output |= {"status": "denied", "score": 0.1}
        if n == 6:
            del output["status"]
        given = {"city": f"city {n}", "unit": "C", "lang": "en"}
        spans.append(a_span(n, 1, name="lookup", type="tool", input=given, output=output, **odd))
    return spans


async def test_a_column_counts_distinct_values_and_names_the_spans_that_have_them() -> None:
    async with opened_trace_of(*lookups(20)) as harness:
        text = await harness.call(
            "get_trace_data", view="column", name="look", path="output.status"
        )
        assert text.splitlines() == [
            "output.status of 20 spans: 2 distinct values, 1 without it",
            "outliers: s4 “denied”, s6 missing",
            "“ok” × 18: s2, s3, s5, s7, s8, s9, s10, s11, s12, s13, s14, s15 and 6 more",
            "“denied” × 1: s4",
            "missing × 1: s6",
        ]
        by_key = await harness.call("get_trace_data", type="tool", path="status")
        assert by_key.splitlines()[1:] == text.splitlines()[1:], "a key and no view will do"


async def test_a_column_shows_only_what_is_not_equal_to_a_value() -> None:
    async with opened_trace_of(*lookups(20)) as harness:
        text = await harness.call("get_trace_data", name="lookup", path="status", not_equal="OK")
        assert text.splitlines() == [
            "status of 20 spans: 2 not equal to “OK”",
            "s4 lookup: “denied”",
            "s6 lookup: missing",
        ]


async def test_a_column_of_numbers_names_the_lowest_the_highest_and_what_stands_out() -> None:
    async with opened_trace_of(*lookups(9)) as harness:
        text = await harness.call("get_trace_data", name="lookup", path="output.score")
    assert text.splitlines()[1:4] == [
        "lowest 0.1 (s4), median 0.906, highest 0.91 (s10)",
        "outliers: s4 0.1",
        "s2 lookup: 0.902",
    ]


async def test_long_values_that_begin_alike_are_not_taken_for_equal() -> None:
    text = "the same beginning of a text " * 20
    spans = [
        a_span(n, name="x", output={"role": "a", "content": f"{text}{n // 2}"}) for n in range(2, 8)
    ]
    async with opened_trace_of(a_span(1, name="all"), *spans) as harness:
        for path in ("output", "output.content"):
            column = await harness.call("get_trace_data", name="x", path=path)
            assert column.splitlines()[0] == f"{path} of 6 spans: 3 distinct values"
            assert column.splitlines()[1].endswith(
                "… × 2: s2, s3".replace("…", "a…g of a text 1”" if "." in path else "…}")
            )
        table = await harness.call("get_trace_data", view="table", name="x")
        assert table.splitlines()[1] == "equal in all: output.role “a”"
        trail = await harness.call("follow_value", path="content")
        assert trail.splitlines()[0].endswith("3 values, 2 changes")


async def test_values_repeated_word_for_word_stand_before_the_others() -> None:
    texts = ["We are done.", "I will search for it.", "No result.", "We are done."]
    spans = [a_span(n, name=f"speaker {n}", output=text) for n, text in enumerate(texts, 1)]
    async with opened_trace_of(*spans) as harness:
        text = await harness.call("get_trace_data", view="column", path="output")
    assert text.splitlines()[:3] == [
        "output of 4 spans: 3 distinct values",
        "“We are done.” × 2: s1, s4",
        "s1 speaker 1: “We are done.”",
    ]


async def test_facts_of_spans_are_columns_too() -> None:
    usage = {"prompt_tokens": 2_000, "completion_tokens": 5, "cached_tokens": 1_536}
    reply = {"choices": [{"message": {"content": "x"}, "finish_reason": "length"}]}
    spans = [
        a_span(n, type="llm", model=f"m{n // 3}", usage=usage, output=reply) for n in range(1, 5)
    ]
    async with opened_trace_of(*spans) as harness:
        shown = {
            path: (await harness.call("get_trace_data", view="column", path=path)).splitlines()[-1]
            for path in ("model", "finish", "cached_tokens", "error")
        }
    assert shown == {
        "model": "“m1” × 2: s3, s4",
        "finish": "“length” × 4: s1, s2, s3, s4",
        "cached_tokens": "1536 × 4: s1, s2, s3, s4",
        "error": "no span has it; there are output.choices[0].message.content,"
        " output.choices[0].finish_reason",
    }


async def test_a_table_shows_siblings_with_what_differs_and_the_odd_one_out() -> None:
    async with opened_trace_of(*lookups(8)) as harness:
        text = await harness.call("get_trace_data", view="table", root="s1")
        lines = text.splitlines()
        assert lines[:2] == [
            "8 spans in the order of time",
            "equal in all: input.unit “C”, input.lang “en”",
        ]
        assert "odd in output.status: s4 “denied”, s6 missing" in lines
        head = next(line for line in lines if line.startswith("span | "))
        assert head == "span | start | duration | input.city | output.score | output.status"
        assert "s4 lookup | +4.0 ms | 900 µs | “city 4” | 0.1 | “denied”" in lines
        assert await harness.call("get_trace_data", view="table") == text, "the only root's"
        chosen = await harness.call("get_trace_data", root="s1", name="look", path="city,status")
        assert chosen.splitlines()[-1].split(" | ")[3:] == ["“city 9”", "“ok”"]


async def test_a_column_without_a_name_is_about_the_names_that_have_the_value() -> None:
    others = [a_span(n, 1, name="note", output={"text": "x"}) for n in range(30, 60)]
    async with opened_trace_of(*lookups(20), *others) as harness:
        text = await harness.call("get_trace_data", view="column", path="output.status")
    assert text.splitlines()[:2] == [
        "output.status of 20 spans: 2 distinct values, 1 without it;"
        " 31 spans of other names without it",
        "outliers: s4 “denied”, s6 missing",
    ]


async def test_a_path_that_no_span_has_is_answered_with_those_that_end_alike() -> None:
    calls = [a_span(n, 1, name="note", output={"text": "x"}) for n in range(2, 30)]
    order = a_span(30, 1, name="order", output={"result": {"status": "paid"}})
    async with opened_trace_of(a_span(1), *calls, order) as harness:
        text = await harness.call("get_trace_data", view="column", path="output.status")
    assert "no span has it; there are output.result.status" in text


async def test_values_that_differ_far_behind_an_equal_beginning_are_shown_apart() -> None:
    beginning = "the quota of the shop is used up for this minute and also the next one, try after "
    spans = [
        a_span(n, name="ask", output={"note": f"{beginning}{2**n} seconds"}) for n in range(1, 6)
    ]
    async with opened_trace_of(*spans) as harness:
        column = await harness.call("get_trace_data", view="column", path="output.note")
        table = await harness.call("get_trace_data", view="table", name="ask", path="output.note")
    for n in range(1, 6):
        assert f"the quota of the shop is…, try after {2**n} seconds”" in column
        assert f"try after {2**n}" in table


async def test_what_was_not_read_of_a_row_is_not_called_missing() -> None:
    spans = [
        a_span(n, name="ask", output={"text": "x" * 20_000, "status": "ok"}) for n in range(1, 12)
    ]
    async with opened_trace_of(*spans) as harness:
        text = await harness.call("get_trace_data", view="table", name="ask", path="output.status")
    assert "missing" not in text
    assert [line.endswith("| not read") for line in text.splitlines()[2:-1]] == [False] * 8 + [
        True
    ] * 3
    assert "of long values of s9, s10, s11 only the first" in text


async def test_a_table_of_model_calls_begins_with_their_tokens() -> None:
    spans = [
        a_span(
            n,
            name="ask",
            type="llm",
            model="m",
            usage={"prompt_tokens": 100 * n, "completion_tokens": 7},
            input={"messages": [{"role": "user", "content": f"Question {k}?"} for k in range(n)]},
            output={"choices": [{"message": {"content": f"Answer {n}", "refusal": None}}]},
        )
        for n in range(1, 7)
    ]
    async with opened_trace_of(*spans) as harness:
        text = await harness.call("get_trace_data", view="table", name="ask")
    assert "span | start | duration | prompt_tokens | completion_tokens | input.m" in text
    assert not any(word in text for word in ("role", "refusal", "odd in input"))


_MISSING = read_value(*([RecordedSpan(Span(id="x", trace_id="t"))] * 2), ("output", "no"))  # type: ignore[arg-type]
WEATHER = [{"city": "Rome", "temp": temp} for temp in (3, 5, 3, 9)]


@each_case(
    "record",
    [
        str,  # a Python value as text
        lambda value: {"output.value": json.dumps(value), "output.mime_type": "application/json"},
        lambda value: {"tool_response": str(value)},
        lambda value: json.dumps(json.dumps(value)),  # encoded twice
    ],
)
async def test_a_table_shows_the_values_of_columns_that_it_chose(
    record: Callable[[Any], Any],
) -> None:
    spans = [
        a_span(n, 1, name="weather", type="tool", input={"at": n}, output=record(value))
        for n, value in enumerate(WEATHER, start=2)
    ]
    async with opened_trace_of(a_span(1, name="agent"), *spans) as harness:
        text = await harness.call("get_trace_data", view="table", root="s1")
        details = await harness.call("get_span_details", span_id="s5", path="output.temp")
    lines = text.splitlines()
    assert lines[1] == "equal in all: output.city “Rome”"
    assert [line.split(" | ")[4] for line in lines[-4:]] == ["3", "5", "3", "9"]
    assert details.splitlines()[-1] == "9"


async def test_a_long_column_is_read_to_its_end_by_following_the_calls_named() -> None:
    limits = tool_limits(result_characters=2_000)
    async with opened_trace_of(*lookups(120), limits=limits) as harness:
        text = await harness.call("get_trace_data", name="lookup", path="input.city")
        lines = text.splitlines()[1:]
        while "; see get_trace_data(" in lines[-1]:
            lines = lines[:-1] + (await harness.follow(lines[-1])).splitlines()[1:]
    assert lines == [f"s{n} lookup: “city {n}”" for n in range(2, 122)]


async def test_bodies_that_were_not_loaded_are_read_and_the_rest_is_noted() -> None:
    spans = lookups(1_500, metadata={"text": "x" * 9_000})
    async with opened_trace_of(*spans) as harness:
        first = await harness.answer("get_trace_data", name="lookup", path="output.status")
        assert first.repeatable
        assert "not read yet; repeat the call to read more]" in first.text
        again = await harness.answer("get_trace_data", name="lookup", path="output.status")
        assert again.text.startswith("output.status of 1,500 spans: 2 distinct values")
        assert not again.repeatable


async def test_a_value_behind_the_cut_of_the_backend_is_read_whole() -> None:
    output = {"text": "y" * 20_000, "status": "ok"}
    spans = [a_span(n, name="big", output=output) for n in range(1, 4)]
    async with opened_trace_of(*spans) as harness:
        text = await harness.call("get_trace_data", name="big", path="output.status")
    assert "“ok” × 3: s1, s2, s3" in text


async def test_a_column_without_a_path_and_a_filter_without_spans_are_refused() -> None:
    async with opened_trace_of(a_span(1)) as harness:
        without = await harness.answer("get_trace_data", view="column")
        nothing = await harness.answer("get_trace_data", view="table", root="s1")
    assert (without.outcome, nothing.outcome) == ("failed", "failed")
    assert "needs a path" in without.text
    assert "No span fits" in nothing.text


@each_case(
    "values, places",
    [
        ([1, 1, 1, 9], [3]),
        ([1, 2, 3, 4, 5], []),
        ([10, 11, 12, 11, 90], [4]),
        (["a", "a", "a", "a", "b"], [4]),
        (["a", "a", "b", "b"], []),
        (["a", "b", "c"], []),
        ([[1], [2], [3], [], [4]], [3]),
        ([{"a": 1}, {}, {"a": 2}, {}], []),
        ([None, "x", "x", "x", "x"], [0]),
        ([True, True, True, False], [3]),
        ([*[_MISSING] * 9, "a", "a", "a", "b", "a"], [12]),
        ([*[_MISSING] * 9, "a", "b"], []),
        ([_MISSING, "a", "a", "a"], [0]),
    ],
)
def test_outliers_are_rare_values_among_equal_ones_and_far_numbers(
    values: list[Any], places: list[int]
) -> None:
    assert find_outliers(values) == places


@each_case(
    "one, other, equal",
    [
        (1, 1.0, True),
        (1, True, False),
        ("1", 1, False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ([1] * 9_000, [1] * 9_000, True),
        ([1] * 9_000, [1] * 8_999 + [2], False),
        ({"k": ["x" * 5_000, 1.5, None]}, {"k": ["x" * 5_000, 1.5, None]}, True),
        ("x" * 9_000 + "a", "x" * 9_000 + "b", False),
        (None, "", False),
    ],
)
def test_keys_of_values_are_equal_for_equal_values_however_long(
    one: Any, other: Any, equal: bool
) -> None:
    assert (value_key(one) == value_key(other)) is equal


@pytest.mark.parametrize("levels", [50, 1_500, 50_000])
def test_a_value_of_any_depth_has_a_key_and_a_line(levels: int) -> None:
    value: Any = "leaf"
    for _ in range(levels):
        value = [value]
    assert value_key(value) == value_key(value)
    assert len(show_value(value)) <= 80
    while isinstance(value, list):
        value = value[0]
