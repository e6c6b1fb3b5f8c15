"""Which pages to ask for: every wanted span lies on one, and there are few."""

from hypothesis import given
from hypothesis import strategies as st

from app.tools.trace.bodies import GAP, LONGEST, PageRequest, plan_pages


def served(ids: set[str], run: PageRequest) -> list[str]:
    """What a backend answers: ids older than the cursor, newest first."""
    older = sorted((each for each in ids if not run.cursor or each < run.cursor), reverse=True)
    return older[: run.limit]


@st.composite
def traces(draw: st.DrawFn) -> tuple[set[str], list[str]]:
    ids = draw(st.sets(st.uuids().map(str), max_size=300))
    wanted = draw(st.lists(st.sampled_from(sorted(ids)), unique=True)) if ids else []
    return ids, wanted


@given(traces())
def test_every_wanted_span_lies_on_exactly_one_page(case: tuple[set[str], list[str]]) -> None:
    ids, wanted = case
    runs = plan_pages(ids, wanted)
    pages = [served(ids, run) for run in runs]
    assert all(len(page) == run.limit for page, run in zip(pages, runs, strict=True))
    assert sorted(each for page in pages for each in page if each in wanted) == sorted(wanted)


@given(traces())
def test_pages_are_bounded_and_begin_and_end_with_a_wanted_span(
    case: tuple[set[str], list[str]],
) -> None:
    ids, wanted = case
    for run in plan_pages(ids, wanted):
        page = served(ids, run)
        assert run.limit <= LONGEST
        assert page[0] in wanted
        assert page[-1] in wanted
        assert run.limit <= 1 + GAP * (sum(each in wanted for each in page) - 1)


def test_the_page_with_the_most_important_span_comes_first() -> None:
    ids = [f"{n:03d}" for n in range(200)]
    runs = plan_pages(ids, ["100", "003", "199", "101"])
    assert [served(set(ids), run) for run in runs] == [["101", "100"], ["003"], ["199"]]
    assert runs[2].cursor == ""


def test_a_wider_gap_joins_pages() -> None:
    ids = [f"{n:03d}" for n in range(100)]
    wanted = ["010", "040", "090"]
    assert [run.limit for run in plan_pages(ids, wanted)] == [1, 1, 1]
    assert [run.limit for run in plan_pages(ids, wanted, gap=30)] == [31, 1]


def test_neighbours_share_a_page_up_to_its_length() -> None:
    ids = [f"{n:03d}" for n in range(250)]
    assert [run.limit for run in plan_pages(ids, ids)] == [50, 100, 100]
    assert [run.limit for run in plan_pages(ids, ids, longest=300)] == [250]
    assert plan_pages(ids, []) == []
