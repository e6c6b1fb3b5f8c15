"""Which fault a run has, and where."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from opik import opik_context

from evals.recorded_span import CULPRIT_TAG

TICK = 0.001


@dataclass(frozen=True)
class Plan:
    """`fault` happens in unit number `at` of a program with `units` units."""

    fault: str = ""
    units: int = 4
    at: int = 1

    def has(self, fault: str, unit: int) -> bool:
        return self.fault == fault and self.at == unit


def blame() -> None:
    """Marks the span that runs now as the one to be found; the mark is taken off later."""
    opik_context.update_current_span(tags=[CULPRIT_TAG])


def once(act: Callable[[], None]) -> Callable[[], None]:
    """The same, but only the first time."""
    left = [act]
    return lambda: left.pop()() if left else None


def work(ticks: float) -> None:
    time.sleep(ticks * TICK)


def spoke(
    text: str | None,
    *,
    model: str,
    prompt: int,
    completion: int,
    price: float = 1e-6,
    finish: str = "stop",
    **message: Any,
) -> dict[str, Any]:
    """A reply in OpenAI's shape, with the span's model, usage and cost set as integrations do."""
    total = prompt + completion
    opik_context.update_current_span(
        model=model,
        provider="openai",
        usage={
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": total,
        },
        total_cost=total * price,
    )
    work(6 + completion / 40)
    return {
        "choices": [
            {
                "index": 0,
                "finish_reason": finish,
                "message": {"role": "assistant", "content": text, **message},
            }
        ]
    }


def text_of(reply: dict[str, Any]) -> str:
    return reply["choices"][0]["message"]["content"] or ""
