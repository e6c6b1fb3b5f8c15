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


def test_an_unfinished_span_and_the_root_are_chosen() -> None:
    assert {"root", "x700"} <= set(chosen(large(end_time=None)))


def test_the_choice_does_not_depend_on_the_order_of_arrival() -> None:
    assert chosen(large()) == chosen(large()[::-1])


def test_no_body_is_chosen_of_a_trace_without_spans() -> None:
    assert chosen([]) == ()
