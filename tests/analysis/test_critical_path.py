from hypothesis import given
from hypothesis import strategies as st

from app.analysis.critical_path import find_critical_path, sum_time_on_path
from app.analysis.tree import build_tree
from app.opik.records import Span
from tests.analysis.timeline import draw, span


def path(picture: str) -> list[tuple[str | None, int]]:
    """The path's segments: whose, and how many milliseconds."""
    return [
        (segment.node.id if segment.node else None, segment.duration // 1000)
        for segment in find_critical_path(build_tree(draw(picture)))
    ]


def test_a_single_span_is_its_own_path() -> None:
    assert path("root |-----|") == [("root", 6)]


def test_the_path_leads_through_the_child_that_finished_last() -> None:
    assert path("""
        root     |--------|
          fast    |--|
          slow    |-----|
    """) == [("root", 1), ("slow", 6), ("root", 2)]


def test_siblings_back_to_back_are_both_on_the_path() -> None:
    assert path("""
        root  |------|
          a   |--|
          b      |---|
    """) == [("a", 3), ("b", 4)]


def test_a_sibling_that_overlaps_the_last_finisher_is_not_waited_for() -> None:
    assert path("""
        root  |--------|
          a   |----|
          b      |-----|
    """) == [("root", 3), ("b", 6)]


def test_time_between_siblings_belongs_to_the_parent() -> None:
    assert path("""
        root    |---------|
          a      |--|
          b           |--|
    """) == [("root", 1), ("a", 3), ("root", 2), ("b", 3), ("root", 1)]


def test_the_path_goes_down_to_the_grandchildren() -> None:
    assert path("""
        root    |--------|
          a      |------|
            x     |-|
            y        |-|
    """) == [("root", 1), ("a", 1), ("x", 2), ("a", 1), ("y", 2), ("a", 1), ("root", 1)]


def test_a_child_that_runs_on_after_its_parent_counts_up_to_the_parents_end() -> None:
    assert path("""
        root    |-----|
          late     |------|
    """) == [("root", 3), ("late", 3)]


def test_a_child_that_started_before_its_parent_counts_from_the_parents_start() -> None:
    assert path("""
        root        |-----|
          early   |-----|
    """) == [("early", 4), ("root", 2)]


def test_a_child_wholly_outside_its_parent_is_not_on_the_path() -> None:
    assert path("""
        root    |---|
          after       |---|
    """) == [("root", 4)]


def test_time_between_several_roots_belongs_to_no_span() -> None:
    assert path("""
        one    |---|
        two          |---|
    """) == [("one", 4), (None, 2), ("two", 4)]


def test_spans_without_length_take_no_part() -> None:
    spans = [span("root", 0, 5), span("blink", 3, 3, parent_span_id="root")]
    assert sum_time_on_path(find_critical_path(build_tree(spans))) == {"root": 5000}


def test_the_path_of_a_subtree_ends_with_it() -> None:
    tree = build_tree(
        draw("""
            root    |--------|
              a      |---|
                x     |-|
        """)
    )
    assert sum_time_on_path(find_critical_path(tree, tree.by_id["a"])) == {"a": 2000, "x": 2000}


def test_a_chain_of_five_thousand_spans_is_walked_without_recursion() -> None:
    count = 5_000
    spans = [
        span(f"n{i}", i, count * 2 - i, parent_span_id=f"n{i - 1}" if i else None)
        for i in range(count)
    ]
    times = sum_time_on_path(find_critical_path(build_tree(spans)))
    assert len(times) == count
    assert sum(times.values()) == count * 2 * 1000


moments = st.integers(0, 30)
trees = st.lists(st.tuples(st.integers(0, 11), moments, moments), min_size=1, max_size=12).map(
    lambda rows: [
        span(str(i), min(a, b), max(a, b), parent_span_id=str(p) if p < i else None)
        for i, (p, a, b) in enumerate(rows)
    ]
)


@given(trees)
def test_segments_touch_and_add_up_to_the_whole_duration(spans: list[Span]) -> None:
    tree = build_tree(spans)
    segments = find_critical_path(tree)
    moment = tree.roots[0].start if len(tree.roots) == 1 else tree.start
    for segment in segments:
        assert segment.start == moment
        assert segment.end > segment.start
        if segment.node is not None:
            assert segment.node.start <= segment.start <= segment.end <= segment.node.end
        moment = segment.end
    assert moment == (tree.roots[0].end if len(tree.roots) == 1 else tree.end)


def test_a_branch_that_runs_on_after_the_end_is_not_waited_for() -> None:
    steps = path("""
        root      |----------|
          answer   |-------|
          archive  |--------------|
    """)
    assert ("answer", 8) in steps
    assert "archive" not in dict(steps)
