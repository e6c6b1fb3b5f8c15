"""Searching a trace: what is found where, how it is counted, and what a search does not reach."""

from typing import Any

import pytest

from app.tools.trace.trace_context import SearchLimits
from standin.faults import Answer, CutAfter, Fault
from testkit.limits import tool_limits
from testkit.service import span_id
from tests.tools.trace_harness import TraceHarness, a_span, a_trace, opened_trace_of

SEARCH = "/v1/private/spans/search"


def many(count: int, **more: Any) -> list[dict[str, Any]]:
    """Spans of which only some have their bodies read when the trace is opened."""
    return [
        a_span(n, 1 if n > 1 else None, output={"text": f"result number {n}."}, **more)
        for n in range(1, count + 1)
    ]


def unread(harness: TraceHarness) -> list[int]:
    """The numbers of the spans whose bodies were not loaded, newest first."""
    analysis = harness.context.analysis
    ids = sorted(analysis.tree.by_id.keys() - analysis.bodies, reverse=True)
    return [int(each[-4:], 16) for each in ids]


async def test_hits_show_span_path_and_surroundings_and_all_are_counted() -> None:
    spans = [
        a_span(1, name="agent with Timeout"),
        a_span(2, 1, input={"messages": [{"content": "x"}, {"content": "a timeout, a TIMEOUT"}]}),
        a_span(3, 1, metadata={"timeout": 30}),
        a_span(4, 1, error_info={"exception_type": "ReadTimeout", "message": "slow"}),
        a_span(5, 1, output="nothing"),
    ]
    async with opened_trace_of(*spans, trace=a_trace(output={"a": "timeout"})) as harness:
        text = await harness.call("search_trace", pattern="timeout")
    assert text.splitlines()[0] == "6 matches in 5 values of 4 spans and the trace itself"
    assert set(text.splitlines()[1:]) == {
        "trace output.a: timeout",
        "s1 name: agent with Timeout",
        "s2 input.messages[1].content (2 times): a timeout, a TIMEOUT",
        "s3 metadata.timeout: 30",
        "s4 error.exception_type: ReadTimeout",
    }


async def test_fields_choose_where_and_a_text_with_commas_is_a_list_too() -> None:
    spans = [a_span(1, name="word", input="word", output="word", metadata={"k": "word"})]
    async with opened_trace_of(*spans) as harness:
        for fields in (["name", "output"], "name, output"):
            text = await harness.call("search_trace", pattern="word", fields=fields)
            assert text.startswith("2 matches in 2 values of 1 span\n")
            assert "input" not in text


async def test_each_text_that_a_pattern_matches_in_a_value_is_shown_once() -> None:
    log = f"gate opened {'. ' * 400} gate closed {'. ' * 400} pump failed, gate closed"
    async with opened_trace_of(a_span(1, output=log)) as harness:
        text = await harness.call("search_trace", pattern="gate|pump|closed", regex=True)
    assert text.splitlines()[0] == "6 matches in 1 value of 1 span"
    first, closed, pump = text.splitlines()[1].split(" | ")
    assert "gate opened" in first
    assert "gate closed" in closed
    assert "pump failed" in pump


async def test_models_providers_tags_and_types_are_searched_and_equal_ones_share_a_line() -> None:
    spans = [
        a_span(1, tags=["beta"]),
        *(a_span(n, 1, type="llm", model="claude-opus-4", provider="anthropic") for n in (2, 3)),
        a_span(4, 1, type="llm", model="gpt-5", input={"model": "claude-opus-4"}),
        *(a_span(n, 1, name="Orchestrator") for n in range(5, 40)),
    ]
    async with opened_trace_of(*spans) as harness:
        found = {
            pattern: (await harness.call("search_trace", pattern=pattern)).splitlines()[1:]
            for pattern in ("opus", "anthropic", "beta", "llm", "orchestrator")
        }
        only = await harness.call("search_trace", pattern="opus", fields="model")
    assert found["opus"] == ["s2, s3 model: claude-opus-4", "s4 input.model: claude-opus-4"]
    assert found["anthropic"] == ["s2, s3 provider: anthropic"]
    assert found["beta"] == ["s1 tags: beta"]
    assert found["llm"] == ["s2, s3, s4 type: llm"]
    named = ", ".join(f"s{n}" for n in range(5, 17))
    assert found["orchestrator"] == [f"{named} and 23 more name: Orchestrator"]
    assert "input" not in only


