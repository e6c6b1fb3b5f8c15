"""Everything that is wrong with a trace, the most important first."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from app.analysis.finding import Category, Finding, Standing, order_spans
from app.analysis.rules.data_flow.cut_prompts import find_cut_prompts
from app.analysis.rules.data_flow.dropped_scope import find_dropped_scope
from app.analysis.rules.data_flow.ignored_results import find_ignored_results
from app.analysis.rules.data_flow.kept_worst import find_kept_worst
from app.analysis.rules.data_flow.lost_results import find_lost_results
from app.analysis.rules.data_flow.lost_updates import find_lost_updates
from app.analysis.rules.data_flow.lost_values import find_lost_values
from app.analysis.rules.data_flow.mistaken_dates import find_mistaken_dates
from app.analysis.rules.data_flow.mistaken_numbers import find_mistaken_numbers
from app.analysis.rules.data_flow.mixed_units import find_mixed_units
from app.analysis.rules.data_flow.nulled_fields import find_nulled_fields
from app.analysis.rules.data_flow.outdated_choices import find_outdated_choices
from app.analysis.rules.data_flow.outdated_sources import find_outdated_sources
from app.analysis.rules.data_flow.planted_instructions import find_planted_instructions
from app.analysis.rules.data_flow.unfilled_values import find_unfilled_values
from app.analysis.rules.data_flow.unread_pages import find_unread_pages
from app.analysis.rules.data_flow.unsupported_answers import find_unsupported_answers
from app.analysis.rules.data_flow.widened_scope import find_widened_scope
from app.analysis.rules.failures.endings import find_low_scores, find_unfinished_spans
from app.analysis.rules.failures.guardrails import find_failed_guardrails
from app.analysis.rules.failures.raised_errors import find_raised_errors
from app.analysis.rules.failures.silent_failures import find_silent_failures
from app.analysis.rules.failures.tool_choice import find_unknown_tools
from app.analysis.rules.failures.uncalled_tools import find_uncalled_tools
from app.analysis.rules.performance.clock_skew import find_clock_skew
from app.analysis.rules.performance.costly_calls import find_costly_calls
from app.analysis.rules.performance.late_first_token import find_slow_first_tokens
from app.analysis.rules.performance.latency import find_slow_outliers
from app.analysis.rules.performance.longest_step import find_longest_step
from app.analysis.rules.performance.lost_cache import find_lost_caches
from app.analysis.rules.performance.overflows import find_overflows
from app.analysis.rules.performance.prompt_growth import find_prompt_growth
from app.analysis.rules.performance.serial_calls import find_serial_calls
from app.analysis.rules.repeated_work.duplicated_work import find_duplicated_work
from app.analysis.rules.repeated_work.failed_effects import find_effects_of_failures
from app.analysis.rules.repeated_work.hand_overs import find_hand_overs
from app.analysis.rules.repeated_work.missed_lookups import find_missed_lookups
from app.analysis.rules.repeated_work.repeated_answers import find_repeated_answers
from app.analysis.rules.repeated_work.repeated_effects import find_repeated_effects
from app.analysis.rules.repeated_work.repetition import find_loops
from app.analysis.rules.repeated_work.retries import find_retries
from app.analysis.rules.symptoms import find_symptom
from app.analysis.text.one_line import format_duration, without_numbers
from app.analysis.trace_analysis import TraceAnalysis

Rule = Callable[[TraceAnalysis], Iterable[Finding]]

RULES: tuple[Rule, ...] = (
    find_raised_errors,
    find_silent_failures,
    find_overflows,
    find_outdated_sources,
    find_outdated_choices,
    find_planted_instructions,
    find_unsupported_answers,
    find_lost_values,
    find_nulled_fields,
    find_widened_scope,
    find_kept_worst,
    find_lost_results,
    find_lost_updates,
    find_cut_prompts,
    find_dropped_scope,
    find_mistaken_dates,
    find_mistaken_numbers,
    find_mixed_units,
    find_unfilled_values,
    find_unread_pages,
    find_ignored_results,
    find_unknown_tools,
    find_uncalled_tools,
    find_retries,
    find_repeated_effects,
    find_effects_of_failures,
    find_loops,
    find_hand_overs,
    find_repeated_answers,
    find_missed_lookups,
    find_duplicated_work,
    find_unfinished_spans,
    find_failed_guardrails,
    find_low_scores,
    find_slow_outliers,
    find_slow_first_tokens,
    find_longest_step,
    find_serial_calls,
    find_prompt_growth,
    find_costly_calls,
    find_lost_caches,
    find_clock_skew,
)
_ADDED_BY_SYMPTOM = (
    0.15  # confidence: a symptom and a sign that could explain it support each other
)
_MOST_BY_SYMPTOM = 0.9  # a symptom does not make a weak sign certain
_SHARE_IF_EXPLAINED = 0.6  # of the confidence in an error as the origin: its cause is named before
_SURE_CAUSE = 0.85  # confidence of a cause beside which the error need not stand as one
_MOST_OF_TIME = 0.8  # of a slow span, lost by retries in it: then it is slow for nothing else
_MOST_FINDINGS = 40  # more than a reader takes in; bounds what is kept for each trace
_CONSEQUENCE_CATEGORIES = frozenset(
    [
        Category.SLOW_OUTLIER,
        Category.LONGEST_STEP,
        Category.SERIAL_CALLS,
        Category.COSTLY_OUTLIER,
        Category.ERROR_SURVIVED,
    ]
)

_SINGLE_FAULTS = frozenset(
    [
        Category.ERROR_ORIGIN,
        Category.CUT_REPLY,
        Category.EMPTY_RESULT,
        Category.PARTIAL_RESULT,
        Category.FAILURE_TEXT,
        Category.BROKEN_JSON,
        Category.INVALID_CALL,
        Category.REFUSAL,
    ]
)
"""Findings that say what that on the cause of an error says too, where they are on one call."""
_NEEDLESS_WORK = frozenset(
    [Category.LOOP, Category.PING_PONG, Category.MISSED_LOOKUPS, Category.DUPLICATED_WORK]
)


def judge_trace(analysis: TraceAnalysis) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """What is wrong, ranked, and the notes; a healthy trace has no findings.

    At most 40 of each; equal input gives equal findings.
    """
    symptom = analysis.once(find_symptom)
    found = [
        _settle(finding, symptom=symptom)
        for finding in _merge_equal(finding for rule in RULES for finding in rule(analysis))
    ]
    found.sort(key=lambda finding: (-finding.rank, finding.category, finding.spans))
    found = list(_drop_consequences(found))
    findings = (each for each in found if each.standing is Standing.FINDING)
    notes = (each for each in found if each.standing is Standing.NOTE)
    return tuple(islice(findings, _MOST_FINDINGS)), tuple(islice(notes, _MOST_FINDINGS))


def _settle(finding: Finding, *, symptom: str) -> Finding:
    """A weak sign becomes a finding, supported by the symptom, or a note."""
    if finding.standing is not Standing.WEAK:
        return finding
    if not symptom:
        return replace(finding, standing=Standing.NOTE)
    return replace(
        finding,
        standing=Standing.FINDING,
        sentence=f"{finding.sentence.removesuffix('.')}; {symptom}.",
        confidence=min(_MOST_BY_SYMPTOM, finding.confidence + _ADDED_BY_SYMPTOM),
    )


def _merge_equal(found: Iterable[Finding]) -> Iterator[Finding]:
    """Findings of one standing whose sentences differ in numbers only as one, the surest first."""
    groups: dict[tuple[Category, Standing, str], list[Finding]] = {}
    for finding in found:
        key = (finding.category, finding.standing, without_numbers(finding.sentence))
        groups.setdefault(key, []).append(finding)
    for equal in groups.values():
        best = max(equal, key=lambda finding: finding.confidence)
        if len(equal) == 1:
            yield best
            continue
        ordered = [best, *(finding for finding in equal if finding is not best)]
        firsts = [span for finding in ordered for span in finding.spans[:1]]
        around = frozenset().union(*(finding.around for finding in equal)).difference(firsts)
        spans = [span for finding in ordered for span in finding.spans]
        kept = order_spans(
            (*firsts, *(span for span in spans if span not in around)),
            (span for span in spans if span in around),
        )
        left = len(set(spans) - around.union(kept)) + sum(finding.more for finding in equal)
        more = f" ({len(equal) - 1} more like it.)"
        yield replace(best, sentence=best.sentence + more, spans=kept, around=around, more=left)


def _drop_consequences(ranked: Sequence[Finding]) -> Iterator[Finding]:
    """Leaves out what a better finding about the same culprit already explains."""
    explained: set[str] = set()
    culprits: set[tuple[Category, str]] = set()
    accounts = _Accounts(ranked)
    for finding in ranked:
        culprit = finding.spans[0] if finding.spans else ""
        if finding.category in _CONSEQUENCE_CATEGORIES and culprit in explained:
            continue
        if (finding.category, culprit) in culprits or accounts.cover(finding):
            continue
        if finding.category is Category.ERROR_ORIGIN and culprit in accounts.by_cause:
            yield replace(finding, confidence=finding.confidence * _SHARE_IF_EXPLAINED)
        else:
            yield accounts.add_tries(finding)
        if finding.standing is Standing.FINDING:
            explained.update(finding.spans)
            culprits.add((finding.category, culprit))


class _Accounts:
    """What the findings and notes of a trace say of the same spans: which of them add nothing to
    another."""

    def __init__(self, found: Sequence[Finding]) -> None:
        self.by_cause: set[str] = set()
        self._sure_causes: set[str] = set()
        self._loops: set[str] = set()
        self._missed: set[str] = set()
        self._origins: set[str] = set()
        self._survived: set[str] = set()
        self._faulty: set[str] = set()
        self._needless: set[str] = set()
        self._retries = [each for each in found if each.category is Category.RETRIES]
        for finding in found:
            if finding.standing is Standing.FINDING:
                if finding.category not in _CONSEQUENCE_CATEGORIES:
                    self._faulty.update(set(finding.spans) - finding.around)
                if finding.category in _NEEDLESS_WORK:
                    self._needless.update(finding.spans)
            match finding.category:
                case Category.CAUSE_OF_ERROR:
                    self.by_cause.update(finding.spans)
                    if finding.confidence >= _SURE_CAUSE:
                        self._sure_causes.update(finding.spans)
                case Category.LOOP if finding.standing is Standing.FINDING:
                    self._loops.update(finding.spans)
                case Category.MISSED_LOOKUPS if finding.standing is Standing.FINDING:
                    self._missed.update(finding.spans)
                case Category.ERROR_ORIGIN:
                    self._origins.update(finding.spans)
                case Category.ERROR_SURVIVED if finding.standing is Standing.NOTE:
                    self._survived.update(finding.spans)

    def cover(self, finding: Finding) -> bool:
        """Whether another finding says what this one does: the cause of an error its error and its
        faulty result, a loop that it found nothing, a cache that missed the work after it, an
        error how often it was tried. A note that a call of a finding found nothing, or that work
        which was not needed ran in a row, is a part of the fault."""
        spans, is_note = set(finding.spans), finding.standing is Standing.NOTE
        is_single = finding.category in _SINGLE_FAULTS and finding.numbers.get("calls") == 1
        if is_single and not spans.isdisjoint(self._sure_causes):
            return True
        match finding.category:
            case Category.EMPTY_RESULT:
                return spans <= self._loops or (is_note and finding.spans[0] in self._faulty)
            case Category.SERIAL_CALLS if is_note:
                return not spans.isdisjoint(self._needless)
            case Category.DUPLICATED_WORK:
                return not spans.isdisjoint(self._missed)
            case Category.RETRIES:
                return spans <= (self._survived if is_note else self._origins)
            case Category.SLOW_OUTLIER:
                return self._was_retried(finding) or (
                    is_note and not spans.isdisjoint(self._survived)
                )
        return False

    def _was_retried(self, slow: Finding) -> bool:
        """Whether a finding on retries says where most of the time went of a slow span that holds
        the failed calls."""
        return any(
            set(slow.spans[1:]) <= set(each.spans)
            and each.numbers["lost_ms"] >= _MOST_OF_TIME * slow.numbers["ms"]
            for each in self._retries
            if each.standing is Standing.FINDING and slow.spans[1:]
        )

    def add_tries(self, finding: Finding) -> Finding:
        """The origin of an error with how often the call was tried, which has no finding then."""
        if finding.category is not Category.ERROR_ORIGIN:
            return finding
        tried = next(
            (each for each in self._retries if set(each.spans) <= set(finding.spans)), None
        )
        if tried is None or tried.standing is Standing.NOTE:
            return finding
        lost = format_duration(1_000 * tried.numbers["lost_ms"])
        more = f"; it was tried {tried.numbers['attempts']:.0f} times, {lost} lost."
        return replace(finding, sentence=finding.sentence.removesuffix(".") + more)
