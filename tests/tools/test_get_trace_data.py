"""The trace as a whole: outline, other views, lists, and that every cut leads to its rest."""

import pytest

from testkit.limits import tool_limits
from tests.tools.trace_harness import a_span, a_trace, opened_trace_of

MANY = [
    a_span(1, name="agent", end_time="2026-11-20T10:00:50Z"),
    *(
        a_span(
            n,
            1,
            name=f"call {n % 5}",
            type="llm" if n % 2 else "tool",
            output={"n": n},
            error_info={"exception_type": "E", "message": "m"} if n == 77 else None,
        )
        for n in range(2, 200)
    ),
]


async def test_the_outline_also_shows_the_traces_own_bodies_and_error() -> None:
    trace = a_trace(
        input={"question": "why?"},
        output={"answer": "so"},
        metadata={"version": 3},
        error_info={"exception_type": "E", "message": "m", "traceback": "File a\nE: m"},
    )
    async with opened_trace_of(*MANY, trace=trace) as harness:
        text = await harness.call("get_trace_data")
    assert text.startswith("Trace answer-question: ")
    assert 'input:\n{"question": "why?"}' in text
    assert 'output:\n{"answer": "so"}' in text
    assert 'metadata:\n{"version": 3}' in text
    assert "error.traceback:\nFile a\nE: m" in text


@pytest.mark.parametrize("characters", [2_000, 8_000, 60_000])
async def test_an_outline_asked_for_again_shows_each_part_as_the_first_did(characters: int) -> None:
    limits = tool_limits(result_characters=characters)
    async with opened_trace_of(*MANY, trace=a_trace(input="why?"), limits=limits) as harness:
        first = harness.context.outline
        text = await harness.call("get_trace_data")
    shown, _, rest = text.partition("\n[")
    assert first.startswith(shown.partition("\n\ninput:")[0])
    assert "input:\nwhy?" in text
    if characters == 60_000:
        assert text.startswith(first)
    else:
        assert rest.startswith(f"{len(first[len(shown) :].splitlines()) - 1} more lines of the")


async def test_long_bodies_of_the_trace_are_cut_with_the_call_for_the_rest() -> None:
    trace = a_trace(input="i" * 20_000, output="o" * 20_000)
    async with opened_trace_of(*MANY, trace=trace) as harness:
        text = await harness.call("get_trace_data")
        assert text.count("[cut: ") == 2
        assert (await harness.follow(text)).count("o") > 5_000


@pytest.mark.parametrize(
    ("view", "shown"),
    [
        ("findings", "No findings. Looked at: "),
        ("profile", "wall time"),
        ("critical_path", "Critical path"),
        ("spans", "199 spans, in the order of time:"),
    ],
)
async def test_each_view_shows_its_own(view: str, shown: str) -> None:
    async with opened_trace_of(*MANY) as harness:
        assert shown in await harness.call("get_trace_data", view=view)


async def test_filters_imply_the_list_and_work_together() -> None:
    async with opened_trace_of(*MANY) as harness:
        text = await harness.call("get_trace_data", status="error", type="llm", name="CALL")
        assert text.startswith("1 span, in the order of time:\ns77 ")
        assert "0 spans" in await harness.call("get_trace_data", view="findings", name="nothing")
        slow = await harness.call("get_trace_data", min_duration_ms=1_000, sort="duration")
        assert slow.startswith("1 span, longest first:\ns1 ")


async def test_a_root_alone_gives_the_outline_below_it_and_with_a_sort_its_list() -> None:
    nested = [a_span(1), a_span(2, 1), a_span(3, 2, name="leaf"), a_span(4, 1, name="other")]
    async with opened_trace_of(*nested, trace=a_trace(output="42 apples")) as harness:
        text = await harness.call("get_trace_data", root="s2")
        assert "leaf" in text
        assert "other" not in text
        assert "apples" not in text
        listed = await harness.call("get_trace_data", root="s2", sort="start")
        assert listed.startswith("2 spans, in the order of time:")
        path = await harness.call("get_trace_data", root="s2", view="critical_path")
        assert path.startswith("Critical path")


@pytest.mark.parametrize("view", ["findings", "profile"])
async def test_views_of_the_whole_trace_refuse_a_root(view: str) -> None:
    async with opened_trace_of(*MANY) as harness:
        answer = await harness.answer("get_trace_data", view=view, root="s2")
    assert answer.outcome == "failed"
    assert answer.text.endswith("is about the whole trace; leave root out.")


