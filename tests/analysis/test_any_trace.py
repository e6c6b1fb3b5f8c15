"""Whatever spans a trace has, its examination comes to an end and its texts hold their bounds."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.analysis.analyse_trace import add_bodies, measure_trace
from app.analysis.body_selection import select_bodies
from app.analysis.text.columns import describe_column, describe_table
from app.analysis.text.messages_and_reply import format_messages_and_reply
from app.analysis.text.outline import build_outline
from app.analysis.text.span_values import show_value
from app.analysis.text.trace_diff import ComparedSide, format_difference
from app.analysis.text.value_trail import (
    describe_path_trail,
    describe_value_trail,
    find_path,
    find_value,
    list_places,
)
from app.analysis.text.views import (
    SpanFilter,
    format_critical_path,
    format_findings,
    format_profile,
    list_spans,
)
from app.analysis.trace_analysis import TraceAnalysis
from app.opik.records import Span, Trace
from app.token_estimate import estimate_tokens

_IDS = st.sampled_from(["a", "b", "c", "d", "e", "", "trace", "s1"])
_TEXTS = st.text(max_size=12) | st.sampled_from(
    ["\ud800", "\x00", "\u202e", "a\nb", "x" * 9_000, "{name}", "[s1]", "⟦span:x⟧"]
)
_FAR = timedelta(days=300_000)
_TIMES = st.none() | st.timedeltas(-_FAR, _FAR).map(
    lambda shift: datetime(2000, 1, 1, tzinfo=UTC) + shift
)
_NUMBERS = st.none() | st.floats() | st.sampled_from([10**400, -(10**400), 0, 1, 250])
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXTS, inner, max_size=4),
    max_leaves=12,
)
_ERRORS = st.none() | st.fixed_dictionaries(
    {
        "exception_type": st.none() | _TEXTS,
        "message": st.none() | _TEXTS,
        "traceback": st.none() | _TEXTS,
    }
)
_COMMON = {
    "name": st.none() | _TEXTS,
    "start_time": _TIMES,
    "end_time": _TIMES,
    "input": _JSON,
    "output": _JSON,
    "metadata": _JSON,
    "tags": st.lists(_TEXTS, max_size=3),
    "error_info": _ERRORS,
    "usage": st.dictionaries(_TEXTS | st.sampled_from(["prompt_tokens", "total_tokens"]), _NUMBERS),
    "total_estimated_cost": _NUMBERS,
    "duration": _NUMBERS,
    "ttft": _NUMBERS,
}
SPANS = st.fixed_dictionaries(
    {
        "id": _IDS,
        "trace_id": st.just("t"),
        "parent_span_id": st.none() | _IDS,
        "type": st.none() | st.sampled_from(["llm", "tool", "general", "guardrail"]) | _TEXTS,
        "model": st.none() | _TEXTS,
        "provider": st.none() | _TEXTS,
        **_COMMON,
    }
).map(Span.model_validate)
TRACES = st.fixed_dictionaries(
    {"id": st.just("t"), "span_count": st.none() | st.integers(0, 10**9), **_COMMON}
).map(Trace.model_validate)


def _examined(trace: Trace, spans: list[Span]) -> TraceAnalysis:
    measured = measure_trace(trace, spans)
    read = select_bodies(measured)
    return add_bodies(measured, (span for span in spans if span.id in read))


def _alias(names: dict[str, str]) -> Any:
    return lambda span_id: names.setdefault(span_id, f"s{len(names) + 1}")


@pytest.mark.slow
@settings(max_examples=200)
@given(TRACES, st.lists(SPANS, max_size=12), st.integers(60, 3_000))
def test_any_spans_have_an_outline_within_its_bound(
    trace: Trace, spans: list[Span], budget: int
) -> None:
    analysis = _examined(trace, spans)
    names: dict[str, str] = {}
    text = build_outline(analysis, alias=_alias(names), budget_tokens=budget)
    assert estimate_tokens(text) <= budget
    assert names.keys() <= analysis.tree.by_id.keys()
    assert text == build_outline(analysis, alias=_alias({}), budget_tokens=budget)
    assert not set(text) & {"\x00", "\u202e", "\ud800"}


@pytest.mark.slow
@settings(max_examples=200)
@given(TRACES, st.lists(SPANS, max_size=12))
def test_each_span_stands_in_the_tree_once_and_no_time_is_counted_twice(
    trace: Trace, spans: list[Span]
) -> None:
    analysis = _examined(trace, spans)
    nodes = list(analysis.tree.by_id.values())
    assert {node.id for node in nodes} == {span.id for span in spans}
    assert sum(root.size for root in analysis.tree.roots) == len(nodes)
    assert all(own >= 0 for own in analysis.profile.own_time)
    for finding in analysis.findings:
        assert set(finding.spans) <= analysis.tree.by_id.keys()


@pytest.mark.slow
@settings(max_examples=200)
@given(TRACES, st.lists(SPANS, min_size=1, max_size=8), st.data())
def test_every_view_of_any_trace_is_a_text(
    trace: Trace, spans: list[Span], data: st.DataObject
) -> None:
    analysis = _examined(trace, spans)
    alias = _alias({})
    ids = st.sampled_from(sorted(analysis.tree.by_id))
    one, other = (analysis.tree.by_id[data.draw(ids)] for _ in range(2))
    for text in (
        format_findings(analysis, alias=alias, budget_tokens=500),
        format_profile(analysis, alias=alias, budget_tokens=500),
        format_critical_path(analysis, alias=alias, budget_tokens=500),
        list_spans(analysis, SpanFilter(), alias=alias, budget_tokens=500),
        format_difference(
            ComparedSide(analysis, one),
            ComparedSide(analysis, other),
            alias=alias,
            budget_tokens=500,
        ),
    ):
        assert text
        assert estimate_tokens(text) <= 500


@settings(max_examples=30)
@given(TRACES, st.lists(SPANS, min_size=1, max_size=8), st.data())
def test_values_of_any_spans_are_shown_on_bounded_lines(
    trace: Trace, spans: list[Span], data: st.DataObject
) -> None:
    analysis = _examined(trace, spans)
    alias = _alias({})
    rows = [(node, node.view) for node in analysis.tree.nodes]
    places = list_places(trace, rows, zero=0, alias=alias)
    keys = [step for _, view in rows for leaf in view.input.leaves for step in leaf.path]
    steps = (data.draw(st.sampled_from(["input", "model", "error", *keys])),)
    values = [leaf.value for place in places for leaf in place.body.leaves]
    text = show_value(data.draw(st.sampled_from(["x", *values])))
    shown = [
        describe_column(rows, steps, alias=alias),
        describe_column(rows, steps, alias=alias, not_equal=text),
        describe_table(rows, [], zero=0, alias=alias),
        describe_path_trail(places, find_path(places, steps), steps),
        describe_value_trail(places, find_value(places, text), text),
        *(
            ("", [partial(str, line) for line in format_messages_and_reply(view, 500)])
            for _, view in rows
        ),
    ]
    for title, lines in shown:
        for line in (title, *(line() for line in lines)):
            assert len(line) < 3_000
            assert not set(line) & {"\n", "\x00", "\u202e", "\ud800"}


_PYTHON_TEXTS = (
    "{'tags': {'a', 'b'}, 'n': 3}",
    "{'p': ([1], 2), 'q': 'text here'}",
    "{('a', 'b'): 1, ('c', 'd'): 2}",
    "{1: 'a', 'b': 2, None: {True: 'c'}}",
    "{'raw': b'x', 'z': 1j, 'more': ...}",
)
_DEEP_FORMAT = '{"response_format": ' + '{"a": ' * 450 + "1" + "}" * 451


@pytest.mark.parametrize("text", [*_PYTHON_TEXTS, _DEEP_FORMAT])
@pytest.mark.parametrize("type", ["llm", "tool"])
def test_texts_of_python_values_and_deep_json_are_read_like_other_bodies(
    text: str, type: str
) -> None:
    call = {"name": "look", "arguments": text}
    reply = {"role": "assistant", "content": text, "tool_calls": [{"function": call}]}
    bodies: tuple[tuple[Any, Any], ...] = ((text, text), ({"input": text}, reply))
    shared = {"trace_id": "t", "type": type, "name": "look", "start_time": "2026-01-01T00:00:00Z"}
    spans = [
        Span.model_validate({"id": f"s{n}", "input": given, "output": result, **shared})
        for n, (given, result) in enumerate(bodies * 3)
    ]
    analysis = _examined(Trace.model_validate({"id": "t"}), spans)
    assert build_outline(analysis, alias=_alias({}), budget_tokens=3_000)
    for node in analysis.tree.nodes:
        assert format_messages_and_reply(node.view, 500)
