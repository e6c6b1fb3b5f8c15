"""Everything that is wrong with a trace, the most important first."""

from collections.abc import Callable, Iterator, Sequence

from app.analysis.finding import Category, Finding
from app.analysis.rules.endings import (
    find_failed_guardrails,
    find_low_scores,
    find_unfinished_spans,
)
from app.analysis.rules.latency import find_serial_calls, find_slow_outliers
from app.analysis.rules.raised_errors import find_raised_errors
from app.analysis.rules.repetition import find_loops
from app.analysis.rules.retries import find_retries
from app.analysis.rules.silent_failures import find_silent_failures
from app.analysis.rules.tokens_and_cost import find_costly_outliers, find_prompt_growth
from app.analysis.rules.tool_choice import find_unknown_tools
from app.analysis.trace_analysis import TraceAnalysis

Rule = Callable[[TraceAnalysis], Iterator[Finding]]

RULES: tuple[Rule, ...] = (
    find_raised_errors,
    find_silent_failures,
    find_unknown_tools,
    find_retries,
    find_loops,
    find_unfinished_spans,
    find_failed_guardrails,
    find_low_scores,
    find_slow_outliers,
    find_serial_calls,
    find_prompt_growth,
    find_costly_outliers,
)
_MOST_FINDINGS = 40  # more than a reader takes in; bounds what is kept for each trace
_CONSEQUENCE_CATEGORIES = frozenset(
    [Category.SLOW_OUTLIER, Category.SERIAL_CALLS, Category.COSTLY_OUTLIER, Category.ERROR_SURVIVED]
)


def find_findings(analysis: TraceAnalysis) -> tuple[Finding, ...]:
    """What is wrong, ranked; empty for a healthy trace.

    At most 40 findings; equal input gives equal findings.
    """
    found = [finding for rule in RULES for finding in rule(analysis)]
    found.sort(key=lambda finding: (-finding.rank, finding.category, finding.spans))
    return tuple(_drop_consequences(found))[:_MOST_FINDINGS]


def _drop_consequences(ranked: Sequence[Finding]) -> Iterator[Finding]:
    """Leaves out what a better finding about the same culprit already explains."""
    explained: set[str] = set()
    for finding in ranked:
        culprit = finding.spans[0] if finding.spans else None
        if finding.category in _CONSEQUENCE_CATEGORIES and culprit in explained:
            continue
        yield finding
        explained.update(finding.spans)
