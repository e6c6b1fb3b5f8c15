"""Prompts that are no longer read from the provider's cache."""

from typing import Any

from app.analysis.analyse_trace import analyse_trace
from app.analysis.finding import Category, Finding
from app.opik.records import Span
from testkit.case_tables import each_case
from tests.analysis.timeline import span, trace

_RULES = "You are the desk of a travel agency. " + " ".join(
    f"Rule {i}: be kind." for i in range(199)
)
_CLOCK = "Current time: 2026-06-06 09:58:{:02}.\n"


def turns(cached: list[int | None], fronts: list[str], **more: Any) -> list[Span]:
    """A chat turn each second: a span that builds the prompt, and a call that sends it."""
    spans = [span("root", 0, len(cached) * 1_000)]
    for i, (tokens, front) in enumerate(zip(cached, fronts, strict=True)):
        start = i * 1_000
        usage = {"prompt_tokens": 1_880 + i, "completion_tokens": 9}
        if tokens is not None:
            usage["original_usage.prompt_tokens_details.cached_tokens"] = tokens
        messages = [
            {"role": "system", "content": front + _RULES},
            {"role": "user", "content": f"Question {i}?"},
        ]
        call = {"type": "llm", "model": "gpt-4o", "name": "chat", "usage": usage}
        spans += [
            span(f"turn{i}", start, start + 900, parent_span_id="root", name="turn"),
            span(
                f"build{i}",
                start,
                start + 2,
                parent_span_id=f"turn{i}",
                name="build_prompt",
                output={"output": front + _RULES},
            ),
            span(
                f"call{i}",
                start + 3,
                start + 890,
                parent_span_id=f"turn{i}",
                **(call | {"input": {"messages": messages}} | more),
            ),
        ]
    return spans


def lost(spans: list[Span], **more: Any) -> list[Finding]:
    analysis = analyse_trace(trace(), spans, **more)
    return [each for each in analysis.findings if each.category is Category.LOST_CACHE]


def test_a_time_at_the_front_of_the_prompt_loses_the_cache() -> None:
    fronts = [""] * 4 + [_CLOCK.format(i) for i in range(4)]
    (finding,) = lost(turns([None, 1_792, 1_792, 1_792, None, None, None, None], fronts))
    assert finding.spans[:2] == ("build4", "call4")
    assert "read 1,792 tokens of its prompt from the cache (median of 3 calls)" in finding.sentence
    assert "at most 0 in the last 4 calls" in finding.sentence
    assert "now has “Current time: 2026-06-06 09:58:00." in finding.sentence
    assert "where it had “You are the desk" in finding.sentence


def test_calls_that_lose_the_cache_with_an_equal_prompt_are_named_without_a_reason() -> None:
    (finding,) = lost(turns([1_792] * 3 + [0] * 3, [""] * 6))
    assert finding.spans[0] == "call3"
    assert "though the prompts begin alike" in finding.sentence


def test_without_bodies_the_counts_alone_tell_of_a_lost_cache() -> None:
    (finding,) = lost(turns([1_792] * 3 + [0] * 3, [""] * 6), bodies=[])
    assert finding.spans[0] == "call3"
    assert finding.confidence < 0.8


def written(fronts: list[str], **more: Any) -> list[Span]:
    """Turns whose calls write their whole prompt to the cache."""
    details = {"cache_creation_input_tokens": 1_800, "cache_read_input_tokens": 0}
    usage = {"input_tokens": 80, "output_tokens": 9} | details
    return turns([None] * len(fronts), fronts, usage=usage, **more)


def test_a_cache_that_every_call_writes_and_none_reads_is_found() -> None:
    (finding,) = lost(written([_CLOCK.format(i) for i in range(5)]))
    assert finding.spans[:2] == ("build1", "call1")
    assert "wrote 9,000 tokens to the prompt cache in 5 calls and read none" in finding.sentence
    assert "the second prompt has “09:58:01." in finding.sentence


@each_case(
    "why, spans",
    [
        ("the prompts begin alike", written([""] * 5)),
        ("three calls may be three conversations", written([_CLOCK.format(i) for i in range(3)])),
    ],
)
def test_a_written_cache_that_may_still_be_read_is_no_finding(why: str, spans: list[Span]) -> None:
    assert not lost(spans), why


def test_a_cache_that_no_call_reads_since_each_prompt_begins_with_a_time_is_found() -> None:
    (finding,) = lost(turns([0] * 5, [_CLOCK.format(i) for i in range(5)]))
    assert finding.spans[:2] == ("build1", "call1")
    assert "read none of the 9,410 tokens of its 5 prompts from the cache" in finding.sentence
    assert "they begin alike but for numbers and ids" in finding.sentence


@each_case(
    "why, cached, fronts",
    [
        ("the provider does not count", [None] * 5, [_CLOCK.format(i) for i in range(5)]),
        ("the prompts begin alike", [0] * 5, [""] * 5),
        ("other texts come first", [0] * 5, [f"{word}, please.\n" for word in "abcde"]),
        ("three calls may be three conversations", [0] * 3, [_CLOCK.format(i) for i in range(3)]),
    ],
)
def test_a_cache_that_could_not_serve_is_no_finding(
    why: str, cached: list[int | None], fronts: list[str]
) -> None:
    assert not lost(turns(cached, fronts)), why


@each_case(
    "why, cached",
    [
        ("the cache served again", [1_792, 1_792, 0, 0, 1_792, 1_792]),
        ("one miss may be an eviction", [1_792] * 5 + [0]),
        ("one hit is no habit", [0, 0, 0, 1_792, 0, 0]),
        ("two kinds of prompts take turns", [1_792, 0, 1_792, 0, 0, 1_792, 0, 0]),
        ("nothing was ever cached", [0] * 6),
        ("the first call fills the cache", [0] + [1_792] * 5),
        ("cached tokens were never recorded", [None] * 6),
    ],
)
def test_a_cache_that_was_not_lost_is_no_finding(why: str, cached: list[int | None]) -> None:
    assert not lost(turns(cached, [""] * len(cached))), why


def test_prompts_of_another_kind_have_lost_no_cache() -> None:
    spans = turns([1_792] * 3 + [0] * 3, [""] * 6)
    other = {"messages": [{"role": "system", "content": "Übersetze " + "das Wort Haus " * 200}]}
    spans = [
        each.model_copy(update={"input": other}) if each.id in ("call3", "call4", "call5") else each
        for each in spans
    ]
    assert not lost(spans)


def test_short_prompts_are_never_cached() -> None:
    usage = {"prompt_tokens": 900, "completion_tokens": 9}
    assert not lost(turns([1_792] * 3 + [0] * 3, [""] * 6, usage=usage))
