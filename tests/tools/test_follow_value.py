"""Where a value first appears, changes, disappears, and where it is missing."""

import json
import re
from typing import Any

import pytest

from app.agent.citations import Aliases
from tests.tools.trace_harness import a_span, a_trace, opened_trace_of


def a_run() -> list[dict[str, Any]]:
    """A customer's number that is found by the second step and lost by the sixth."""
    known, lost = {"customer_id": "C-1042"}, {"customer_id": None}
    return [
        a_span(1, name="agent", input={"question": "Where is my parcel?"}, end_time=None),
        a_span(2, 1, name="identify", output=json.dumps({"customer": known})),
        *(a_span(n, 1, name="lookup", type="tool", input=known, output="ok") for n in (3, 4, 5)),
        a_span(6, 1, name="hand over", input=known, output=lost),
        a_span(7, 1, name="lookup", type="tool", input=lost, output="nothing"),
        a_span(8, 1, name="answer", input={"prompt": "They asked for (C-1042), C-10425"}),
        a_span(9, 1, name="log", input={"ids": [*range(40), 7], "note": "C-10425"}),
    ]


async def test_a_value_is_followed_from_its_first_place_to_its_last() -> None:
    async with opened_trace_of(*a_run()) as harness:
        text = await harness.call("follow_value", value="c-1042")
    assert text.splitlines() == [
        "“c-1042” is in 6 places of 6 spans",
        "first: +2.9 ms s2 identify output.customer.customer_id",
        "last: +8.0 ms s8 answer input.prompt; in no later input (s9)",
        "missing: lookup input of s7 (input.customer_id is null), although s3, s4, s5 have it",
        "+2.9 ms s2 identify output.customer.customer_id",
        "+3.0 ms to +5.0 ms s3, s4, s5 lookup input.customer_id",
        "+6.0 ms s6 hand over input.customer_id",
        "+8.0 ms s8 answer input.prompt: “…They asked for (C-1042), C-10425…”",
    ]


@pytest.mark.parametrize("path", ["customer_id", "customerId"])
async def test_a_key_shows_each_value_until_it_changes(path: str) -> None:
    async with opened_trace_of(*a_run()) as harness:
        text = await harness.call("follow_value", path=path)
    assert text.splitlines() == [
        f"{path} is in 7 places of 6 spans, 2 values, 1 change",
        "first: +2.9 ms s2 identify output.customer.customer_id",
        "last: +7.0 ms s7 lookup input.customer_id; in no later input (s8, s9)",
        "+2.9 ms to +6.0 ms “C-1042”: s2 identify output.customer.customer_id,"
        " +3.0 ms s3 lookup input.customer_id, +4.0 ms s4 lookup input.customer_id,"
        " +5.0 ms s5 lookup input.customer_id and 1 more",
        "+6.9 ms to +7.0 ms null: s6 hand over output.customer_id,"
        " +7.0 ms s7 lookup input.customer_id",
    ]


async def test_calls_that_take_and_return_a_value_share_a_line() -> None:
    spans = [a_span(n, name="row", input={"of": "L-5"}, output={"of": "L-5"}) for n in range(1, 5)]
    spans.append(a_span(9, name="sum", input={"of": "L-5"}))
    async with opened_trace_of(*spans) as harness:
        text = await harness.call("follow_value", value="L-5")
    assert text.splitlines()[-2:] == [
        "+1.0 ms to +4.9 ms s1, s2, s3, s4 row input.of and output.of",
        "+9.0 ms s5 sum input.of",
    ]


async def test_places_of_a_value_that_begin_together_have_no_times_of_their_own() -> None:
    spans = [
        a_span(1, name="look", output={"version": 7}),
        a_span(2, name="look", output={"version": 7}),
        a_span(400, name="store", input={"version": 7}),
        a_span(900, name="store", input={"version": 7}),
    ]
    async with opened_trace_of(*spans) as harness:
        text = await harness.call("follow_value", path="version")
    assert text.splitlines()[-1] == (
        "+1.9 ms to +900 ms 7: s1 look output.version, s2 look output.version,"
        " +400 ms s3 store input.version, +900 ms s4 store input.version"
    )


async def test_a_path_looks_at_its_side_only() -> None:
    async with opened_trace_of(*a_run()) as harness:
        text = await harness.call("follow_value", path="output.customer_id")
    assert text.splitlines()[1:] == [
        "first: +6.9 ms s6 hand over output.customer_id",
        "+6.9 ms null: s6 hand over output.customer_id",
    ]


