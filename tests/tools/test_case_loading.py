"""Case files of the evals are analysed on what the service would read of them."""

from typing import Any

from app.opik.records import Span
from evals.case_records import CaseRecords, analyse_records, parse_case
from standin.selection import TRUNCATED_CHARACTERS
from testkit.service import TRACE_ID
from tests.tools.trace_harness import a_span, a_trace, opened_trace_of

SPANS = 400  # more than the service reads all bodies of


def make_span(number: int) -> dict[str, Any]:
    """One of a few names below one root; every fifth with a long body, every fiftieth failed."""
    length = 3 * TRUNCATED_CHARACTERS if number % 5 == 0 else number % 90
    return a_span(
        number,
        1 if number > 1 else None,
        name=f"call {number % 7}",
        type="tool",
        input={"text": "x" * length, "number": number},
        output={"list": ["y" * 50] * (length // 50), "image": "data:image/png;base64,iVBORw0K"},
        metadata={"number": number},
        error_info={"exception_type": "E", "message": "m"} if number % 50 in (0, 1) else None,
    )


def read_body(span: Span) -> tuple[Any, Any, Any]:
    return span.input, span.output, span.metadata


async def test_the_same_bodies_are_read_and_cut_and_the_same_is_found() -> None:
    spans = [make_span(number) for number in range(1, SPANS + 1)]
    trace = a_trace(input={"text": "z" * 3 * TRUNCATED_CHARACTERS})
    async with opened_trace_of(*spans, trace=trace) as harness:
        served = harness.context.analysis
    mine = analyse_records(
        parse_case(CaseRecords(trace, spans, category="", right=frozenset(), healthy=False))
    )
    assert mine.trace.id == TRACE_ID
    assert mine.bodies == served.bodies
    assert 0 < len(mine.bodies) < SPANS
    different = [
        node.id
        for node in mine.tree.nodes
        if read_body(node.span) != read_body(served.tree.by_id[node.id].span)
    ]
    assert different == []
    assert any(isinstance(node.span.input, str) for node in mine.tree.nodes)
    assert mine.findings == served.findings
    assert mine.notes == served.notes
    assert served.findings or served.notes
    assert served.trace.input == trace["input"]
