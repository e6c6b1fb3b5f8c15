"""Calls by a dearer model than others of their kind use: by mistake, and as a second opinion."""

from evals.small_cases.builder import CaseList, SpanPlan, model, says, span

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
