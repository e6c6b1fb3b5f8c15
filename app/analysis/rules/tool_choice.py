"""Calls of tools that the model was not offered."""

from collections.abc import Iterator
from typing import Any

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.json_values import iterate_leaves, word_set
from app.analysis.llm_output import is_model_call
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis

_CONFIDENCE = 0.85  # the list of offered tools may have been recorded in part only
_CALL_KEYS = word_set("tool_calls function_call")


def find_unknown_tools(analysis: TraceAnalysis) -> Iterator[Finding]:
    """Model calls that name a tool missing from the tools that their request offered."""
    for node in analysis.tree.nodes:
        if not is_model_call(node) or not analysis.was_read(node):
            continue
        offered = _tool_names(node.span.input, under="tools") | _tool_names(
            node.span.metadata, under="tools"
        )
        if not offered:
            continue
        called = set().union(*(_tool_names(node.span.output, under=key) for key in _CALL_KEYS))
        unknown = sorted(called - offered)
        if unknown:
            named = ", ".join(one_line(name, limit=60) for name in unknown[:3])
            sentence = (
                f"{one_line(node.name, limit=60)} called {named}, which is not among the"
                f" {len(offered)} tools it was offered."
            )
            numbers = {"offered": len(offered), "unknown": len(unknown)}
            yield build_finding(Category.UNKNOWN_TOOL, _CONFIDENCE, sentence, [node], numbers)


def _tool_names(record: Any, *, under: str) -> set[str]:
    """The values of `name` of the tools, or calls, under a key; not of their parameters."""
    names = set()
    for path, leaf in iterate_leaves(record):
        if path and path[-1] == "name" and isinstance(leaf, str) and under in path[:-1]:
            inner = path[path.index(under) + 1 : -1]
            if all(isinstance(part, int) or part in ("function", "kwargs") for part in inner):
                names.add(leaf)
    return names
