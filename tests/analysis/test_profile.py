from typing import Any

import pytest

from app.analysis.analyse_trace import add_bodies, measure_trace
from app.analysis.profile import Profile, build_profile
from app.analysis.tree import build_tree
from app.opik.records import Span
from testkit.case_tables import each_case
from tests.analysis.timeline import draw, span, trace


def profile(spans: list[Span], **record: Any) -> Profile:
    return build_profile(trace(**record), build_tree(spans))


def usage(prompt: int, completion: int) -> dict[str, int]:
    return {"prompt_tokens": prompt, "completion_tokens": completion}


def test_own_time_leaves_out_what_children_cover_once() -> None:
    measured = profile(
        draw("""
            root    |---------|
              a      |---|
              b       |----|
        """)
    )
    assert measured.own_time == [4000, 4000, 5000]


def test_two_children_side_by_side_make_a_parallelism_of_two() -> None:
    measured = profile(
        draw("""
            root    |---|
              a     |---|
              b     |---|
        """)
    )
    assert measured.parallelism == 2.0


def test_idle_gaps_between_children_are_listed_longest_first() -> None:
    measured = profile(
        draw("""
            root    |-------------|
              a     |-|
              b        |-|
              c            |-|
        """)
    )
    assert [(gap.before.id, gap.after.id, gap.duration) for gap in measured.gaps] == [
        ("b", "c", 2000),
        ("a", "b", 1000),
    ]


def test_a_wait_beside_other_branches_is_idle_time_of_its_branch_at_most() -> None:
    waits_on_path = """
            root    |------------|
              a     |-----|
                a1  |----|
              b     |------------|
                b1  |-|
                b2         |-----|
    """
    (gap,) = profile(draw(waits_on_path)).gaps
    assert (gap.before.id, gap.after.id, gap.is_shared) == ("b1", "b2", True)
    waits_off_path = """
            root    |--------------|
              a     |--------------|
                a1  |--------------|
              b     |------------|
                b1  |-|
                b2         |-----|
    """
    assert not profile(draw(waits_off_path)).gaps


def test_a_wrapper_that_repeats_its_childrens_usage_is_not_counted_again() -> None:
    measured = profile(
        [
            span("agent", 0, 9, usage=usage(300, 30), total_estimated_cost=0.03),
            span(
                "a", 1, 4, parent_span_id="agent", usage=usage(100, 10), total_estimated_cost=0.01
            ),
            span(
                "b", 5, 8, parent_span_id="agent", usage=usage(200, 20), total_estimated_cost=0.02
            ),
        ]
    )
    assert (measured.spend.prompt, measured.spend.tokens) == (300, 330)
    assert measured.spend.cost == pytest.approx(0.03)


def test_an_integration_inside_an_integration_is_counted_once() -> None:
    measured = profile(
        [
            span("chain", 0, 9),
            span("outer", 1, 8, parent_span_id="chain", usage=usage(50, 5), model="m"),
            span("inner", 2, 7, parent_span_id="outer", usage=usage(50, 5), model="m"),
        ]
    )
    assert measured.spend.tokens == 55
    assert [group.spend.tokens for group in measured.by_model] == [55]


def test_a_parent_owns_what_exceeds_its_children() -> None:
    measured = profile(
        [
            span("outer", 0, 9, usage=usage(80, 5)),
            span("inner", 2, 7, parent_span_id="outer", usage=usage(50, 5)),
        ]
    )
    assert [own.prompt for own in measured.own_spend] == [30, 50]


def test_anthropic_names_for_tokens_are_understood() -> None:
    measured = profile([span("a", usage={"input_tokens": 7, "output_tokens": 3})])
    assert (measured.spend.prompt, measured.spend.completion, measured.spend.tokens) == (7, 3, 10)


def test_groups_by_name_count_failures_and_come_by_own_time() -> None:
    measured = profile(
        draw("""
            root      |-----------|
              slow     |-----|
              fast*           |-|
        """)
    )
    assert [(group.key, group.count, group.failed) for group in measured.by_name] == [
        ("slow", 1, 0),
        ("root", 1, 0),
        ("fast", 1, 1),
    ]


def test_time_to_first_token_is_kept_where_it_was_recorded() -> None:
    measured = profile([span("a", ttft=120.5), span("b")])
    assert measured.first_token == {"a": 120.5}


def test_a_trace_without_spans_has_a_profile_of_zeros() -> None:
    measured = profile([])
    assert (measured.duration, measured.parallelism, measured.path) == (0, 0.0, ())


def test_cached_and_reasoning_tokens_are_summed_up() -> None:
    spent = {"prompt_tokens": 900, "completion_tokens": 50}
    details = {"original_usage.prompt_tokens_details.cached_tokens": 800, "reasoning_tokens": 40}
    measured = profile([span("a", usage=spent | details), span("b", usage=usage(100, 10))])
    assert (measured.spend.prompt, measured.spend.cached, measured.spend.reasoning) == (
        1000,
        800,
        40,
    )


@each_case("cost", [-3.0, 1e9])
def test_a_cost_that_no_call_can_have_counts_as_none(cost: float) -> None:
    measured = profile([span("a", total_estimated_cost=cost), span("b", total_estimated_cost=0.1)])
    assert measured.spend.cost == 0.1


@each_case("off", [-7_200_000, 7_200_000])
def test_a_child_of_another_clock_does_not_lengthen_the_trace(off: float) -> None:
    measured = profile(
        [
            span("root", 0, 4_000),
            span("a", 0, 1_000, parent_span_id="root"),
            span("odd", off, off + 500, parent_span_id="root"),
            span("b", 2_000, 3_900, parent_span_id="root"),
        ]
    )
    assert measured.duration == 4_000_000
    assert measured.on_path["b"] == 1_900_000
    assert [gap.duration for gap in measured.gaps] == [1_000_000]


def test_a_root_of_another_clock_does_not_lengthen_a_trace_with_times_of_its_own() -> None:
    spans = [span("a", 0, 1_000), span("odd", 7_200_000, 7_200_500), span("b", 1_000, 4_000)]
    measured = profile(spans, end=4_000)
    assert measured.duration == 4_000_000
    assert measured.on_path == {"a": 1_000_000, "b": 3_000_000}


def test_an_error_in_the_metadata_counts_once_the_metadata_was_read() -> None:
    event = {"name": "exception", "attributes": {"exception.type": "ConnectionError"}}
    whole = span("a", metadata={"opentelemetry.events": [event], "usage": usage(7, 3)})
    measured = measure_trace(trace(), [span("a")])
    assert (measured.profile.by_name[0].failed, measured.profile.spend.tokens) == (0, 0)
    judged = add_bodies(measured, [whole])
    assert (judged.profile.by_name[0].failed, judged.profile.spend.tokens) == (1, 10)