async def test_what_a_hit_prints_can_be_searched_across_key_and_value() -> None:
    rows = [{"inserted": 2}, {"inserted": 1}]
    spans = [a_span(1, output={"rows": rows, "tags": ["a", "b"], "区間": "3 km\ntwo"})]
    cases = {
        "inserted: [^2]": "s1 output.rows[1].inserted: 1",
        "^inserted: 1$": "s1 output.rows[1].inserted: 1",
        r"tags\[1\]: b": "s1 output.tags[1]: b",
        "^two$": "s1 output.区間: 3 km two",
        "区間: 3": "s1 output.区間: 3 km two",
        "^inserted": "s1 output.rows[0].inserted: 2",
    }
    async with opened_trace_of(*spans) as harness:
        for pattern, line in cases.items():
            text = await harness.call("search_trace", pattern=pattern, regex=True)
            assert line in text.splitlines(), pattern
        plain = await harness.call("search_trace", pattern="Inserted: 1")
        assert plain.splitlines()[1:] == ["s1 output.rows[1].inserted: 1"]
        keys = await harness.call("search_trace", pattern="tags", fields="output")
        assert keys.splitlines()[1:] == ["s1 output.tags[0]: a"], "not once for each item"


async def test_an_offset_past_the_hits_never_shows_the_first_page_again() -> None:
    async with opened_trace_of(*(a_span(n, output="word") for n in range(1, 5))) as harness:
        text = await harness.call("search_trace", pattern="word", offset=40)
        assert text == "4 matches in 4 values of 4 spans\n[no hit beyond the first 4]"
        await harness.reopen()
        text = await harness.call("search_trace", pattern="word", offset=3)
        assert text == "4 matches in 4 values of 4 spans\ns4 output: word"


async def test_an_exception_among_the_events_of_a_span_is_an_error_that_is_found() -> None:
    raised = {"exception.type": "ConnectionRefusedError", "exception.message": "port 5432"}
    events = [{"name": "exception", "attributes": raised}]
    async with opened_trace_of(a_span(1, metadata={"opentelemetry.events": events})) as harness:
        text = await harness.call("search_trace", pattern="5432", fields=["error"])
        assert text.splitlines()[1:] == ["s1 error.message: port 5432"]
        assert "error: ConnectionRefusedError: port 5432" in await harness.call(
            "get_span_details", span_id="s1"
        )


async def test_a_plain_text_is_no_pattern_and_a_pattern_is_re2() -> None:
    async with opened_trace_of(a_span(1, input="f(x)* = 17", output="code 404")) as harness:
        assert "s1 input" in await harness.call("search_trace", pattern="F(X)*")
        assert await harness.call("search_trace", pattern=r"\d+") == "No match."
        text = await harness.call("search_trace", pattern=r"\b4\d\d\b", regex=True)
        assert text == "1 match in 1 value of 1 span\ns1 output: code 404"
        assert await harness.call("search_trace", pattern="(?-i)CODE", regex=True) == "No match."


@pytest.mark.parametrize("pattern", ["(", "(?=a)", r"(a)\1", "((a{1000}){1000}){9}", "", "x" * 501])
async def test_a_pattern_that_re2_does_not_support_is_refused(pattern: str) -> None:
    async with opened_trace_of(a_span(1, input="a")) as harness:
        answer = await harness.answer("search_trace", pattern=pattern, regex=True)
    assert answer.outcome == "failed"
    assert "RE2" in answer.text or "characters" in answer.text


@pytest.mark.parametrize("pattern", ["(x+x+)+y", "(.*)*$^z", "x*x*x*x*x*x*x*x*[^x]!"])
async def test_a_pattern_that_would_backtrack_for_ever_takes_linear_time(pattern: str) -> None:
    async with opened_trace_of(a_span(1, input="x" * 9_000)) as harness:
        assert await harness.call("search_trace", pattern=pattern, regex=True) == "No match."


async def test_a_value_that_the_backend_cut_is_searched_whole() -> None:
    spans = [a_span(1, output={"pages": ["y" * 20_000, "y" * 500 + " needle here"]})]
    async with opened_trace_of(*spans) as harness:
        text = await harness.call("search_trace", pattern="needle")
        assert text.splitlines()[1].startswith("s1 output.pages[1]: yyy")
        assert text.endswith("y needle here")


async def test_beyond_the_allowed_whole_reads_the_unsearched_rest_is_noted() -> None:
    spans = [a_span(n, output="y" * 20_000 + "needle") for n in (1, 2, 3)]
    limits = tool_limits(search=SearchLimits(whole=2))
    async with opened_trace_of(*spans, limits=limits) as harness:
        text = await harness.call("search_trace", pattern="needle")
        assert text.startswith("2 matches in 2 values of 2 spans")
        assert "[of long values of 1 span only the first 10,000 characters" in text
        assert len(harness.requests("/spans/01")) == 2


