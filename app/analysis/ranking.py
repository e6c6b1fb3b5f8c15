"""Everything that is wrong with a trace, the most telling first."""

from collections.abc import Callable, Iterator, Sequence

from app.analysis.finding import Category, Finding
from app.analysis.rules.endings import guardrails, low_scores, unfinished
from app.analysis.rules.latency import serial_calls, slow_outliers
from app.analysis.rules.raised_errors import errors
from app.analysis.rules.repetition import loops
from app.analysis.rules.retries import retries
from app.analysis.rules.silent_failures import silent_failures
from app.analysis.rules.tokens_and_cost import costly_outliers, prompt_growth
from app.analysis.rules.tool_choice import unknown_tools
from app.analysis.trace_analysis import TraceAnalysis

Rule = Callable[[TraceAnalysis], Iterator[Finding]]

RULES: tuple[Rule, ...] = (
    errors,
    silent_failures,
    unknown_tools,
    retries,
    loops,
    unfinished,
    guardrails,
    low_scores,
    slow_outliers,
    serial_calls,
    prompt_growth,
    costly_outliers,
)
_MOST = 40
_CONSEQUENCES = frozenset(
    [Category.SLOW_OUTLIER, Category.SERIAL_CALLS, Category.COSTLY_OUTLIER, Category.ERROR_SURVIVED]
)


def find_findings(analysis: TraceAnalysis) -> tuple[Finding, ...]:
    """What is wrong, ranked; empty for a healthy trace.

    At most 40 findings; equal input gives equal findings.
    """
    found = [finding for rule in RULES for finding in rule(analysis)]
    found.sort(key=lambda finding: (-finding.rank, finding.category, finding.spans))
    return tuple(_without_echoes(found))[:_MOST]


def _without_echoes(ranked: Sequence[Finding]) -> Iterator[Finding]:
    """Leaves out what a better finding about the same culprit already explains."""
    explained: set[str] = set()
    for finding in ranked:
        culprit = finding.spans[0] if finding.spans else None
        if finding.category in _CONSEQUENCES and culprit in explained:
            continue
        yield finding
        explained.update(finding.spans)
