"""What a finding is, and the categories there are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from app.analysis.tree import Node, by_start

SPANS_KEPT = 12  # ids kept with a finding, the culprit first; texts show the first few of them


class ErrorGroup(StrEnum):
    """The three branches of the error taxonomy of TRAIL (Trace Reasoning and Agentic Issue
    Localization, arXiv 2505.08638)."""

    REASONING = "reasoning"
    PLANNING = "planning_coordination"
    SYSTEM = "system_execution"


class _CategoryTraits(NamedTuple):
    group: ErrorGroup
    weight: int


class Category(StrEnum):
    """The kinds of findings; the model reads the value."""

    CAUSE_OF_ERROR = "cause_of_error"
    ERROR_ORIGIN = "error_origin"
    ERROR_SURVIVED = "error_survived"
    FAILURE_TEXT = "failure_as_output"
    EMPTY_RESULT = "empty_result"
    PARTIAL_RESULT = "partial_result"
    DOUBTFUL_RESULT = "doubtful_result"
    CUT_REPLY = "reply_cut_at_limit"
    BROKEN_JSON = "invalid_json"
    INVALID_CALL = "invalid_tool_call"
    REFUSAL = "refusal"
    LOST_VALUE = "lost_value"
    IGNORED_RESULT = "ignored_result"
    UNKNOWN_TOOL = "unknown_tool"
    LOOP = "loop"
    PING_PONG = "ping_pong"
    RETRIES = "retries"
    DUPLICATED_WORK = "duplicated_work"
    REPEATED_EFFECT = "repeated_side_effect"
    MISSED_LOOKUPS = "missed_lookups"
    REPEATED_ANSWER = "repeated_answer"
    PROMPT_GROWTH = "prompt_growth"
    SLOW_OUTLIER = "slow_outlier"
    SLOW_STREAM_START = "slow_first_token"
    LONGEST_STEP = "longest_step"
    CLOCK_SKEW = "clock_skew"
    SERIAL_CALLS = "serial_calls"
    COSTLY_OUTLIER = "costly_outlier"
    LOST_CACHE = "lost_prompt_cache"
    SLOWER_THAN_USUAL = "slower_than_usual"
    COSTLIER_THAN_USUAL = "costlier_than_usual"
    UNFINISHED = "unfinished"
    GUARDRAIL = "failed_guardrail"
    LOW_SCORE = "low_score"

    @property
    def group(self) -> ErrorGroup:
        return _TRAITS[self].group

    @property
    def weight(self) -> int:
        """The rank at full confidence: causes before symptoms, failures before waste."""
        return _TRAITS[self].weight


_TRAITS = {
    Category.CAUSE_OF_ERROR: _CategoryTraits(ErrorGroup.SYSTEM, 130),
    Category.ERROR_ORIGIN: _CategoryTraits(ErrorGroup.SYSTEM, 100),
    Category.RETRIES: _CategoryTraits(ErrorGroup.SYSTEM, 85),
    Category.BROKEN_JSON: _CategoryTraits(ErrorGroup.REASONING, 85),
    Category.INVALID_CALL: _CategoryTraits(ErrorGroup.REASONING, 90),
    Category.LOST_VALUE: _CategoryTraits(ErrorGroup.PLANNING, 95),
    Category.IGNORED_RESULT: _CategoryTraits(ErrorGroup.REASONING, 70),
    Category.REFUSAL: _CategoryTraits(ErrorGroup.REASONING, 85),
    Category.UNFINISHED: _CategoryTraits(ErrorGroup.SYSTEM, 85),
    Category.UNKNOWN_TOOL: _CategoryTraits(ErrorGroup.PLANNING, 85),
    Category.FAILURE_TEXT: _CategoryTraits(ErrorGroup.SYSTEM, 80),
    Category.LOOP: _CategoryTraits(ErrorGroup.PLANNING, 80),
    Category.PING_PONG: _CategoryTraits(ErrorGroup.PLANNING, 80),
    Category.MISSED_LOOKUPS: _CategoryTraits(ErrorGroup.SYSTEM, 80),
    Category.REPEATED_EFFECT: _CategoryTraits(ErrorGroup.PLANNING, 95),
    Category.DUPLICATED_WORK: _CategoryTraits(ErrorGroup.PLANNING, 75),
    Category.REPEATED_ANSWER: _CategoryTraits(ErrorGroup.REASONING, 50),
    Category.EMPTY_RESULT: _CategoryTraits(ErrorGroup.SYSTEM, 75),
    Category.CUT_REPLY: _CategoryTraits(ErrorGroup.REASONING, 75),
    Category.PARTIAL_RESULT: _CategoryTraits(ErrorGroup.SYSTEM, 65),
    Category.DOUBTFUL_RESULT: _CategoryTraits(ErrorGroup.SYSTEM, 80),
    Category.GUARDRAIL: _CategoryTraits(ErrorGroup.REASONING, 115),
    Category.PROMPT_GROWTH: _CategoryTraits(ErrorGroup.PLANNING, 55),
    Category.ERROR_SURVIVED: _CategoryTraits(ErrorGroup.SYSTEM, 55),
    Category.COSTLY_OUTLIER: _CategoryTraits(ErrorGroup.PLANNING, 50),
    Category.SLOW_OUTLIER: _CategoryTraits(ErrorGroup.SYSTEM, 50),
    Category.SLOW_STREAM_START: _CategoryTraits(ErrorGroup.SYSTEM, 80),
    Category.LOST_CACHE: _CategoryTraits(ErrorGroup.SYSTEM, 60),
    Category.CLOCK_SKEW: _CategoryTraits(ErrorGroup.SYSTEM, 20),
    Category.LONGEST_STEP: _CategoryTraits(ErrorGroup.SYSTEM, 60),
    Category.SLOWER_THAN_USUAL: _CategoryTraits(ErrorGroup.SYSTEM, 60),
    Category.COSTLIER_THAN_USUAL: _CategoryTraits(ErrorGroup.PLANNING, 55),
    Category.SERIAL_CALLS: _CategoryTraits(ErrorGroup.PLANNING, 40),
    Category.LOW_SCORE: _CategoryTraits(ErrorGroup.REASONING, 30),
}


class Standing(StrEnum):
    """FINDING: something is wrong. NOTE: unusual, but harmless. WEAK: a sign that is a finding only
    beside a symptom of the trace (a failed or empty end, a low score, a complaint), else a note."""

    FINDING = "finding"
    WEAK = "weak"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong with a trace, or a note on it.

    `spans` are the ids of the spans that show it, the culprit first and those last that only hold
    others, which `around` has too; empty only where the trace record alone shows it. `sentence` is
    one bounded line and holds foreign text only cleaned. `more` counts the others that were not
    kept.
    `confidence` lies between 0 and 1. `numbers` are what the sentence rests on.
    """

    category: Category
    confidence: float
    sentence: str
    spans: tuple[str, ...]
    numbers: Mapping[str, float] = field(default_factory=dict)
    standing: Standing = Standing.FINDING
    around: frozenset[str] = frozenset()
    more: int = 0

    @property
    def group(self) -> ErrorGroup:
        return self.category.group

    @property
    def rank(self) -> float:
        return self.category.weight * self.confidence