async def test_a_match_far_inside_a_long_value_is_found_again_by_its_character() -> None:
    async with opened_trace_of(
        a_span(1, output={"t": "é" * 4_000 + "needle" + "z" * 900})
    ) as harness:
        text = await harness.call("search_trace", pattern="needle")
        assert "s1 output.t [character 4,000 of 4,906]: " in text
        there = await harness.call("get_span_details", span_id="s1", path="output.t", offset=4_000)
        assert "\nneedlezzz" in there


async def test_unread_spans_are_searched_page_by_page_in_few_requests() -> None:
    async with opened_trace_of(*many(400)) as harness:
        numbers = unread(harness)
        assert len(numbers) > 150
        before = len(harness.bodies_asked())
        text = await harness.call("search_trace", pattern="result number")
        assert text.startswith("400 matches in 400 values of 400 spans\n")
        assert len(harness.bodies_asked()) - before <= 5
        one = await harness.call("search_trace", pattern=f"number {numbers[100]}.")
        assert one.splitlines()[1:] == [
            f"s{numbers[100]} output.text: result number {numbers[100]}."
        ]


async def test_names_and_errors_alone_need_no_bodies() -> None:
    async with opened_trace_of(*many(400)) as harness:
        before = len(harness.switches.received)
        text = await harness.call("search_trace", pattern="step", fields=["name", "error"])
        assert text.startswith("400 matches")
        assert len(harness.switches.received) == before


async def test_following_the_calls_named_shows_every_hit_once() -> None:
    async with opened_trace_of(*many(400)) as harness:
        text = await harness.call("search_trace", pattern='result "?', regex=True)
        lines = text.splitlines()[1:]
        while "more hit" in lines[-1]:
            before = len(harness.switches.received)
            lines = lines[:-1] + (await harness.follow(lines[-1])).splitlines()[1:]
            assert len(harness.switches.received) == before
        assert len(lines) == len({line.split()[0] for line in lines}) == 400


async def test_a_search_that_reached_its_limits_says_so_and_goes_on_when_asked() -> None:
    limits = tool_limits(search=SearchLimits(bytes=30_000))
    async with opened_trace_of(*many(900), limits=limits) as harness:
        text = await harness.call("search_trace", pattern="no such thing")
        assert text.startswith("No match.\n[metadata of ")
        rounds = 0
        while "not searched yet" in text:
            text = await harness.follow(text)
            rounds += 1
        assert text == "No match."
        assert rounds > 2
        first = await harness.call("search_trace", pattern="number")
        assert "not searched yet" in first


async def test_no_time_means_that_nothing_but_names_and_errors_was_searched() -> None:
    limits = tool_limits(search=SearchLimits(seconds=0))
    async with opened_trace_of(a_span(1, input="x", name="x"), limits=limits) as harness:
        text = await harness.call("search_trace", pattern="x")
    assert text.startswith("1 match in 1 value of 1 span\ns1 name: x\n")
    assert "metadata of 1 span not searched yet" in text


async def test_a_backend_that_fails_leaves_what_was_found_and_the_reason() -> None:
    async with opened_trace_of(*many(400)) as harness:
        left = len(unread(harness))
        harness.switches.faults.append(Fault(Answer(500, {"errors": ["broken"]}), SEARCH))
        text = await harness.call("search_trace", pattern="number")
        assert text.startswith(f"{400 - left} matches in ")
        assert f"of {left} spans not searched yet: The Opik backend failed (status 500)" in text
        harness.switches.faults.clear()
        assert "400 matches" in await harness.follow(text)


async def test_a_page_that_breaks_off_is_gone_on_with_from_where_it_broke() -> None:
    async with opened_trace_of(*many(400)) as harness:
        harness.switches.faults.append(Fault(CutAfter(lines=30), SEARCH, times=3))
        text = await harness.call("search_trace", pattern="number")
        assert text.startswith("400 matches in 400 values of 400 spans")
        assert "could not be read" not in text


async def test_spans_that_are_gone_meanwhile_are_counted_as_not_read() -> None:
    async with opened_trace_of(*many(400)) as harness:
        number = unread(harness)[7]
        harness.standin.records.workspace().remove_span(span_id(number))
        text = await harness.call("search_trace", pattern="number")
        assert text.startswith("399 matches")
        assert text.endswith("[1 span could not be read]")


async def test_old_backends_that_cut_nothing_give_the_same_answer() -> None:
    spans = [*many(350), a_span(400, 1, output="y" * 30_000 + "needle")]
    async with opened_trace_of(
        *spans, switches={"ignore_truncate": True, "ignore_exclude": True}
    ) as harness:
        assert "s351 output" in await harness.call("search_trace", pattern="needle")


