"""Calls by a dearer model than others of their kind use: by mistake, and as a second opinion."""

from dataclasses import replace
from typing import Any

from evals.small_cases.builder import CaseList, SpanPlan, model, says, span, tool

COSTS = CaseList("model_costs")

_RULES = "You sort letters to a ferry line. Answer with one word: praise, complaint or question."


def _sorted_letter(number: int, *models: str, right: bool = False) -> SpanPlan:
    """A letter that one model after another sorts; the last one is sure."""
    letter = f"Letter {number}: my cabin on deck {number + 2} was warm, and the coffee was cold."
    asked = [{"role": "system", "content": _RULES}, {"role": "user", "content": letter}]
    return span(
        "sort_letter",
        *[
            model(
                says("complaint" if each == models[-1] else "complaint or question, hard to say"),
                asked=asked,
                model=each,
                seconds=0.4,
                total_estimated_cost=0.00004 if each == "gpt-4.1-mini" else 0.0021,
                right=right,
            )
            for each in models
        ],
        input={"letter": number},
        output={"kind": "complaint"},
        right=right,
    )


def _letters(odd: SpanPlan) -> list[SpanPlan]:
    usual = [_sorted_letter(number, "gpt-4.1-mini") for number in range(8)]
    return [*usual[:5], odd, *usual[5:]]


COSTS.add("one_letter_by_a_large_model", *_letters(_sorted_letter(9, "gpt-4.1", right=True)))
COSTS.add("second_opinion_healthy", *_letters(_sorted_letter(9, "gpt-4.1-mini", "gpt-4.1")))

_CHECK = "You check claims for lost luggage. Answer with one word: pay, refuse or ask."


def _checked_claim(
    number: int, by: str = "gpt-4.1-mini", *before: SpanPlan, right: bool = False, **given: Any
) -> SpanPlan:
    """A claim that a function gives to a model, after other steps of it."""
    claim = f"Claim {number}: my blue suitcase with {number} stickers did not leave the ferry."
    asked = [{"role": "system", "content": _CHECK}, {"role": "user", "content": claim}]
    cost = 0.00004 if by == "gpt-4.1-mini" else 0.0032
    called = model(
        says("ask"), asked=asked, model=by, seconds=0.5, total_estimated_cost=cost, right=right
    )
    return span("check_claim", *before, called, input={"claim": number, **given}, output="ask")


def _claims(odd: SpanPlan, **given: Any) -> list[SpanPlan]:
    usual = [_checked_claim(number, **given) for number in range(6)]
    return [*usual[:4], odd, *usual[4:]]


def _graded(grade: str, claim: int) -> SpanPlan:
    return tool("grade", {"claim": claim}, {"grade": grade}, seconds=0.1)


_LARGE = "claude-opus-4-20250514"
COSTS.add(
    "claim_that_is_graded_hard_healthy",
    *_claims(_checked_claim(9, _LARGE, level="hard"), level="easy"),
)
COSTS.add(
    "claim_of_the_same_grade",
    *_claims(_checked_claim(9, _LARGE, level="easy", right=True), level="easy"),
)
COSTS.add(
    "claim_after_another_grade_healthy",
    *[_checked_claim(number, "gpt-4.1-mini", _graded("plain", number)) for number in range(6)],
    _checked_claim(9, _LARGE, _graded("disputed", 9)),
)
COSTS.add(
    "claim_after_the_same_grade",
    *[_checked_claim(number, "gpt-4.1-mini", _graded("plain", number)) for number in range(6)],
    _checked_claim(9, _LARGE, _graded("plain", 9), right=True),
)
COSTS.add(
    "model_named_by_a_rule_of_the_trace_healthy",
    *_claims(_checked_claim(9, _LARGE)),
    metadata={"policy": "claims above 500 EUR go to opus"},
)
COSTS.add("model_that_no_rule_names", *_claims(_checked_claim(9, _LARGE, right=True)))
COSTS.add(
    "last_instance_with_a_function_of_its_own_healthy",
    *[_checked_claim(number) for number in range(5)],
    replace(_checked_claim(5, _LARGE), name="appeal_claim"),
)
COSTS.add(
    "panel_of_models_in_one_step_healthy",
    *[_checked_claim(number) for number in range(4)],
    span(
        "panel",
        *[
            replace(_checked_claim(9, by).below[0])
            for by in ("gpt-4.1-mini", "gpt-4o-mini", _LARGE)
        ],
    ),
)


# A long prompt that one call of several did not find in the cache.
def _cached_letter(number: int, *, read: int, written: int, begins: str = "") -> SpanPlan:
    asked = {
        "system": [{"type": "text", "text": f"{begins}{_RULES}"}],
        "messages": [{"role": "user", "content": f"Letter {number}: the cabin was warm."}],
    }
    usage = {
        "original_usage.input_tokens": 36,
        "original_usage.cache_read_input_tokens": read,
        "original_usage.cache_creation_input_tokens": written,
        "original_usage.output_tokens": 4,
    }
    return model(
        says("complaint"), asked=asked, model="claude-haiku-4-5", usage=usage, right=bool(begins)
    )


def _cached_letters(name: str, missed: SpanPlan, expected: str = "") -> None:
    first = _cached_letter(0, read=0, written=9_310)
    served = [_cached_letter(number, read=9_310, written=0) for number in range(1, 6)]
    COSTS.add(name, first, *served[:3], missed, *served[3:], says=expected)


_cached_letters(
    "one_prompt_begins_otherwise",
    _cached_letter(6, read=0, written=9_330, begins="Deck plan of 4 May. "),
    "Deck plan",
)
_cached_letters(
    "another_prompt_among_cached_ones_healthy", _cached_letter(6, read=0, written=2_100)
)
