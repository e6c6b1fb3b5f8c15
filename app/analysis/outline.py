"""The outline of a trace: what the model reads before it looks closer."""

from collections.abc import Callable, Sequence

from app.analysis.tokens import estimate_tokens
from app.analysis.tree import Node, Tree, build_tree
from app.analysis.wording import counted, dollars, one_line, span_of_time
from app.opik.schema import Span, Trace

Alias = Callable[[str], str]
"""Gives the short name (`s1`, `s2`, ...) of a span id, the same one each time."""

_RESERVE = 80
_SHOWN_ERRORS = 8


def write_outline(
    trace: Trace, spans: Sequence[Span], *, alias: Alias, budget_tokens: int = 6_000
) -> str:
    """One text about the whole trace within `budget_tokens` by `estimate_tokens`.

    Header with totals, spans that failed, then the tree, one line a span. What did not fit is
    stated with its count and the call that shows it.
    """
    tree = build_tree(spans)
    lines = _header(trace, tree) + _errors(tree, alias)
    room = budget_tokens - _RESERVE
    text = "\n".join(lines)
    if estimate_tokens(text) > room:
        lines = [one_line(text, limit=max(20, room // 2))]
    used = sum(estimate_tokens(line) + 1 for line in lines)
    shown = 0
    for node in tree.nodes:
        line = _line(node, alias)
        used += estimate_tokens(line) + 1
        if used > room:
            break
        lines.append(line)
        shown += 1
    left = len(tree.nodes) - shown
    if left:
        lines.append(
            f"{counted(left, 'span')} not shown; see them with"
            f' get_trace_data(view="outline", offset={shown})'
        )
    return "\n".join(lines)


def _header(trace: Trace, tree: Tree) -> list[str]:
    name = one_line(trace.name or "unnamed")
    failed = sum(1 for node in tree.nodes if node.span.error_info)
    facts = [counted(len(tree.nodes), "span"), counted(failed, "error")]
    if trace.duration is not None:
        facts.insert(0, span_of_time(trace.duration * 1_000))
    if trace.total_estimated_cost:
        facts.append(dollars(trace.total_estimated_cost))
    return [f"Trace {name}: {', '.join(facts)}", ""]


def _errors(tree: Tree, alias: Alias) -> list[str]:
    failed = [node for node in tree.nodes if node.span.error_info]
    if not failed:
        return []
    lines = ["Errors:"]
    for node in failed[:_SHOWN_ERRORS]:
        error = node.span.error_info
        assert error is not None
        said = one_line(f"{error.exception_type or 'Error'}: {error.message or ''}", limit=200)
        lines.append(f"- {alias(node.id)} {one_line(node.name)}: {said}")
    if len(failed) > _SHOWN_ERRORS:
        rest = counted(len(failed) - _SHOWN_ERRORS, "more error")
        lines.append(f'- {rest}; see get_trace_data(view="outline", status="error")')
    return [*lines, ""]


def _line(node: Node, alias: Alias) -> str:
    span = node.span
    parts = [alias(node.id), one_line(node.name), span.type or "general"]
    parts.append(span_of_time(node.duration) if node.finished else "unfinished")
    if span.model:
        parts.append(one_line(span.model, limit=40))
    if span.error_info:
        parts.append("ERROR")
    return "  " * min(node.depth, 12) + " · ".join(parts)
