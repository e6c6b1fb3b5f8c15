from datetime import timedelta
from itertools import pairwise

from app.analysis.analyse_trace import measure_trace
from app.analysis.body_selection import select_bodies
from app.opik.records import ErrorInfo, Span
from tests.analysis.timeline import span, trace


def large(count: int = 1_000, **odd: object) -> list[Span]:
    """A root with equal children one after another; the 700th is what `odd` makes it."""
    spans = [span("root", 0, count * 10)]
    for i in range(count):
        more = odd if i == 700 else {}
        times = (i * 10, i * 10 + 8)
        spans.append(span(f"x{i}", *times, **({"name": "step", "parent_span_id": "root"} | more)))
    return spans


def chosen(spans: list[Span], most: int = 200) -> tuple[str, ...]:
    return select_bodies(measure_trace(trace(), spans), most=most)


def test_every_body_of_a_small_trace_is_read() -> None:
    assert len(chosen(large(299))) == 300


def test_no_more_than_the_limit_are_chosen_of_a_large_trace() -> None:
    assert len(chosen(large())) <= 200
    assert len(set(chosen(large(), most=50))) <= 50


def test_a_failed_span_is_chosen_with_what_ran_just_before_it() -> None:
    picked = chosen(large(error_info=ErrorInfo(message="x")))
    assert {"x700", "x699", "x698"} <= set(picked)


def test_a_span_with_unusual_tokens_is_chosen_with_what_ran_just_before_it() -> None:
    picked = chosen(large(usage={"completion_tokens": 900}))
    assert {"x700", "x699"} <= set(picked)


def test_an_error_that_ended_the_trace_is_chosen_among_many_that_did_not() -> None:
    spans = large(name="write", error_info=ErrorInfo(message="full"))
    early = [
        each.model_copy(update={"error_info": ErrorInfo(message="slow")}) if 0 < i < 200 else each
        for i, each in enumerate(spans)
    ]
    failed_root = early[0].model_copy(update={"error_info": ErrorInfo(message="full")})
    inside = span(
        "inner", 7_001, 7_004, parent_span_id="x700", error_info=ErrorInfo(message="full")
    )
    assert {"inner", "x700"} <= set(chosen([failed_root, *early[1:], inside]))


def test_a_call_with_a_name_of_its_own_is_chosen() -> None:
    assert "x700" in chosen(large(name="send_invoice", type="tool"))


def test_the_rest_of_the_room_is_spread_over_the_whole_time() -> None:
    picked = [each for each in chosen(large()) if each != "root"]
    places = sorted(int(each[1:]) for each in picked)
    assert len(places) >= 190
    assert max(b - a for a, b in pairwise(places)) <= 20


def test_an_unfinished_span_and_the_root_are_chosen() -> None:
    assert {"root", "x700"} <= set(chosen(large(end_time=None)))


def test_the_choice_does_not_depend_on_the_order_of_arrival() -> None:
    assert chosen(large()) == chosen(large()[::-1])


def test_no_body_is_chosen_of_a_trace_without_spans() -> None:
    assert chosen([]) == ()


def test_a_few_tokens_more_are_seen_beside_durations_that_vary_much() -> None:
    spans = large(usage={"completion_tokens": 25}, name="step")
    varied = [
        each
        if each.id == "root"
        else each.model_copy(
            update={
                "usage": each.usage or {"completion_tokens": 22},
                "end_time": each.end_time and each.end_time - timedelta(microseconds=7 * i % 5_000),
            }
        )
        for i, each in enumerate(spans)
    ]
    assert "x700" in chosen(varied, most=40)


def test_the_end_of_the_longest_row_is_chosen() -> None:
    spans = [span("root", 0, 20_000)]
    for i in range(200):
        times = (i * 20, i * 20 + 15)
        spans.append(span(f"unit{i}", *times, name="unit", parent_span_id="root"))
        spans.append(span(f"ask{i}", *times, name="ask", parent_span_id=f"unit{i}"))
    for i in range(200):
        times = (2_000 + i / 100, 2_000 + (i + 1) / 100)
        spans.append(span(f"loop{i}", *times, name="ask", parent_span_id="unit100"))
    assert {f"loop{i}" for i in range(192, 200)} <= set(chosen(spans, most=150))