def build_finding(
    category: Category,
    confidence: float,
    sentence: str,
    nodes: Iterable[Node],
    numbers: Mapping[str, float] | None = None,
    *,
    more: Iterable[Node] = (),
    standing: Standing = Standing.FINDING,
) -> Finding:
    """A finding on the spans that its sentence speaks of, the culprit first.

    The others follow in the order they started, then `more` of their kind, then those that hold
    another one, the innermost first. Each is kept once, and no more than 12.
    """
    named = list({node.id: node for node in nodes}.values())
    in_tree = sorted(named, key=lambda node: node.index)
    holding = {one.id for one, following in pairwise(in_tree) if one.holds(following)}
    around = [node for node in named[1:] if node.id in holding]
    others = [node for node in named[1:] if node.id not in holding]
    around.sort(key=lambda node: (-node.depth, node.start, node.index))
    steps = [*named[:1], *sorted(others, key=by_start), *sorted(more, key=by_start)]
    held = frozenset(node.id for node in around)
    spans = order_spans((node.id for node in steps), (node.id for node in around))
    left = len({node.id for node in steps} - held.union(spans))
    return Finding(category, confidence, sentence, spans, numbers or {}, standing, held, left)


def order_spans(steps: Iterable[str], around: Iterable[str]) -> tuple[str, ...]:
    """Steps and then what holds them, each once: no more than 12, of which the second half is for
    what holds them."""
    last = list(dict.fromkeys(around))[: SPANS_KEPT // 2]
    first = list(dict.fromkeys(each for each in steps if each not in last))
    return (*first[: SPANS_KEPT - len(last)], *last)
