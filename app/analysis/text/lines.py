"""A span, a group of spans or a finding on one line."""

from app.analysis.finding import Finding
from app.analysis.profile import IdleGap
from app.analysis.spending import TokensAndCost, read_spending
from app.analysis.text.one_line import format_duration, format_percent, format_usd, one_line
from app.analysis.text.token_budget import Alias
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node, TreeWarning

PATH_MARK = "*"
_WARNINGS_SHOWN = (
    TreeWarning.ORPHAN,
    TreeWarning.CYCLE,
    TreeWarning.NEGATIVE,
    TreeWarning.EARLY,
    TreeWarning.LATE,
)
SENTENCE_SHOWN = 600  # characters of a finding's sentence; most have a third of it
_NOTE_SHOWN = 320  # characters: an error with its place, and what made good for it
_NOTE_SPANS_SHOWN = 3  # where to look; a note needs no proof
_SPANS_SHOWN = 6  # spans named with a finding: the culprit, and enough others to see the pattern


def format_span(node: Node, analysis: TraceAnalysis, *, name: str) -> str:
    """`s4 * search_docs [tool] 1.20 s 12 %, model gpt-4o, 1,200+56 tokens, $0.012, ERROR ...`.

    `name` is the span's alias. The share is that of the whole trace; `own` is the time that no
    child accounts for, given where there are children.
    """
    span = node.span
    mark = f" {PATH_MARK}" if node.id in analysis.profile.on_path else ""
    parts = [f"{name}{mark} {one_line(node.name)} [{one_line(span.type or 'general', limit=20)}]"]
    parts[0] += f" {_format_node_duration(node, analysis)}"
    if span.model:
        parts.append(one_line(span.model, limit=40))
    parts.extend(format_spending(read_spending(node)))
    if node.view.first_token is not None:
        parts.append(f"first token {format_duration(node.view.first_token * 1_000)}")
    if node.error is not None:
        kind = node.error.exception_type or ""
        parts.append(f"ERROR {one_line(kind, limit=40)}".rstrip())
    parts.extend(warning.value for warning in _WARNINGS_SHOWN if warning in node.warnings)
    return ", ".join(parts)


def _format_node_duration(node: Node, analysis: TraceAnalysis) -> str:
    if not node.finished:
        parent = node.parent
        if parent is None or not parent.finished:
            return "never ended"
        ended = format_duration(parent.end - analysis.profile.start)
        return f"never ended, its parent did at {ended}"
    if TreeWarning.UNTIMED in node.warnings:
        return "no times"
    share = format_percent(node.duration, analysis.profile.duration)
    text = f"{format_duration(node.duration)} {share}"
    if node.children:
        text += f" (own {format_duration(analysis.profile.own_time[node.index])})"
    return text


def format_gap(gap: IdleGap, whole: int, *, alias: Alias) -> str:
    """`idle for 3.10 s (12 %) between s3 and s4`, or how long one branch waited; `whole` is the
    duration of the trace."""
    time = f"for {format_duration(gap.duration)} ({format_percent(gap.duration, whole)})"
    between = f"between {alias(gap.before.id)} and {alias(gap.after.id)}"
    if gap.is_shared and gap.parent is not None:
        return f"{alias(gap.parent.id)} waited {time} {between}, while spans beside it ran"
    return f"idle {time} {between}"


def format_spending(spend: TokensAndCost) -> list[str]:
    """Tokens in and out, how many of them were cached or of reasoning, and dollars; what is zero
    is left out."""
    parts = []
    if spend.prompt or spend.completion:
        details = ((spend.cached, "cached"), (spend.reasoning, "of reasoning"))
        shown = ", ".join(f"{tokens:,.0f} {what}" for tokens, what in details if tokens)
        text = f"{spend.prompt:,.0f}+{spend.completion:,.0f} tokens"
        parts.append(f"{text} ({shown})" if shown else text)
    elif spend.tokens:
        parts.append(f"{spend.tokens:,.0f} tokens")
    if spend.cost:
        parts.append(format_usd(spend.cost))
    return parts


def format_finding(finding: Finding, *, alias: Alias) -> str:
    """Category with its group and confidence, the sentence, and the spans, culprit first."""
    kind = f"{finding.category} ({finding.group}, {finding.confidence:.0%} sure)"
    names = _format_spans(finding, alias, shown=_SPANS_SHOWN)
    where = f" Spans: {names}." if names else ""
    return f"{kind}: {one_line(finding.sentence, limit=SENTENCE_SHOWN)}{where}"


def format_note(note: Finding, *, alias: Alias) -> str:
    """The sentence of a note and the spans that show it."""
    names = _format_spans(note, alias, shown=_NOTE_SPANS_SHOWN)
    where = f" ({names})" if names else ""
    return f"{note.category}: {one_line(note.sentence, limit=_NOTE_SHOWN).rstrip('.')}{where}"


def _format_spans(finding: Finding, alias: Alias, *, shown: int) -> str:
    """`s1, s2, 4 more, under s3`: the culprit, the others, and apart from them the spans that only
    hold some of these."""
    steps = [span_id for span_id in finding.spans if span_id not in finding.around]
    around = [span_id for span_id in finding.spans if span_id in finding.around]
    first = steps[: max(shown - len(around), (shown + 1) // 2)]
    parts = [alias(span_id) for span_id in first]
    if left := len(steps) - len(first) + finding.more:
        parts.append(f"{left:,} more")
    text = ", ".join(parts)
    named = ", ".join(alias(span_id) for span_id in around[: shown - len(first)])
    return f"{text}, under {named}" if named else text
