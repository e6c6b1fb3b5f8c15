"""Calls that failed and were tried again: time lost to retries, and rate limits."""

from collections.abc import Iterator, Mapping, Sequence

from app.analysis.finding import Category, Finding, Standing, build_finding
from app.analysis.grouping import group_by
from app.analysis.recorded.names import name_stem
from app.analysis.rules.repeated_work.attempts import Attempts, find_attempts
from app.analysis.text.one_line import format_count, format_duration, list_first, one_line
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

_LEAST_LOSS = 0.005  # share of the trace lost to several attempts of one call, to matter
_LARGE_LOSS = 0.1  # share with which it explains why the trace was slow
_GROUP_LOSS = 0.2  # the same of many calls that were retried a little each
_MANY_CALLS = 5  # retried calls of one name from which they have one reason
_MOST_OF_IT = 0.5  # share that a single failed attempt and the wait after it must take
_LONG_LOSS = 8_000_000  # microseconds of it (8 s): a usual time-out of 5 s and a try is no fault
_LEAST_ATTEMPTS = 3  # a second attempt that works is what retries are for
_NAMES_SHOWN = 4  # names in the note on retries that worked
_BASE = 0.6  # confidence: two equal calls may be chance
_BY_SIGN = 0.1  # added by a third attempt, a rate limit, growing waits and a large loss
_BY_FAILURE = 0.05  # added where no attempt worked, which is graver
_MOST = 0.95  # of all signs together
_HARMLESS = 0.9  # of the note: what failed and what worked then was recorded


def find_retries(analysis: TraceAnalysis) -> Iterator[Finding]:
    """One finding for each name whose attempts cost much or never worked; one note for all others,
    which did what retries are for."""
    retries = filter(_are_retries, find_attempts(analysis))
    groups = group_by(retries, lambda each: (name_stem(each.failed[0].name), each.worked is None))
    harmless: list[Attempts] = []
    for (_, never_worked), group in groups.items():
        costly = [attempts for attempts in group if _is_costly(attempts, analysis)]
        many = len(group) >= _MANY_CALLS and _lost(group) >= _GROUP_LOSS * analysis.profile.duration
        if never_worked or costly or many:
            yield _build_retry_finding(group if many else costly or group, analysis)
        else:
            harmless.extend(group)
    if harmless:
        yield _build_note(harmless)


def _are_retries(attempts: Attempts) -> bool:
    """Whether somebody meant to try again: a second equal call after an error that a retry does
    not help against may be chance."""
    if len(attempts.nodes) >= _LEAST_ATTEMPTS:
        return True
    return attempts.is_rate_limit or attempts.is_transient


def _is_costly(attempts: Attempts, analysis: TraceAnalysis) -> bool:
    lost = attempts.lost / max(1, analysis.profile.duration)
    if len(attempts.nodes) >= _LEAST_ATTEMPTS:
        return lost >= _LEAST_LOSS
    return lost >= _MOST_OF_IT and attempts.lost >= _LONG_LOSS


def _lost(group: Sequence[Attempts]) -> int:
    """Microseconds that were lost to any of the attempts."""
    lost, last = 0, 0
    for attempts in sorted(group, key=lambda each: each.failed[0].start):
        start = max(last, attempts.failed[0].start)
        end = attempts.failed[0].start + attempts.lost
        lost += max(0, end - start)
        last = max(last, end)
    return lost


def _build_retry_finding(group: Sequence[Attempts], analysis: TraceAnalysis) -> Finding:
    worst = max(group, key=lambda each: (len(each.failed), each.lost))
    failures, attempts = len(worst.failed), len(worst.nodes)
    kind = "hit a rate limit" if worst.is_rate_limit else "failed"
    times = "once" if failures == 1 else f"{failures} times in a row"
    waits = " with growing waits" if worst.has_growing_waits else ""
    end = "then worked" if worst.worked else "and never worked"
    others = ""
    if len(group) > 1:
        total = format_duration(_lost(group))
        others = f"; {format_count(len(group), 'call')} of it were retried, {total} lost in all"
    sentence = (
        f"{worst.failed[0].title} {kind} {times} and was tried {attempts} times{waits}, {end};"
        f" {format_duration(worst.lost)} lost{others} ({one_line(worst.reasons[0], limit=120)})."
    )
    large = worst.lost >= _LARGE_LOSS * analysis.profile.duration
    signs = (attempts >= _LEAST_ATTEMPTS, worst.is_rate_limit, large, worst.has_growing_waits)
    confidence = _BASE + _BY_SIGN * sum(signs) + _BY_FAILURE * (worst.worked is None)
    confidence = min(_MOST, confidence)
    numbers = {"attempts": attempts, "failures": failures, "lost_ms": worst.lost / 1_000}
    more = [node for each in group for node in each.failed]
    return build_finding(Category.RETRIES, confidence, sentence, worst.nodes, numbers, more=more)


def _build_note(harmless: Sequence[Attempts]) -> Finding:
    """All retries that worked soon, in one sentence."""
    counts: dict[str, int] = {}
    for attempts in harmless:
        name = one_line(name_stem(attempts.failed[0].name), limit=60)
        counts[name] = counts.get(name, 0) + 1
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_NAMES_SHOWN]
    shown = list_first([_format_name(name, count) for name, count in ranked], len(counts))
    most = max(len(attempts.nodes) for attempts in harmless)
    each = f"at most {most} attempts each" if len(harmless) > 1 else f"{most} attempts"
    sentence = (
        f"{format_count(len(harmless), 'call')} failed and worked when tried again: {shown};"
        f" {each}, {format_duration(_lost(harmless))} lost"
        f" ({one_line(harmless[0].reasons[0], limit=100)})."
    )
    nodes: list[Node] = [attempts.failed[0] for attempts in harmless]
    numbers: Mapping[str, float] = {"calls": len(harmless), "lost_ms": _lost(harmless) / 1_000}
    return build_finding(
        Category.RETRIES, _HARMLESS, sentence, nodes, numbers, standing=Standing.NOTE
    )


def _format_name(name: str, count: int) -> str:
    return f"{name} ({count:,})" if count > 1 else name
