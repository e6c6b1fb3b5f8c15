"""Suggests questions about a trace: to begin with, and after an answer.

Plain text on one line each, at most 120 characters; only what the tools can answer.
"""

import re
from collections.abc import Callable, Iterator
from itertools import islice

from app.analysis.finding import Category, Finding, Standing
from app.analysis.text.one_line import format_duration, format_usd, one_line
from app.analysis.trace_analysis import TraceAnalysis

Label = Callable[[str], str | None]
"""A span's name as a person reads it."""

Questions = tuple[str, str, str]

HOW_IT_WENT = "How did this conversation go so far?"
_NAME_SHOWN = 40  # characters: a suggested question is to stay short
_WITHIN_ADDRESS = re.compile(r"(?<=:)(?=//)|(?<=www)(?=\.)", re.IGNORECASE)
_NAME = "NAME"
_QUESTIONS = {
    Category.CAUSE_OF_ERROR: "How exactly did NAME lead to the failure?",
    Category.ERROR_ORIGIN: "Why did NAME fail, and what would prevent it?",
    Category.ERROR_SURVIVED: "What did the failure of NAME change in the result?",
    Category.FAILURE_TEXT: "Why does NAME return an error as if it were a result?",
    Category.EMPTY_RESULT: "Why did NAME return nothing, and what came of it?",
    Category.PARTIAL_RESULT: "What is missing from the result of NAME?",
    Category.DOUBTFUL_RESULT: "What should NAME have returned, and what came of it?",
    Category.CUT_REPLY: "What was lost when the reply of NAME reached its limit?",
    Category.BROKEN_JSON: "What is wrong with the JSON of NAME?",
    Category.UNKNOWN_TOOL: "Which tool did NAME ask for that does not exist?",
    Category.LOOP: "Why does NAME run again and again?",
    Category.PING_PONG: "Why do the steps around NAME go back and forth?",
    Category.RETRIES: "Why was NAME tried again, and how much time did that take?",
    Category.PROMPT_GROWTH: "What makes the prompts of NAME grow?",
    Category.SLOW_OUTLIER: "What made NAME slower than the others of its name?",
    Category.SLOW_STREAM_START: "Why did the first token of NAME take so long?",
    Category.LONGEST_STEP: "What would make NAME quicker?",
    Category.CLOCK_SKEW: "When did NAME really run?",
    Category.LOST_CACHE: "Why did NAME no longer read its prompt from the cache?",
    Category.SERIAL_CALLS: "Could the calls of NAME run side by side?",
    Category.COSTLY_OUTLIER: "Why did NAME cost more than similar calls?",
    Category.SLOWER_THAN_USUAL: "What made this run slower than the others of its name?",
    Category.COSTLIER_THAN_USUAL: "What made this run cost more than the others of its name?",
    Category.UNFINISHED: "What was NAME doing when it broke off?",
    Category.GUARDRAIL: "What did the guardrail object to?",
    Category.LOW_SCORE: "Why was this scored so low?",
}
_WHAT_HAPPENED = "What happened in NAME, and did it matter?"
# Questions that suppose no fault, so that they can be asked about a note as well.
_NEUTRAL = frozenset(
    [
        Category.ERROR_SURVIVED,
        Category.RETRIES,
        Category.PROMPT_GROWTH,
        Category.SLOW_OUTLIER,
        Category.SERIAL_CALLS,
        Category.COSTLY_OUTLIER,
    ]
)
_WORTH_SECONDS = 1.0  # nobody waits for less
_WORTH_SHARE = 0.25  # of the time: a smaller part is no place to look first
_WORTH_USD = 0.01  # below a cent, one run's cost is no question
_WORTH_TOKENS = 1_000  # a page of text
_FATAL = frozenset([Category.CAUSE_OF_ERROR, Category.ERROR_ORIGIN])


def suggest_next_questions(analysis: TraceAnalysis, label: Label) -> Questions:
    """Three questions to follow an answer: from the findings, about the conversation or other
    traces, from the notes, then from where time and money go."""
    findings = _from_findings(analysis, label)
    return _first_three(
        islice(findings, 2),
        _from_other_traces(analysis),
        findings,
        _from_notes(analysis, label),
        _from_profile(analysis, label),
        _for_any_trace(),
    )