async def test_numbers_are_found_as_numbers_also_in_long_lists_and_in_the_trace_itself() -> None:
    trace = a_trace(input={"limit": 7.0}, output="7 parcels, 17 days")
    async with opened_trace_of(*a_run(), trace=trace) as harness:
        text = await harness.call("follow_value", value=7)
    assert text.splitlines()[3:] == [
        "+0 µs trace input.limit",
        "+9.0 ms s9 log input.ids",
        "+9.9 ms trace output: “…7 parcels, 17 days…”",
    ]


async def test_what_is_nowhere_names_keys_that_resemble_it() -> None:
    async with opened_trace_of(*a_run()) as harness:
        value = await harness.call("follow_value", value="customer")
        path = await harness.call("follow_value", path="input.customerid")
    assert value == (
        "“customer” is in none of the inputs and outputs\n"
        "keys like it (follow_value with path): customer, customer_id"
    )
    assert path.endswith("keys like it (follow_value with path): customer, customer_id")


async def test_a_value_that_changes_in_parallel_work_is_shown_by_value() -> None:
    spans = [a_span(1, name="all")]
    spans += [
        a_span(n, 1, name="work", input={"tenant": f"t{n % 3}"}, output={"tenant": f"t{n % 3}"})
        for n in range(2, 102)
    ]
    async with opened_trace_of(*spans) as harness:
        text = await harness.call("follow_value", path="tenant")
    lines = text.splitlines()
    assert lines[0] == "tenant is in 200 places of 100 spans, 3 values, 99 changes; by value"
    assert [line.split(":")[0].rpartition(" ")[2] for line in lines[3:]] == ["“t2”", "“t0”", "“t1”"]


async def test_a_long_trail_is_read_to_its_end_by_following_the_calls_named() -> None:
    spans = [a_span(n, name=f"step {n}", input={"id": "X-1"}) for n in range(1, 301)]
    async with opened_trace_of(*spans) as harness:
        text = await harness.call("follow_value", value="X-1")
        lines = text.splitlines()[3:]
        while "; see follow_value(" in lines[-1]:
            lines = lines[:-1] + (await harness.follow(lines[-1])).splitlines()[1:]
    assert [line.split()[-2] for line in lines] == [str(n) for n in range(1, 301)]


async def test_only_spans_that_are_shown_get_a_short_name() -> None:
    spans = [a_span(n, name=f"step {n}", input={"id": f"X-{n % 2}"}) for n in range(1, 301)]
    async with opened_trace_of(*spans) as harness:
        harness.context.aliases = Aliases()
        texts = [
            await harness.call("follow_value", value="X-1"),
            await harness.call("get_trace_data", view="column", path="output"),
            await harness.call("get_trace_data", view="table", name="step"),
        ]
        shown = {name for text in texts for name in re.findall(r"\bs\d+\b", text)}
        named = harness.context.aliases.take_new_spans()
    assert 0 < len(named) <= len(shown) + 30 < 300


async def test_bodies_that_were_not_loaded_are_read_in_parts_and_the_rest_is_noted() -> None:
    text = {"text": "x" * 9_000}
    spans = [a_span(n, output={"id": f"X-{n}"}, metadata=text) for n in range(1, 1_501)]
    async with opened_trace_of(*spans) as harness:
        answers = [await harness.answer("follow_value", value="X-1500") for _ in range(2)]
        assert [each.repeatable for each in answers] == [True, False]
        assert "not read yet; repeat the call to read more]" in answers[0].text
        assert "first: +1.50 s s1500 step 1500 output.id" in answers[1].text


@pytest.mark.parametrize(
    "arguments", [{}, {"value": "x", "path": "y"}, {"value": " "}, {"value": "x" * 201}]
)
async def test_what_names_no_single_value_is_refused(arguments: dict[str, str]) -> None:
    async with opened_trace_of(a_span(1)) as harness:
        assert (await harness.answer("follow_value", **arguments)).outcome == "failed"


async def test_hostile_values_stay_bounded_and_on_their_lines() -> None:
    value = {"a\nb": "x\u202e\n" * 9_000, "k" * 9_000: "needle\n"}
    async with opened_trace_of(a_span(1, name="{n}\n", input=value)) as harness:
        text = await harness.call("follow_value", value="needle")
        assert len(text.splitlines()) == 3
        assert "\u202e" not in await harness.call("follow_value", path="a\nb")
        row = await harness.display("follow_value", value="a {span:x}\n")
        assert row == "Following “a (span:x}” through the trace"
