"""Prompts that grow, and calls that cost more than others of their kind."""

from collections.abc import Sequence
from typing import Any

from app.analysis.analyse_trace import analyse_trace
from app.analysis.finding import Category, Finding
from app.opik.records import Span
from testkit.case_tables import each_case
from tests.analysis.timeline import span, trace


def judged(spans: Sequence[Span], category: Category) -> tuple[list[Finding], list[Finding]]:
    """Findings and notes of one category."""
    analysis = analyse_trace(trace(), spans)
    return (
        [each for each in analysis.findings if each.category is category],
        [each for each in analysis.notes if each.category is category],
    )


def turns(prompts: Sequence[int], **more: Any) -> list[Span]:
    """A lookup and a model call for each turn; `more` are fields of the calls."""
    spans = [span("root", 0, len(prompts) * 100)]
    for i, tokens in enumerate(prompts):
        usage = {"prompt_tokens": tokens, "completion_tokens": 20}
        added = max(0, tokens - prompts[i - 1]) if i else 0
        messages = [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "Find me a flight."},
            {"role": "tool", "content": f"list {i}"},
        ]
        call = {"type": "llm", "name": "think", "usage": usage, "input": {"messages": messages}}
        call |= {"parent_span_id": "root", "output": f"reply {i}"}
        fields = {key: value(i) if callable(value) else value for key, value in more.items()}
        lookup = {"type": "tool", "name": "list_flights", "parent_span_id": "root"}
        spans += [
            span(
                f"lookup{i}",
                i * 100,
                i * 100 + 9,
                **lookup,
                input={"day": i},
                output={"flights": [f"{i} " + "KT311 17:05 " * (added // 3)]},
            ),
            span(f"call{i}", i * 100 + 10, i * 100 + 90, **(call | fields)),
        ]
    return spans


def test_steady_growth_names_the_last_call_and_the_step_whose_results_are_added() -> None:
    (finding,), _ = judged(turns(range(1_000, 15_000, 1_000)), Category.PROMPT_GROWTH)
    assert (finding.spans[:3], finding.spans[-1]) == (("call13", "lookup13", "call0"), "root")
    assert "from 1,000 to 14,000 tokens (14 times)" in finding.sentence
    assert "list_flights returned about as much as was added" in finding.sentence
    assert "right before 12 of the turns" in finding.sentence


def test_growth_says_which_messages_are_sent_again() -> None:
    def history(turn: int) -> dict[str, Any]:
        lists = [{"role": "tool", "content": f"gates {i}: " + "B7 " * 100} for i in range(turn)]
        return {"messages": [{"role": "user", "content": "Which gate?"}, *lists]}

    (finding,), _ = judged(
        turns(range(1_000, 15_000, 1_000), input=history), Category.PROMPT_GROWTH
    )
    assert "turn 14 sends 13 messages of the one before again" in finding.sentence
    assert "in 12 of the role tool with 309 characters on average" in finding.sentence


def test_one_large_result_that_is_sent_again_is_named_with_the_call_after_it() -> None:
    prompts = [1_000, 1_050, 9_800, 9_850, 9_900, 9_950, 10_000, 10_050]
    (finding,), _ = judged(turns(prompts), Category.PROMPT_GROWTH)
    assert finding.spans[:2] == ("call2", "lookup2")
    assert "most of it (8,750) at once; list_flights returned about" in finding.sentence
    assert "as much as was added right before it" in finding.sentence


def test_a_conversation_that_several_agents_continue_grows_as_one() -> None:
    spans = turns(range(1_000, 9_000, 1_000), name=lambda i: ["planner", "writer", "critic"][i % 3])
    (finding,), _ = judged(spans, Category.PROMPT_GROWTH)
    assert finding.spans[0] == "call7"
    assert "planner and 2 more of one conversation" in finding.sentence


def test_turns_that_number_their_names_are_one_series() -> None:
    spans = turns(range(1_000, 9_000, 1_000), name=lambda i: f"step {i}", input=None)
    (finding,), _ = judged(spans, Category.PROMPT_GROWTH)
    assert finding.spans[0] == "call7"


def cached(share: float) -> Any:
    def usage(i: int) -> dict[str, float]:
        prompt = 1_000.0 * (i + 1)
        return {"prompt_tokens": prompt, "completion_tokens": 20, "cached_tokens": prompt * share}

    return usage


@each_case(
    "why, spans",
    [
        ("four turns may need all that they read", turns([1_000, 2_000, 3_000, 5_600])),
        ("an agent reads files", turns([1_000, 2_000, 3_000, 4_000, 5_000, 6_000])),
        ("one document is read early", turns([900, 9_000, 9_100, 9_200, 9_300])),
        ("what was read once at the end may be needed", turns([900, 950, 980, 1_000, 9_000])),
        (
            "a cache pays for what is sent again",
            turns(range(1_000, 9_000, 1_000), usage=cached(0.8)),
        ),
    ],
)
def test_growth_that_a_healthy_task_shows_as_well_is_a_note(why: str, spans: list[Span]) -> None:
    findings, notes = judged(spans, Category.PROMPT_GROWTH)
    assert not findings, why
    assert notes, why


@each_case(
    "why, prompts",
    [
        ("a chat adds little", [1_000, 1_100, 1_250, 1_400, 1_600]),
        ("three prompts grow by chance", [1_000, 4_000, 9_000]),
        ("the history is cut again and again", [1_000, 5_000, 900, 4_000, 1_000, 5_500]),
    ],
)
def test_ordinary_prompts_are_not_even_a_note(why: str, prompts: list[int]) -> None:
    assert judged(turns(prompts), Category.PROMPT_GROWTH) == ([], []), why


def batch(models: Sequence[str], costs: Sequence[float], **more: Any) -> list[Span]:
    """One call for each document, each under a span of its own."""
    spans = [span("root", 0, len(models) * 10)]
    for i, (model, cost) in enumerate(zip(models, costs, strict=True)):
        start = i * 10
        content = f"Extract the fields of this invoice as JSON. Invoice {i} of firm {chr(97 + i)}"
        call: dict[str, Any] = {
            "type": "llm",
            "name": "chat",
            "model": model,
            "usage": {"prompt_tokens": 90, "completion_tokens": 60},
            "total_estimated_cost": cost,
            "input": {"messages": [{"role": "user", "content": content}]},
            "output": f"fields {i}",
            "parent_span_id": f"extract{i}",
        }
        fields = {key: value(i) if callable(value) else value for key, value in more.items()}
        spans += [
            span(f"extract{i}", start, start + 9, name="extract", parent_span_id="root"),
            span(f"call{i}", start + 1, start + 8, **(call | fields)),
        ]
    return spans


_MINI, _DEAR = ["gpt-4o-mini"] * 6 + ["o1-pro"], [0.00005] * 6 + [0.058]


def test_one_call_by_a_dearer_model_is_named_with_its_share_of_the_cost() -> None:
    (finding,), _ = judged(batch(_MINI, _DEAR), Category.COSTLY_OUTLIER)
    assert finding.spans == ("call6",)
    assert "cost $0.058 with o1-pro where 6 use gpt-4o-mini" in finding.sentence
    assert "99 % of the trace's cost" in finding.sentence


def test_calls_named_after_their_models_are_compared_by_their_parents() -> None:
    spans = batch(_MINI, _DEAR, name=lambda i: _MINI[i])
    (finding,), _ = judged(spans, Category.COSTLY_OUTLIER)
    assert finding.spans == ("call6",)


def test_one_of_three_calls_is_found_where_it_is_far_dearer() -> None:
    (finding,), _ = judged(batch(_MINI[-3:], _DEAR[-3:]), Category.COSTLY_OUTLIER)
    assert finding.spans == ("call2",)


def test_calls_of_one_name_under_any_parents_are_compared_by_their_prompts() -> None:
    spans = [
        each.model_copy(update={"name": f"extract page {each.id}"})
        if each.name == "extract"
        else each
        for each in batch(_MINI, _DEAR)
    ]
    (finding,), _ = judged(spans, Category.COSTLY_OUTLIER)
    assert finding.spans == ("call6",)
    findings, (note,) = judged(
        [each.model_copy(update={"input": None}) for each in spans], Category.COSTLY_OUTLIER
    )
    assert not findings
    assert note.spans == ("call6",)


def other_work(i: int) -> dict[str, Any]:
    kinds = ["Extract the fields of this invoice as JSON, please"] * 6
    kinds.append("Compose a speech for our jubilee in verse")
    return {"messages": [{"role": "user", "content": kinds[i]}]}


def other_role(i: int) -> dict[str, Any]:
    role = "You write the letter to the firm." if i == 6 else f"You read page {i % 2}."
    content = "Invoice of firm h with twelve items, due in June, paid by bank transfer"
    messages = [{"role": "system", "content": role}, {"role": "user", "content": content}]
    return {"messages": messages}


_FAILED = span(
    "failed",
    60,
    60.5,
    parent_span_id="extract6",
    type="llm",
    name="chat",
    model="gpt-4o-mini",
    error_info={"message": "503"},
)


def _flatten(spans: Sequence[Span]) -> list[Span]:
    """The model calls alone, as roots."""
    calls = [each for each in spans if each.type == "llm"]
    return [each.model_copy(update={"parent_span_id": None}) for each in calls]


@each_case(
    "why, spans",
    [
        ("another prompt is other work", batch(_MINI, _DEAR, input=other_work)),
        ("other instructions are another role", batch(_MINI, _DEAR, input=other_role)),
        ("the same model wrote more", batch(["gpt-4o"] * 7, [0.001] * 6 + [0.02])),
        ("it replaced a call that failed", [*batch(_MINI, _DEAR), _FAILED]),
        ("it replaced one in a flat trace", _flatten([*batch(_MINI, _DEAR), _FAILED])),
    ],
)
def test_a_costly_call_with_a_reason_is_a_note(why: str, spans: list[Span]) -> None:
    findings, notes = judged(spans, Category.COSTLY_OUTLIER)
    assert not findings, why
    assert [note.spans[0] for note in notes] == ["call6"], why


def test_two_models_that_share_the_work_are_no_outlier() -> None:
    models = ["gpt-4o-mini", "o1-pro"] * 4
    costs = [0.00005, 0.058] * 4
    assert judged(batch(models, costs), Category.COSTLY_OUTLIER) == ([], [])
