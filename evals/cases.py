"""The cases: which recordings, at which size, with how much noise and which seed.

The rules were written with the open cases in view. The held-back ones come from other programs
with other faults. When they were first run, the rules named the culprit in the first finding in 24
of 30 and in the first three in 25 of 30, with nothing found in the 10 healthy ones; two general
mistakes that this showed were then mended, so they are not quite unseen any more.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evals.generated_trace import GeneratedTrace, generate_trace

SIZES = (10, 200, 5_000)
_OPEN = {
    "questions": (
        "empty_then_error",
        "empty_silent",
        "slow_call",
        "null_page",
        "timeout",
        "cut_reply",
        "raise_in_model",
        "dear_model",
    ),
    "agent": (
        "raise_in_tool",
        "wrapped_raise",
        "caught_raise",
        "error_as_text",
        "rate_limited",
        "gives_up",
        "growing_prompt",
        "loop",
        "ping_pong",
    ),
    "support": (
        "broken_json",
        "broken_json_caught",
        "blank_reply",
        "half_order",
        "failed_state",
        "refused_by_policy",
        "bad_score",
        "never_ends",
    ),
    "report": (
        "one_of_many_raises",
        "slow_section",
        "blank_section",
        "serial_figures",
        "stopped_at_limit",
    ),
    "imports": ("no_rows_then_division", "flaky_upload", "endless_polling", "bad_bytes"),
}
_HELD_BACK = {
    "sqlbot": (
        "blank_sql",
        "bloated_context",
        "syntax_error",
        "same_bad_sql",
        "locked_table",
        "zero_rows",
        "premium_model",
    ),
    "crew": (
        "tool_says_no",
        "half_a_file",
        "busy_then_fine",
        "over_budget",
        "hand_over_and_back",
        "killed",
        "refused_reply",
    ),
}
_NEEDS_PEERS = frozenset(
    ["dear_model", "slow_section", "blank_section", "locked_table", "premium_model"]
)
_COUNT = 30
_HEALTHY = 10


@dataclass(frozen=True)
class CaseParameters:
    """The parameters of one case."""

    program: str
    fault: str
    size: int
    noise: int
    seed: int

    def make(self) -> GeneratedTrace:
        least = 5 if self.fault in _NEEDS_PEERS else 1
        name = f"{self.program}-{self.fault or 'healthy'}"
        return generate_trace(
            name, size=self.size, noise=self.noise, seed=self.seed, least_units=least
        )

    def __str__(self) -> str:
        fault = self.fault or "healthy"
        return f"{self.program} {fault} size={self.size} noise={self.noise} seed={self.seed}"


def open_cases(seed: int = 11) -> list[CaseParameters]:
    """30 faulty traces and 10 healthy ones."""
    return _draw_cases(_OPEN, seed)


def held_back_cases(seed: int = 12) -> list[CaseParameters]:
    """30 faulty traces and 10 healthy ones that no rule was written for."""
    return _draw_cases(_HELD_BACK, seed)


def _draw_cases(programs: Mapping[str, Sequence[str]], seed: int) -> list[CaseParameters]:
    """Faults in turn, sizes and noise evenly spread."""
    rng = random.Random(seed)
    faults = [(program, fault) for program, names in programs.items() for fault in names]
    rng.shuffle(faults)
    healthy = [(program, "") for program in programs] * _HEALTHY
    settings = []
    for chosen in ((faults * 3)[:_COUNT], healthy[:_HEALTHY]):
        rng.shuffle(chosen)
        settings += [
            CaseParameters(program, fault, SIZES[i % 3], rng.randint(0, 2), rng.randint(0, 10**6))
            for i, (program, fault) in enumerate(chosen)
        ]
    return settings
