"""Data that steps lost without an error: rankings, pages, branches, dates."""

from typing import Any

from app.analysis.analyse_trace import analyse_trace
from app.analysis.finding import Finding
from app.opik.records import Span
from testkit.case_tables import each_case
from tests.analysis.timeline import span, trace

SCORES = (0.93, 0.7, 0.51, 0.3, 0.12)
NAMES = ("oak", "elm", "ash", "fir", "yew")


def found(
    spans: list[Span], says: str, answer: Any = "ok", question: str = "Which?"
) -> list[Finding]:
    analysis = analyse_trace(trace(input={"question": question}, output={"answer": answer}), spans)
    return [each for each in (*analysis.findings, *analysis.notes) if says in each.sentence]


def step(name: str, start: float, given: Any, returned: Any, kind: str = "general") -> Span:
    return span(name, start, start + 1, input=given, output=returned, type=kind)


def rank(key: str, scores: tuple[float, ...] = SCORES) -> list[dict[str, Any]]:
    return [{"tree": name, key: score} for name, score in zip(NAMES, scores, strict=True)]


@each_case(
    "key, standing",
    [("relevance", "finding"), ("score", "note")],
)
def test_a_ranking_that_kept_the_lowest_is_sure_where_high_is_best(key: str, standing: str) -> None:
    spans = [
        step("rate", 0, {"n": 5}, {"trees": rank(key)}),
        step("cut", 2, {"n": 3}, {"trees": rank(key)[:1:-1]}),
    ]
    (finding,) = found(spans, "cut kept the 3 lowest of 5 items of rate")
    assert finding.spans == ("cut", "rate")
    assert finding.standing == standing
    assert "0.12 to 0.51, the lowest first, and dropped those with 0.7 to 0.93" in finding.sentence


@each_case(
    "kept",
    [
        rank("relevance")[:3],
        rank("relevance")[2:],
        rank("relevance")[::-1],
        [{"tree": "yew", "relevance": 0.9}, {"tree": "fir", "relevance": 0.8}],
        [{"tree": "yew"}, {"tree": "fir"}],
        [{"tree": "pine", "relevance": 0.1}, {"tree": "fir", "relevance": 0.3}],
    ],
)
def test_other_choices_of_a_ranking_are_left_alone(kept: list[dict[str, Any]]) -> None:
    spans = [
        step("rate", 0, {"n": 5}, {"trees": rank("relevance")}),
        step("cut", 2, {"n": 3}, {"trees": kept}),
    ]
    assert not found(spans, "lowest of")


@each_case(
    "answer, page, standing",
    [
        ("There are 6.", {"has_more": True}, "finding"),
        ("There are 6.", {"total": 40, "nextPageToken": "b"}, "finding"),
        ({"done": 6, "all": 40}, {"total": 40, "next_cursor": "b"}, "finding"),
        ("These are 6 of 40.", {"total": 40, "next_cursor": "b"}, "note"),
        ("The first is an oak.", {"next_cursor": "b"}, "note"),
    ],
)
def test_a_first_page_is_too_little_where_all_were_counted(
    answer: Any, page: dict[str, Any], standing: str
) -> None:
    listed = step("list_trees", 0, {"park": "west"}, {"trees": list("abcdef")} | page, "tool")
    (finding,) = found([listed], "no call read the next page", answer)
    assert finding.standing == standing
    assert "6 items" in finding.sentence


def test_a_page_is_read_on_by_another_number_or_by_its_cursor() -> None:
    first = step("list_trees", 0, {"page": 1}, {"trees": list("abcdef"), "has_more": True}, "tool")
    linked = step("list_trees", 0, {}, {"trees": list("abcdef"), "next_url": "/p/2"}, "tool")
    second = span(
        "n", 2, 3, name="list_trees", input={"page": 2}, output={"trees": []}, type="tool"
    )
    other = step("get", 2, {"url": "https://trees.example/p/2"}, {"trees": []}, "tool")
    for spans in ([first, second], [linked, other]):
        assert not found(spans, "next page", "There are 6.")


@each_case(
    "date, question, says",
    [
        ("2026-05-08", "From 2026-08-05 on?", "day and month changed places"),
        ("2026-05-08", "Vom 05.08.2026 an?", "day and month changed places"),
        ("2026-08-05", "Vom 05.08.2026 an?", ""),
        ("2026-05-08", "From 05/08/2026 on?", ""),
        ("2026-05-08", "From 2026-08-05 or 2026-05-08 on?", ""),
        ("2026-08-06", "From 2026-08-05 on?", ""),
    ],
)
def test_a_date_is_mistaken_only_against_one_that_was_asked_for(
    date: str, question: str, says: str
) -> None:
    call = step("get_tours", 0, {"from": date}, {"tours": ["oak walk"]}, "tool")
    sentences = [each.sentence for each in found([call], "changed places", question=question)]
    assert bool(sentences) == bool(says)
    assert all(says in each for each in sentences)
