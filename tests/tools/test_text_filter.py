"""Searching where the backend chooses the spans, and where its filters cannot be trusted."""

from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.tools.trace.text_filter import is_filterable
from app.tools.trace.trace_context import SearchLimits
from standin.faults import Answer, CutAfter, Fault
from testkit.limits import tool_limits
from testkit.service import span_id
from tests.tools.trace_harness import SOCKET, TraceHarness, a_span, opened_trace_of

SEARCH = "/v1/private/spans/search"
FIELDS = ["input", "output"]
RARE = (50, 51, 350)


def spans_with(rare: str, **more: Any) -> list[dict[str, Any]]:
    """400 spans, most of them not loaded, with a text in three outputs; more for the last rare."""
    spans = [
        a_span(n, 1 if n > 1 else None, output={"text": f"Result number {n}."})
        for n in range(1, 401)
    ]
    for number in RARE:
        spans[number - 1]["output"] = {"text": f"Result with {rare}"}
    spans[RARE[-1] - 1] |= more
    return spans


class Counted:
    """The backend, with a count of the records that its searches of spans sent."""

    def __init__(self, backend: ASGIApp) -> None:
        self._backend = backend
        self.records = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def counting(message: Message) -> None:
            if scope["path"].endswith("/spans/search"):
                self.records += message.get("body", b"").count(b"\n")
            await send(message)

        await self._backend(scope, receive, counting)


def filters_sent(harness: TraceHarness) -> list[list[dict[str, str]]]:
    return [filters for each in harness.requests(SEARCH) if (filters := each.body.get("filters"))]


async def test_only_spans_with_the_text_are_transferred() -> None:
    async with opened_trace_of(*spans_with("Needle")) as harness:
        SOCKET.backend = counted = Counted(harness.standin)
        text = await harness.call("search_trace", pattern="needle", fields=FIELDS)
        assert text.startswith("3 matches in 3 values of 3 spans\n")
        assert "not searched" not in text
        proof = 1
        assert counted.records == proof + len(RARE)


async def test_the_text_goes_as_a_json_value_one_field_at_a_time() -> None:
    async with opened_trace_of(*spans_with("x")) as harness:
        await harness.call("search_trace", pattern="{x} %s, y [1]'", fields=FIELDS)
        _, *asked = filters_sent(harness)
    assert asked == [
        [{"field": name, "operator": "contains", "value": "{x} %s, y [1]'"}] for name in FIELDS
    ]


async def test_the_backend_is_asked_for_a_proof_once_a_turn() -> None:
    async with opened_trace_of(*spans_with("x")) as harness:
        for pattern in ("one thing", "another"):
            assert await harness.call("search_trace", pattern=pattern, fields=FIELDS) == "No match."
        assert [len(filters) for filters in filters_sent(harness)] == [2, 1, 1, 1, 1]


async def test_a_match_beyond_the_cut_of_a_span_that_was_not_loaded_is_found() -> None:
    spans = spans_with("needle", output={"pages": ["y" * 30_000, "z needle"]})
    async with opened_trace_of(*spans) as harness:
        assert span_id(RARE[-1]) not in harness.context.analysis.bodies
        text = await harness.call("search_trace", pattern="needle", fields=FIELDS)
        assert text.startswith("3 matches in 3 values of 3 spans\n")
        assert "s350 output.pages[1]: z needle" in text
        assert len(harness.requests("/spans/01")) == 1


async def test_beyond_the_allowed_whole_reads_the_rest_of_chosen_spans_is_noted() -> None:
    spans = spans_with("needle", output="y" * 30_000 + "needle")
    limits = tool_limits(search=SearchLimits(whole=0))
    async with opened_trace_of(*spans, limits=limits) as harness:
        text = await harness.call("search_trace", pattern="needle", fields=FIELDS)
        assert text.startswith("2 matches in 2 values of 2 spans\n")
        assert text.endswith(
            "[of long values of 1 span only the first 10,000 characters were searched]"
        )


async def test_whole_reads_are_not_spent_on_loaded_spans_that_the_backend_leaves_out() -> None:
    spans = [a_span(n, output="word " + "y" * 20_000) for n in range(1, 20)]
    spans.append(a_span(20, output="y" * 20_000 + "needle"))
    limits = tool_limits(search=SearchLimits(whole=1))
    async with opened_trace_of(*spans, limits=limits) as harness:
        text = await harness.call("search_trace", pattern="needle")
        assert text.startswith("1 match in 1 value of 1 span\ns20 output ")
        assert len(text.splitlines()) == 2
        assert len(harness.requests("/spans/01")) == 1


