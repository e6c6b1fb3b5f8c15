"""Arguments that the schema of an offered tool refuses, where the tool then came to nothing.

An error that itself speaks of arguments is explained with the other errors (`causes`).
"""

from collections import Counter
from collections.abc import Iterator
from itertools import islice

from app.analysis.error_origins import error_message, find_error_origins
from app.analysis.finding import Category, Finding, Standing, build_finding
from app.analysis.recorded.tool_schema import find_violation
from app.analysis.rules.error_wording import ARGUMENT_ERROR
from app.analysis.rules.recovery import find_recovery, is_named_after
from app.analysis.rules.suspects import came_to_nothing
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis, list_model_calls
from app.analysis.tree import Node

_CONFIDENCE = 0.9  # the schema stands in the request, and the tool failed or found nothing
_MOST_FOUND = 3
_ERRORS_READ = 25  # of a trace, in which the one that ended it is looked for
_MESSAGE_READ = 2_000  # characters of an error message
_SPANS_READ = 60  # after a model call, among which the tools that it asked for are looked for


def find_refused_arguments(analysis: TraceAnalysis) -> Iterator[Finding]:
    """At most 3: each a model call and the tool that came to nothing with its arguments."""
    yield from islice(_list_refused(analysis), _MOST_FOUND)


def _list_refused(analysis: TraceAnalysis) -> Iterator[Finding]:
    for node in analysis.once(list_model_calls):
        schemas = node.view.request.schemas if node.view.reply.calls else {}
        before: Counter[str] = Counter()
        for call in node.view.reply.calls if schemas else ():
            schema = schemas.get(call.name)
            refused = find_violation(call.arguments, schema) if schema is not None else ""
            tool = _find_tool(node, call.name, before[call.name], analysis) if refused else None
            before[call.name] += 1
            if tool is None or not analysis.was_read(tool) or not came_to_nothing(tool):
                continue
            if tool.error is None or not ARGUMENT_ERROR.search(
                error_message(tool.error)[:_MESSAGE_READ]
            ):
                yield _build_finding(node, call.name, refused, tool, analysis)


def _find_tool(node: Node, name: str, before: int, analysis: TraceAnalysis) -> Node | None:
    """The span of a call, the first of this name after so many others of the same reply."""
    nodes = analysis.tree.nodes[node.index + 1 : node.index + _SPANS_READ]
    spans = (each for each in nodes if each.start >= node.end and is_named_after(each, name))
    return next(islice(spans, before, None), None)


def _build_finding(
    node: Node, name: str, refused: str, tool: Node, analysis: TraceAnalysis
) -> Finding:
    came = "failed" if tool.error is not None or tool.view.failure else "returned nothing"
    fatal = any(
        item.fatal and tool in item.path
        for item in analysis.once(find_error_origins)[:_ERRORS_READ]
    )
    recovery = find_recovery(tool, analysis)
    sentence = (
        f"{one_line(node.name, limit=60)} called {one_line(name, limit=60)} with"
        f" {one_line(refused, limit=160)} against the tool's schema, and it {came}"
        f"{'; a later call worked' if recovery is not None else ''}."
    )
    standing = Standing.FINDING if recovery is None else Standing.NOTE
    category = Category.CAUSE_OF_ERROR if fatal else Category.INVALID_CALL
    return build_finding(category, _CONFIDENCE, sentence, [node, tool], standing=standing)