@pytest.mark.parametrize(
    "arguments", [{"view": "spans"}, {"sort": "duration"}, {"name": "call 3"}, {"view": "profile"}]
)
async def test_following_the_calls_named_shows_every_line_once(arguments: dict[str, str]) -> None:
    named = [dict(each, name=f"{each['name']} of {n}") for n, each in enumerate(MANY)]
    limits = tool_limits(result_characters=2_000)
    async with opened_trace_of(*named, limits=limits) as harness:
        text = await harness.call("get_trace_data", **arguments)
        lines = text.splitlines()[1:-1]
        while "; see get_trace_data(" in text:
            text = await harness.follow(text)
            closed = "; see get_trace_data(" in text
            lines += text.splitlines()[0 if "profile" in arguments.values() else 1 :][
                : -1 if closed else None
            ]
    assert len(lines) == len(set(lines))
    wanted = [each["name"] for each in named if arguments.get("name", "") in str(each["name"])]
    assert all(
        any(f"{name} " in f"{line} " or f"{name}:" in line for line in lines) for name in wanted
    )


async def test_null_arguments_count_as_left_out() -> None:
    async with opened_trace_of(*MANY) as harness:
        nothing = dict.fromkeys(["root", "name", "type", "status", "min_duration_ms", "sort"])
        assert (await harness.call("get_trace_data", **nothing)).startswith("Trace ")


@pytest.mark.parametrize("characters", [600, 2_000, 8_000])
async def test_no_view_exceeds_the_room(characters: int) -> None:
    dense = [dict(each, name="é漢😀" * 30) for each in MANY]
    limits = tool_limits(result_characters=characters)
    async with opened_trace_of(*dense, limits=limits, trace=a_trace(input="漢" * 9_000)) as harness:
        for view in ("outline", "findings", "profile", "critical_path", "spans"):
            assert "ask for less" not in await harness.call("get_trace_data", view=view)


async def test_missing_spans_are_noted() -> None:
    async with opened_trace_of(*MANY, switches={"extra_span_count": 5}) as harness:
        assert "only 199 of the trace's 204 spans could be read" in harness.context.outline
        assert "only 199 of" in await harness.call("get_trace_data")


async def test_rows_say_what_is_read() -> None:
    async with opened_trace_of(a_span(1)) as harness:
        rows = {
            view: await harness.display("get_trace_data", view=view)
            for view in ("outline", "findings", "profile", "critical_path", "spans")
        }
        assert len(set(rows.values())) == 5
        assert rows["outline"] == await harness.display("get_trace_data") == "Reading the trace"
        assert await harness.display("get_trace_data", name="{x}\n") == rows["spans"]


async def test_a_list_shows_the_order_of_calls_under_different_parents() -> None:
    spans = [
        a_span(1, end_time="2026-11-20T10:00:50Z"),
        *(a_span(n, 1, name="worker", end_time="2026-11-20T10:00:40Z") for n in (2, 3)),
        *(a_span(n, 2 + n % 2, name="call") for n in range(10, 16)),
    ]
    async with opened_trace_of(*spans) as harness:
        text = await harness.call("get_trace_data", name="call")
    starts = [line.partition("began at ")[2] for line in text.splitlines()[1:]]
    assert starts == [f"{n}.0 ms" for n in range(10, 16)]


async def test_lists_show_when_spans_began_and_their_cached_tokens() -> None:
    usage = {"prompt_tokens": 5_000, "completion_tokens": 9}
    spans = [
        a_span(1, end_time="2026-11-20T10:00:50Z"),
        a_span(2, 1, usage={**usage, "cached_tokens": 4_096}),
        a_span(1_250, 1, usage={**usage, "cached_tokens": 0}),
        a_span(1_300, 1, usage=usage),
    ]
    async with opened_trace_of(*spans) as harness:
        lines = (await harness.call("get_trace_data", view="spans")).splitlines()[1:]
    assert [line.partition("began at ")[2] for line in lines] == [
        "1.0 ms",
        "2.0 ms, 4,096 cached tokens",
        "1.25 s, 0 cached tokens",
        "1.30 s",
    ]
