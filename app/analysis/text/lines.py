"""A span, a group of spans or a finding on one line."""

from collections.abc import Sequence
from typing import Any

from app.analysis.error_origins import has_failed
from app.analysis.finding import Finding
from app.analysis.json_values import leaves
from app.analysis.profile import Spend, spend_of
from app.analysis.text.one_line import dollars, one_line, percent, span_of_time
from app.analysis.text.token_budget import Alias
from app.analysis.trace_analysis import Examination
from app.analysis.tree import Node, Oddity

PATH_MARK = "*"
_ODD_HERE = (Oddity.ORPHAN, Oddity.CYCLE, Oddity.NEGATIVE, Oddity.EARLY, Oddity.LATE)
_SPANS_SHOWN = 6


def span_line(node: Node, seen: Examination, *, name: str) -> str:
    """`s4 * search_docs [tool] 1.20 s 12 %, model gpt-4o, 1,200+56 tokens, $0.012, ERROR ...`.

    `name` is the span's alias. The share is that of the whole trace; `own` is the time that no
    child accounts for, told where there are children.
    """
    span = node.span
    mark = f" {PATH_MARK}" if node.id in seen.profile.on_path else ""
    parts = [f"{name}{mark} {one_line(node.name)} [{one_line(span.type or 'general', limit=20)}]"]
    parts[0] += f" {_duration(node, seen)}"
    if span.model:
        parts.append(one_line(span.model, limit=40))
    parts.extend(spent(spend_of(span)))
    if span.ttft is not None:
        parts.append(f"first token {span_of_time(span.ttft * 1_000)}")
    if has_failed(node):
        kind = span.error_info.exception_type if span.error_info else None
        parts.append(f"ERROR {one_line(kind or '', limit=40)}".rstrip())
    parts.extend(oddity.value for oddity in _ODD_HERE if oddity in node.oddities)
    return ", ".join(parts)


def _duration(node: Node, seen: Examination) -> str:
    if not node.finished:
        return "never ended"
    if Oddity.UNTIMED in node.oddities:
        return "no times"
    text = f"{span_of_time(node.duration)} {percent(node.duration, seen.profile.wall)}"
    if node.children:
        text += f" (own {span_of_time(seen.profile.own_time[node.index])})"
    return text


def spent(spend: Spend) -> list[str]:
    """Tokens in and out, and dollars; what is zero is left out."""
    parts = []
    if spend.prompt or spend.completion:
        parts.append(f"{spend.prompt:,.0f}+{spend.completion:,.0f} tokens")
    elif spend.tokens:
        parts.append(f"{spend.tokens:,.0f} tokens")
    if spend.cost:
        parts.append(dollars(spend.cost))
    return parts


def group_line(nodes: Sequence[Node], seen: Examination, *, longest: str) -> str:
    """`12 × search [tool] 80 ms to 1.20 s, together 3.40 s; longest s9`; `longest` is an alias."""
    times = [node.duration for node in nodes]
    below = sum(node.size - 1 for node in nodes)
    first = nodes[0]
    on_path = sum(1 for node in nodes if node.id in seen.profile.on_path)
    mark = f"{PATH_MARK} " if on_path else ""
    others = "" if all(node.name == first.name for node in nodes) else " and the like"
    kind = one_line(first.span.type or "general", limit=20)
    text = (
        f"{mark}{len(nodes):,} × {one_line(first.name)}{others} [{kind}]"
        f" {span_of_time(min(times))} to {span_of_time(max(times))}, together"
        f" {span_of_time(sum(times))}; longest {longest}"
    )
    total = sum((spend_of(node.span) for node in nodes), Spend())
    extra = spent(total)
    if below:
        extra.append(f"{below:,} spans below")
    return "; ".join([text, *extra])


def finding_line(finding: Finding, *, alias: Alias) -> str:
    """Category with its group and confidence, the sentence, and the spans, culprit first."""
    kind = f"{finding.category} ({finding.group}, {finding.confidence:.0%} sure)"
    names = [alias(span_id) for span_id in finding.spans[:_SPANS_SHOWN]]
    more = len(finding.spans) - len(names)
    if more > 0:
        names.append(f"{more} more")
    where = f" Spans: {', '.join(names)}." if names else ""
    return f"{kind}: {one_line(finding.sentence, limit=600)}{where}"


def preview(value: Any, *, limit: int = 240) -> str:
    """The beginning of a JSON value on one line: texts with the keys they stand under."""
    if isinstance(value, str):
        return one_line(value, limit=limit)
    shown = ""
    for path, leaf in leaves(value, most=30):
        key = ".".join(str(part) for part in path[-2:])
        shown += f"{key}: {one_line(str(leaf), limit=limit)}; " if key else f"{leaf}; "
        if len(shown) > limit:
            break
    return one_line(shown.rstrip("; "), limit=limit)