async def test_metadata_is_swept_without_the_fields_that_the_backend_answered() -> None:
    spans = spans_with("needle", metadata={"note": "a needle"})
    async with opened_trace_of(*spans) as harness:
        text = await harness.call("search_trace", pattern="needle")
        assert text.startswith("4 matches in 4 values of 3 spans\n")
        assert "s350 metadata.note: a needle" in text
        assert harness.requests(SEARCH)[-1].body["exclude"] == FIELDS


@pytest.mark.parametrize("filters", ["refused", "ignored", "same_case"])
async def test_a_backend_without_a_filter_to_be_trusted_gives_the_same_answer(filters: str) -> None:
    async with opened_trace_of(*spans_with("NeeDle"), switches={"filters": filters}) as harness:
        first = await harness.call("search_trace", pattern="needle", fields=FIELDS)
        assert first.startswith("3 matches in 3 values of 3 spans\n")
        assert len(first.splitlines()) == 4
        proofs = len(filters_sent(harness))
        every = await harness.call("search_trace", pattern="result ", fields=FIELDS)
        assert every.startswith("400 matches in 400 values of 400 spans\n")
        assert len(filters_sent(harness)) == proofs == 1


async def test_a_filter_that_fails_after_its_proof_makes_no_hit_missing_or_double() -> None:
    for effect in (Answer(400, {"errors": ["no"]}), Answer(200, b'{"id": "x"}\r\n'), CutAfter(0)):
        async with opened_trace_of(*spans_with("needle")) as harness:
            harness.switches.faults.append(Fault(effect, SEARCH, skip=2, times=1))
            text = await harness.call("search_trace", pattern="needle", fields=FIELDS)
            assert text.startswith("3 matches in 3 values of 3 spans\n")
            kinds = [len(each.body.get("filters", ())) for each in harness.requests(SEARCH)]
            assert kinds[kinds.index(2) :][:4] == [2, 1, 1, 0]


async def test_a_filter_that_fails_on_its_second_page_leaves_no_hit_counted_twice() -> None:
    async with opened_trace_of(*spans_with("needle")) as harness:
        harness.switches.faults.append(Fault(Answer(400), SEARCH, skip=3, times=1))
        text = await harness.call("search_trace", pattern="result", fields=FIELDS)
        assert text.startswith("400 matches in 400 values of 400 spans\n")
        assert not harness.requests(SEARCH)[-1].body.get("filters")


async def test_a_backend_that_begins_to_ignore_filters_between_pages_is_swept() -> None:
    async with opened_trace_of(*spans_with("needle")) as harness:
        await harness.call("search_trace", pattern="no such thing", fields=FIELDS)
        harness.switches.filters = "ignored"
        text = await harness.call("search_trace", pattern="needle", fields=FIELDS)
        assert text.startswith("3 matches in 3 values of 3 spans\n")
        assert not harness.requests(SEARCH)[-1].body.get("filters")


async def test_a_selection_that_breaks_off_goes_on_and_counts_each_hit_once() -> None:
    async with opened_trace_of(*spans_with("needle")) as harness:
        harness.switches.faults.append(Fault(CutAfter(lines=40), SEARCH, skip=2, times=2))
        text = await harness.call("search_trace", pattern="result", fields=FIELDS)
        assert text.startswith("400 matches in 400 values of 400 spans\n")
        assert all(each.body.get("filters") for each in harness.requests(SEARCH)[-3:])


async def test_a_selection_that_reached_the_limit_goes_on_when_asked() -> None:
    limits = tool_limits(search=SearchLimits(bytes=20_000))
    async with opened_trace_of(*spans_with("needle"), limits=limits) as harness:
        text = await harness.call("search_trace", pattern="result", fields=FIELDS)
        assert "[outputs of " in text
        while "not searched yet" in text:
            text = await harness.follow(text)
        assert text.startswith("400 matches in 400 values of 400 spans\n")


@pytest.mark.parametrize(
    ("pattern", "output"),
    [
        ('say "no"', {"text": 'They say "NO" to it'}),
        ("C:\\dir", {"text": "in C:\\dir"}),
        ("line\nnext", "a line\nnext"),
        ("MÜLLER", {"name": "Müller"}),
        ("10000000000", {"amount": 1e10}),
    ],
)
async def test_a_text_that_json_may_write_otherwise_is_swept(pattern: str, output: Any) -> None:
    assert not is_filterable(pattern)
    async with opened_trace_of(*spans_with("x", output=output)) as harness:
        text = await harness.call("search_trace", pattern=pattern, fields=FIELDS)
        assert "s350 output" in text
        assert not filters_sent(harness)
