"""What of a trace was not read or not recorded, so that no finding is not taken for health."""

from collections.abc import Iterator

from app.analysis.recorded.body_state import BodyState
from app.analysis.recorded.kind import SpanKind
from app.analysis.text.one_line import format_count, list_first, one_line
from app.analysis.text.token_budget import Alias
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

_KINDS = {"model call": (SpanKind.MODEL_CALL,), "tool call": (SpanKind.TOOL_CALL,)}

_NAMED = 3  # of calls without a record: enough to see which kind they are


def list_unread(analysis: TraceAnalysis) -> Iterator[str]:
    """Sentences without a full stop about spans and bodies that were not read."""
    count = len(analysis.tree.nodes)
    if analysis.trace.span_count is not None and analysis.trace.span_count > count:
        yield f"only {count:,} of its {analysis.trace.span_count:,} spans were loaded"
    if len(analysis.bodies) < count:
        yield (
            f"inputs and outputs were read of {len(analysis.bodies):,} of {count:,} spans;"
            " the others were not examined"
        )


def list_unrecorded(analysis: TraceAnalysis, alias: Alias) -> Iterator[str]:
    """Sentences without a full stop about bodies that were read and hold nothing, of the calls of
    models and tools, with the first of them; of all spans where there are no such calls."""
    read = [node for node in analysis.tree.nodes if analysis.was_read(node)]
    groups = {
        noun: [node for node in read if node.view.kind in kinds] for noun, kinds in _KINDS.items()
    }
    if not any(groups.values()):
        groups = {"span": read}
    for noun, nodes in groups.items():
        silent = [node for node in nodes if not has_output(node)]
        unknown = [node for node in silent if node.view.input.state is BodyState.ABSENT]
        without_output = [node for node in silent if node.view.input.state is not BodyState.ABSENT]
        for what, found in (("inputs and outputs", unknown), ("outputs", without_output)):
            if found:
                named = [
                    f"{alias(node.id)} {one_line(node.name, limit=40)}" for node in found[:_NAMED]
                ]
                count = f"{len(found):,} of {format_count(len(nodes), noun)}"
                yield f"{what} of {count} were not recorded ({list_first(named, len(found))})"


def has_output(node: Node) -> bool:
    """Whether an output, or an error in its place, was recorded; a running span has none yet."""
    view = node.view
    if view.output.state is not BodyState.ABSENT or view.error is not None or not node.finished:
        return True
    return view.is_model_call and not view.reply.is_blank