async def test_hostile_values_are_searched_and_shown_on_one_line() -> None:
    value = {"a\nb'": "{x} %s\r\nneedle\u2028\u0000 \U0001f600\u202e"}
    async with opened_trace_of(a_span(1, input=value, name="{n}")) as harness:
        text = await harness.call("search_trace", pattern="NEEDLE")
        assert len(text.splitlines()) == 2
        assert text.endswith(": {x} %s needle \\x00 \U0001f600")
        assert "No match" in await harness.call("search_trace", pattern="\ud83d")


async def test_a_10_mb_value_is_searched_to_its_end() -> None:
    async with opened_trace_of(a_span(1, output={"t": "ab " * 3_400_000 + "needle"})) as harness:
        text = await harness.call("search_trace", pattern="needle")
        assert "[character 10,200,000 of 10,200,006]" in text
        assert "1,000 times" in await harness.call("search_trace", pattern="ab")


async def test_the_row_shows_the_pattern_bounded_and_on_one_line() -> None:
    async with opened_trace_of(a_span(1)) as harness:
        row = await harness.display("search_trace", pattern="time\nout {span:x}")
        assert row == "Searching the trace for “time out (span:x}”"
        assert len(await harness.display("search_trace", pattern="y" * 400)) < 100


async def test_whole_words_come_before_parts_and_what_wrappers_repeat() -> None:
    stack = 'File "/srv/sum.py", line 3, in total'
    spans = [
        a_span(1, output={"usage": {"total": 5}, "subtotal": 1}, error_info={"traceback": stack}),
        a_span(2, output={"total_pages": 6, "text": "totals of May"}),
        a_span(3, output={"total": 287, "text": "in total, 50"}),
    ]
    async with opened_trace_of(*spans) as harness:
        text = await harness.call("search_trace", pattern="total")
    assert [line.split(": ")[0] for line in text.splitlines()[1:]] == [
        "s3 output.total",
        "s3 output.text",
        "s1 output.subtotal",
        "s2 output.total_pages",
        "s2 output.text",
        "s1 error.traceback",
        "s1 output.usage.total",
    ]


async def test_copies_of_a_text_in_the_spans_around_share_the_line_of_where_it_began() -> None:
    spans = [
        a_span(1, input={"ask": "no cheese"}, output={"text": "late: snow"}),
        a_span(2, 1, input={"ask": "no cheese"}, output={"text": "late: snow"}),
        a_span(3, 2, output={"note": "late: snow"}),
        a_span(4, 1, output={"text": "late: snow"}),
    ]
    async with opened_trace_of(*spans, trace=a_trace(output="late: snow")) as harness:
        text = await harness.call("search_trace", pattern="snow")
        asked = await harness.call("search_trace", pattern="cheese")
    assert text.splitlines() == [
        "5 matches in 5 values of 4 spans and the trace itself",
        "s3 output.note (also s2 output.text, s1 output.text, trace output): late: snow",
        "s4 output.text: late: snow",
    ]
    assert asked.splitlines()[1:] == ["s1 input.ask (also s2 input.ask): no cheese"]


async def test_an_error_on_its_way_up_is_one_line_with_the_span_in_which_it_began() -> None:
    def error(frames: int) -> dict[str, str]:
        lines = [f'  File "m.py", line {n}, in f{n}' for n in range(frames)]
        stack = "\n".join(["Traceback (most recent call last):", *lines, "KeyError: no lid"])
        return {"exception_type": "KeyError", "message": "no lid", "traceback": stack}

    spans = [a_span(n, n - 1 or None, error_info=error(5 - n)) for n in (1, 2, 3)]
    async with opened_trace_of(*spans) as harness:
        text = await harness.call("search_trace", pattern="lid")
        frame = await harness.call("search_trace", pattern="f1")
    assert text.splitlines() == [
        "6 matches in 6 values of 3 spans",
        "s3, s2, s1 error.message and error.traceback: no lid",
    ]
    assert len(frame.splitlines()) == 4


async def test_a_decimal_number_is_found_with_a_point_and_with_a_comma() -> None:
    spans = [a_span(1, output="fee 1,2 %"), a_span(2, output="1.2 % fee"), a_span(3, output="1:2")]
    async with opened_trace_of(*spans) as harness:
        for pattern in ("1.2", "1,2", "1.2 %"):
            text = await harness.call("search_trace", pattern=pattern)
            assert text.startswith("2 matches in 2 values of 2 spans\n"), pattern
        assert await harness.call("search_trace", pattern="v1.2") == "No match."
