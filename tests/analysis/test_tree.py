import gc
from collections.abc import Sequence
from weakref import ref

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.analysis.tree import TreeWarning, build_tree
from app.opik.records import Span
from tests.analysis.timeline import at, draw, span


def shape(spans: Sequence[Span]) -> list[tuple[int, str]]:
    return [(node.depth, node.id) for node in build_tree(spans).nodes]


def test_children_follow_their_parent_in_the_order_they_started() -> None:
    spans = draw("""
        root   |---------|
          b         |--|
          a     |--|
            x    ||
    """)
    assert shape(spans[::-1]) == [(0, "root"), (1, "a"), (2, "x"), (1, "b")]


def test_a_span_whose_parent_never_arrived_is_a_root_and_named_an_orphan() -> None:
    tree = build_tree([span("a"), span("lost", parent_span_id="gone")])
    assert [node.id for node in tree.roots] == ["a", "lost"]
    assert tree.ids_by_warning == {TreeWarning.ORPHAN: ("lost",)}


def test_a_cycle_of_parents_is_opened_at_its_earliest_span() -> None:
    tree = build_tree(
        [
            span("late", 5, 9, parent_span_id="early"),
            span("early", 1, 9, parent_span_id="middle"),
            span("middle", 3, 9, parent_span_id="late"),
            span("leaf", 6, 7, parent_span_id="middle"),
        ]
    )
    assert [(node.depth, node.id) for node in tree.nodes] == [
        (0, "early"),
        (1, "late"),
        (2, "middle"),
        (3, "leaf"),
    ]
    assert tree.ids_by_warning[TreeWarning.CYCLE] == ("early",)


def test_a_span_that_is_its_own_parent_is_a_root() -> None:
    tree = build_tree([span("me", parent_span_id="me")])
    assert [node.id for node in tree.roots] == ["me"]
    assert TreeWarning.CYCLE in tree.ids_by_warning


def test_of_two_records_with_one_id_the_finished_newer_one_counts() -> None:
    tree = build_tree(
        [
            span("a", 0, None, type="general", last_updated_at=at(9)),
            span("a", 0, 4, type="llm", last_updated_at=at(5)),
            span("a", 0, 3, type="tool", last_updated_at=at(4)),
        ]
    )
    assert [node.span.type for node in tree.nodes] == ["llm"]
    assert tree.ids_by_warning == {TreeWarning.DUPLICATE: ("a",)}


def test_an_unfinished_span_lasts_as_long_as_anything_below_it() -> None:
    tree = build_tree(
        draw("""
            root   |-------
              a     |---
                b      |--|
        """)
    )
    assert [node.duration for node in tree.nodes] == [7000, 6000, 3000]
    assert tree.ids_by_warning == {TreeWarning.UNFINISHED: ("root", "a")}


def test_a_span_that_ends_before_it_starts_has_no_duration_and_is_named() -> None:
    tree = build_tree([span("a", 5, 2)])
    assert tree.nodes[0].duration == 0
    assert tree.ids_by_warning == {TreeWarning.NEGATIVE: ("a",)}


def test_children_outside_their_parent_are_marked_early_or_late() -> None:
    tree = build_tree(
        draw("""
            root        |-----|
              early  |------|
              late          |-----|
        """)
    )
    assert tree.ids_by_warning == {TreeWarning.EARLY: ("early",), TreeWarning.LATE: ("late",)}


def test_a_duration_stands_in_for_a_missing_end() -> None:
    tree = build_tree([span("a", 0, None, duration=2.5)])
    assert tree.nodes[0].duration == 2500
    assert tree.ids_by_warning == {}


def test_spans_without_any_times_are_still_in_the_tree() -> None:
    tree = build_tree([span("a", start_time=None, end_time=None), span("b", parent_span_id="a")])
    assert [node.id for node in tree.nodes] == ["a", "b"]
    assert tree.ids_by_warning == {TreeWarning.UNTIMED: ("a",)}


def test_times_with_and_without_a_zone_can_be_mixed() -> None:
    naive = at(3).replace(tzinfo=None)
    tree = build_tree([span("a", 0, 4), span("b", start_time=naive, parent_span_id="a")])
    assert tree.by_id["b"].start - tree.by_id["a"].start == 3000


def test_no_spans_make_an_empty_tree() -> None:
    tree = build_tree([])
    assert (tree.nodes, tree.roots, tree.start, tree.end) == ((), (), 0, 0)


@pytest.mark.parametrize("count", [20_000])
def test_a_chain_of_twenty_thousand_spans_does_not_exhaust_the_stack(count: int) -> None:
    tree = build_tree(
        [span(str(i), 0, 9, parent_span_id=str(i - 1) if i else None) for i in range(count)]
    )
    assert tree.nodes[-1].depth == count - 1
    assert tree.nodes[0].size == count


names = st.sampled_from("abcdefgh")
times = st.integers(-20, 20)
any_spans = st.lists(
    st.builds(
        lambda i, p, s, e: span(i, s, e, parent_span_id=p),
        names,
        st.none() | names | st.just("gone"),
        times,
        st.none() | times,
    ),
    max_size=12,
)


@given(any_spans)
def test_every_id_has_exactly_one_place_below_its_parent(spans: list[Span]) -> None:
    tree = build_tree(spans)
    assert sorted(tree.by_id) == sorted({item.id for item in spans})
    assert len(tree.nodes) == len(tree.by_id)
    for index, node in enumerate(tree.nodes):
        assert node.index == index
        assert [other.id for other in tree.below(node)] == [
            other.id for other in tree.nodes if node in other.path()
        ]
        assert node.start <= node.end
        assert node.parent is None or node in node.parent.children


@given(any_spans, st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(spans: list[Span], random: object) -> None:
    distinct = list({item.id: item for item in spans}.values())
    shuffled = list(distinct)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert shape(distinct) == shape(shuffled)


def test_the_name_of_a_function_is_known_after_its_view_was_dropped() -> None:
    named = span("ai.toolCall", metadata={"toolName": "search"})
    node = build_tree([span("ai.toolCall")]).nodes[0]
    assert node.function_name == "ai.toolCall"
    node.add_bodies(named)
    assert node.function_name == "search"
    node.drop_view()
    assert node.function_name == "search"
    assert vars(node.view) == {"span": named}


def test_a_tree_and_its_views_are_freed_without_a_garbage_collection() -> None:
    spans = [span("a", output={"rows": [1]}, type="tool"), span("b", input={"x": 1}, output=[2])]
    gc.disable()
    try:
        tree = build_tree(spans)
        views = [ref(node.view) for node in tree.nodes]
        bodies = [ref(node.view.output.result) for node in tree.nodes]
        del tree
        assert [each() for each in (*views, *bodies)] == [None] * 4
    finally:
        gc.enable()
