"""Traces whose author wants the service to work for ever: each takes time as any of its size."""

from typing import Any

from app.opik.records import Span
from app.tools.search_pattern import SearchPattern
from app.tools.search_scan import HitCounter, scan_bodies
from testkit.case_tables import each_case
from tests.tools.trace_harness import a_span, a_trace, opened_trace_of

SIZE = 2**17
"""A step that is quadratic takes minutes for so much."""


VALUES: dict[str, Any] = {
    "empty lines": "\n" * SIZE,
    "blanks": " \t" * (SIZE // 2),
    "opened lists": "[" * SIZE,
    "opened objects": '{"a":' * (SIZE // 5),
    "a text without an end": '{"a":"' + '\\"' * (SIZE // 2),
    "errors": "Error: " * (SIZE // 7),
    "nothing found": "no a b " * (SIZE // 7),
    "half tags": "<meta " * (SIZE // 6),
    "causes": "Caused by: \n" * (SIZE // 12),
    "a name of many parts": {"gen_ai." + ".".join(["a"] * (SIZE // 2)): "x"},
    "brackets and a long text": {"open": [[]] * 201, "long": "x" * SIZE},
}


@each_case("name", list(VALUES))
async def test_a_greedy_value_in_every_field_is_read_like_any_other(name: str) -> None:
    value = VALUES[name]
    text = value if isinstance(value, str) else "x"
    bodies = {"input": value, "output": value, "metadata": {"a": value}}
    error = {"exception_type": "E", "message": text, "traceback": text}
    spans = [
        a_span(1, **bodies),
        a_span(2, 1, type="llm", model="gpt-4.1", **bodies),
        a_span(3, 1, type="tool", error_info=error, **bodies),
    ]
    async with opened_trace_of(*spans, trace=a_trace(**bodies)) as opened:
        assert "s3" in await opened.call("get_span_details", span_id="s3", include_output=True)
        await opened.call("search_trace", pattern="abcd|(a*)*b")


@each_case(
    "pattern, found",
    [
        (r"(?s)a.*b|a", True),
        (r"a.*b|a", True),
        (r"(a|aa|aaa)+$", True),
        (r"(?s)(a.{0,900}b|a)", True),
        (r"b*", False),
        (r"(?s).*.*.*b", False),
        (r"((b?){30}){30}c", False),
    ],
)
def test_a_greedy_pattern_is_searched_in_bounded_time(pattern: str, found: bool) -> None:
    """Looking at the rest of the value again for every match would take minutes."""
    counter = HitCounter()
    span = Span(id="a", trace_id="t", input="a" * 2**22)
    scan_bodies(SearchPattern(pattern, regex=True), span, ["input"], counter)
    assert bool(counter.hits) == found
