import re
from collections.abc import Callable
from itertools import accumulate

from app.analysis.analyse_trace import analyse_trace
from app.analysis.text.views import (
    SpanFilter,
    format_critical_path,
    format_findings,
    format_profile,
    list_spans,
)
from app.analysis.trace_analysis import TraceAnalysis
from app.opik.records import ErrorInfo, Span
from app.token_estimate import estimate_tokens
from tests.analysis.timeline import draw, span, trace


def aliases() -> Callable[[str], str]:
    known: dict[str, str] = {}
    return lambda span_id: known.setdefault(span_id, f"s{len(known) + 1}")


def small() -> TraceAnalysis:
    return analyse_trace(
        trace(),
        draw(
            """
            root      |---------|
              plan     |--|
              fetch*      |----|
            """,
            plan={"type": "llm", "model": "m", "usage": {"total_tokens": 7}},
            fetch={"type": "tool"},
        ),
    )


def large() -> TraceAnalysis:
    broken = ErrorInfo(exception_type="E", message="m")
    return analyse_trace(
        trace(),
        [span("root", 0, 5_000)]
        + [
            span(f"x{i}", i, i + 1 + i % 50, parent_span_id="root", name=f"n{i}", error_info=broken)
            for i in range(900)
        ],
    )


def names(text: str) -> list[str]:
    return re.findall(r"^s\d+ (?:\* )?(\w+) \[", text, re.MULTILINE)


def test_the_list_can_be_filtered_by_every_field() -> None:
    analysis = small()
    assert names(list_spans(analysis, SpanFilter(name="PLA"), alias=aliases())) == ["plan"]
    assert names(list_spans(analysis, SpanFilter(type="llm"), alias=aliases())) == ["plan"]
    assert names(list_spans(analysis, SpanFilter(status="error"), alias=aliases())) == ["fetch"]
    assert names(list_spans(analysis, SpanFilter(min_duration_ms=5), alias=aliases())) == [
        "root",
        "fetch",
    ]
    below = list_spans(analysis, SpanFilter(analysis.tree.by_id["plan"]), alias=aliases())
    assert names(below) == ["plan"]


def test_the_list_can_be_sorted() -> None:
    analysis = small()
    assert names(list_spans(analysis, SpanFilter(), alias=aliases())) == ["root", "plan", "fetch"]
    assert names(list_spans(analysis, SpanFilter(), alias=aliases(), sort="duration")) == [
        "root",
        "fetch",
        "plan",
    ]
    assert names(list_spans(analysis, SpanFilter(), alias=aliases(), sort="own_time")) == [
        "fetch",
        "plan",
        "root",
    ]
    assert names(list_spans(analysis, SpanFilter(), alias=aliases(), sort="tokens"))[0] == "plan"


def test_following_the_offsets_shows_every_span_exactly_once() -> None:
    analysis, alias = large(), aliases()
    offset, shown = 0, list[str]()
    while True:
        text = list_spans(
            analysis, SpanFilter(name="n"), alias=alias, offset=offset, budget_tokens=700
        )
        assert estimate_tokens(text) <= 700
        shown += names(text)
        more = re.search(r'get_trace_data\(name="n", sort="start", offset=(\d+)\)', text)
        if more is None:
            break
        offset = int(more[1])
    assert shown == [f"n{i}" for i in range(900)]


def test_the_critical_path_is_listed_in_the_order_of_time() -> None:
    assert format_critical_path(small(), alias=aliases()).splitlines() == [
        "Critical path, 4 segments, 10.0 ms in total:",
        "at 0 µs: s1 root 1.0 ms (10 %)",
        "at 1.0 ms: s2 plan 3.0 ms (30 %)",
        "at 4.0 ms: s3 fetch 5.0 ms (50 %)",
        "at 9.0 ms: s1 root 1.0 ms (10 %)",
    ]


def test_small_segments_of_a_path_are_left_out_where_they_are_few_of_its_time() -> None:
    def steps(*lengths: float) -> list[Span]:
        ends = [*accumulate(lengths)]
        root = span("root", 0, ends[-1])
        starts = [0.0, *ends]
        pairs = enumerate(zip(starts, ends, strict=False))
        return [root, *(span(f"n{n}", *pair, parent_span_id="root") for n, pair in pairs)]

    text = format_critical_path(analyse_trace(trace(), steps(500, 2, 3, 400)), alias=aliases())
    lines = text.splitlines()
    assert lines[0] == (
        "Critical path, 4 segments, 905 ms in total, without 2 of less than 1% each (1 %):"
    )
    assert [line.split()[4] for line in lines[1:]] == ["n0", "n3"]
    even = format_critical_path(analyse_trace(trace(), steps(*[3] * 200)), alias=aliases())
    assert "without" not in even


def test_findings_say_category_group_confidence_and_spans() -> None:
    text = format_findings(small(), alias=aliases())
    assert text.startswith("1. error_survived (system_execution, 70% sure): ")
    assert text.endswith("Spans: s1.")


def test_a_view_without_findings_states_what_was_examined() -> None:
    analysis = analyse_trace(trace(), [span("a"), span("b", input="x")], bodies=["b"])
    assert "inputs and outputs of 1 of 2 spans" in format_findings(analysis, alias=aliases())


def test_every_view_stays_within_its_budget() -> None:
    analysis = large()
    for budget in (0, 30, 200, 900):
        for view in (format_findings, format_critical_path, format_profile):
            assert estimate_tokens(view(analysis, alias=aliases(), budget_tokens=budget)) <= budget


def test_a_view_that_was_cut_says_how_to_go_on() -> None:
    analysis = large()
    assert 'get_trace_data(view="profile", offset=' in format_profile(analysis, alias=aliases())
    path = format_critical_path(
        analysis, alias=aliases(), root=analysis.tree.roots[0], budget_tokens=300
    )
    assert 'get_trace_data(view="critical_path", root="s1", offset=' in path


def test_only_spans_that_are_shown_are_given_an_alias() -> None:
    given: list[str] = []

    def alias(span_id: str) -> str:
        given.append(span_id)
        return f"s{len(given)}"

    list_spans(large(), SpanFilter(), alias=alias, budget_tokens=300)
    assert len(given) < 40
