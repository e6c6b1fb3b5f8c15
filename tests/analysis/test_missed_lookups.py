"""Caches that never serve, and caches that fill."""

from collections.abc import Callable, Sequence
from typing import Any

from app.analysis.analyse_trace import analyse_trace
from app.analysis.finding import Category, Finding
from app.opik.records import Span
from tests.analysis.timeline import span, trace

TEXTS = ("water damage", "bicycle theft", "late report")


def missed(spans: Sequence[Span]) -> list[Finding]:
    root = span("root", 0, 1_000, input={"claims": 3})
    findings = analyse_trace(trace(), [root, *spans]).findings
    return [finding for finding in findings if finding.category is Category.MISSED_LOOKUPS]


def lookups(
    texts: Sequence[str], key: Callable[[int, str], str], *, answer: Any = None, **more: Any
) -> list[Span]:
    """For each text a span with a lookup and, where it found nothing, the work."""
    spans = []
    for i, text in enumerate(texts):
        outer = {"parent_span_id": f"e{i}", "type": None}
        spans += [
            span(
                f"e{i}",
                100 * i,
                100 * i + 90,
                name="embedding_for",
                parent_span_id="root",
                input={"text": text, "at": i},
            ),
            span(
                f"g{i}",
                100 * i,
                100 * i + 1,
                **(
                    {"name": "cache_get", "input": {"key": key(i, text)}, "output": answer}
                    | outer
                    | more
                ),
            ),
            span(
                f"w{i}",
                100 * i + 2,
                100 * i + 80,
                **(
                    {"name": "embed", "input": {"text": text}, "output": {"dimensions": 3}}
                    | outer
                    | {"type": "tool"}
                ),
            ),
            span(
                f"s{i}",
                100 * i + 80,
                100 * i + 81,
                name="cache_set",
                input={"key": key(i, text)},
                output="OK",
                **outer,
            ),
        ]
    return spans


def timed_key(i: int, text: str) -> str:
    return f"emb:2026-06-04T14:17:{i:02}.103211+00:00:{text[:5]}"


def test_a_cache_whose_keys_hold_a_time_never_serves() -> None:
    (finding,) = missed(lookups(TEXTS * 3, timed_key))
    assert finding.spans[:4] == ("g0", "w0", "g3", "w3")
    assert "cache_get found nothing in all of its 9 calls" in finding.sentence
    assert "embed ran 9 times for 3 different inputs" in finding.sentence
    assert "differ in a time or a random id" in finding.sentence


def test_misses_are_read_from_flags_and_states_too() -> None:
    for answer in ({"hit": False}, {"cache_hit": False, "value": None}, {"status": "MISS"}):
        (finding,) = missed(lookups(TEXTS * 3, lambda _, text: text, answer=answer, name="lookup"))
        assert "the same key was looked up again" in finding.sentence


def test_a_cache_that_fills_or_serves_is_fine() -> None:
    def by_text(_: int, text: str) -> str:
        return text

    different = tuple(f"text about {word}" for word in "abcdefghi")
    assert missed(lookups(different, by_text)) == []
    served = lookups(TEXTS, by_text) + [
        span(
            f"h{i}",
            400 + i,
            401 + i,
            name="cache_get",
            parent_span_id="root",
            input={"key": text},
            output=[0.1, 0.2],
        )
        for i, text in enumerate(TEXTS)
    ]
    assert missed(served) == []
    assert missed(lookups(TEXTS[:1] * 3, timed_key)) == []


def test_writes_to_a_cache_that_return_nothing_are_no_misses() -> None:
    assert missed(lookups(TEXTS * 3, timed_key, name="cache_put")) == []


def test_work_that_a_cache_should_have_spared_is_not_reported_again() -> None:
    """Three workers look up and render the same four pages."""
    root = span("root", 0, 2_600)
    workers = [
        span(f"worker{i}", 800 * i, 800 * i + 790, parent_span_id="root", input={"worker": i})
        for i in range(3)
    ]
    work = []
    for i in range(3):
        for page in range(4):
            start = 800 * i + 190 * page
            given = {"page": f"harbour map {page}"}
            place: dict[str, Any] = {"parent_span_id": f"worker{i}", "type": "tool"}
            work += [
                span(f"get{i}{page}", start, start + 2, name="cache_get", input=given, **place),
                span(
                    f"page{i}{page}",
                    start + 3,
                    start + 180,
                    name="render_page",
                    input=given,
                    output={"html": f"<h1>harbour map {page}</h1>"},
                    **place,
                ),
            ]
    analysis = analyse_trace(trace(), [root, *workers, *work])
    found = [each.category for each in (*analysis.findings, *analysis.notes)]
    assert Category.MISSED_LOOKUPS in found
    assert Category.DUPLICATED_WORK not in found


def test_the_step_that_makes_keys_with_a_time_comes_first() -> None:
    spans = lookups(TEXTS * 3, timed_key)
    for i, text in enumerate(TEXTS * 3):
        made = {"input": {"text": text}, "output": {"key": timed_key(i, text)}}
        at = 100 * i - 0.5
        spans.append(span(f"k{i}", at, at + 0.2, name="make_key", parent_span_id=f"e{i}", **made))
    (finding,) = missed(spans)
    assert finding.spans[:3] == ("k0", "g0", "w0")
    assert "differ in a time or a random id; make_key returned them" in finding.sentence