def suggest_first_questions(analysis: TraceAnalysis, label: Label) -> Questions:
    """Three questions to begin with, by the trace's state: failed, unfinished, with other
    findings (slow, costly, looping, ...), or healthy; and whether it is part of a thread."""
    return _first_three(
        _from_state(analysis),
        islice(_from_findings(analysis, label), 1),
        _from_thread(analysis),
        islice(_from_notes(analysis, label), 1),
        _from_profile(analysis, label),
        _for_any_trace(),
    )


def _first_three(*sources: Iterator[str]) -> Questions:
    chosen: dict[str, None] = {}
    for source in sources:
        for question in source:
            chosen.setdefault(question)
    first, second, third = list(chosen)[:3]
    return first, second, third


def _from_state(analysis: TraceAnalysis) -> Iterator[str]:
    if analysis.error or any(each.category in _FATAL for each in analysis.findings):
        yield "What caused this error?"
    if analysis.trace.end_time is None:
        yield "How far did this trace get, and what is it waiting for?"


def _from_findings(analysis: TraceAnalysis, label: Label) -> Iterator[str]:
    """One question for each category, in the order of the findings."""
    asked: set[Category] = set()
    for finding in analysis.findings:
        if finding.category not in asked:
            asked.add(finding.category)
            yield _ask_about(finding, label)


def _from_notes(analysis: TraceAnalysis, label: Label) -> Iterator[str]:
    """One question for each category of notes that is not among the findings."""
    asked = {finding.category for finding in analysis.findings}
    for note in analysis.notes:
        if note.category not in asked:
            asked.add(note.category)
            yield _ask_about(note, label)


def _ask_about(finding: Finding, label: Label) -> str:
    question = _QUESTIONS.get(finding.category, "What is wrong with NAME?")
    if finding.standing is Standing.NOTE and finding.category not in _NEUTRAL:
        question = _WHAT_HAPPENED
    return question.replace(_NAME, _quote_name(label(finding.spans[0]) if finding.spans else None))


def _quote_name(name: str | None) -> str:
    """A span's name between quotes, without an address in it: names are foreign text, and an answer
    may link to an address that its question names."""
    shown = _WITHIN_ADDRESS.sub(" ", one_line(name or "", limit=_NAME_SHOWN))
    return f"“{shown}”" if shown else "this trace"


def _from_thread(analysis: TraceAnalysis) -> Iterator[str]:
    if analysis.trace.thread_id:
        yield "What did the user want here, and did the answer give it?"
        yield HOW_IT_WENT


def _from_other_traces(analysis: TraceAnalysis) -> Iterator[str]:
    """Questions that only other traces answer, where there are any."""
    if analysis.trace.thread_id:
        yield HOW_IT_WENT
    elif (
        analysis.error
        and analysis.baseline
        and analysis.baseline.count > (analysis.baseline.failed or 1)
    ):
        yield "What do healthy runs do that this one does not?"


def _from_profile(analysis: TraceAnalysis, label: Label) -> Iterator[str]:
    profile = analysis.profile
    longest = max(profile.on_path, key=lambda span_id: profile.on_path[span_id], default=None)
    if longest is not None and _is_worth_asking(profile.on_path[longest], profile.duration):
        time, whole = format_duration(profile.on_path[longest]), format_duration(profile.duration)
        yield f"Why does {_quote_name(label(longest))} take {time} of the {whole}?"
    if profile.spend.cost >= _WORTH_USD:
        yield f"What drives the cost of {format_usd(profile.spend.cost)}?"
    elif profile.spend.tokens >= _WORTH_TOKENS:
        yield f"Where do the {profile.spend.tokens:,.0f} tokens go?"


def _is_worth_asking(part: int, whole: int) -> bool:
    """Whether a time is much of a whole that somebody waits for, both in microseconds."""
    return whole >= _WORTH_SECONDS * 1_000_000 and part >= _WORTH_SHARE * whole


def _for_any_trace() -> Iterator[str]:
    yield "What does this trace do, step by step?"
    yield "How could it be faster or cheaper?"
    yield "Is the answer backed by what the steps before it returned?"
