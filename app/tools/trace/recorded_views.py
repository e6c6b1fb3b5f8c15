"""Reads the bodies of many spans for a tool that looks at all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.analysis.recorded.body import is_cut_body
from app.analysis.recorded.recorded_span import RecordedSpan
from app.analysis.text.one_line import format_count, list_first
from app.analysis.text.token_budget import Alias
from app.analysis.tree import Node
from app.opik.client import BODIES
from app.tools.trace.trace_context import TraceContext

_CUT_NAMED = 6  # spans named in the note on cut values
_WHOLE_AT_ONCE = 8  # cut bodies read whole in one call, as many as are kept for the next one


@dataclass(frozen=True, slots=True)
class RecordedViews:
    """The views of those spans that could be read, by id; how many were not read, and the ids of
    those that were read only as far as the backend cut them."""

    by_id: Mapping[str, RecordedSpan]
    unread: int
    cut: Sequence[str]

    def notes(self, alias: Alias) -> list[str]:
        """What of the spans is not known."""
        notes = []
        if self.cut:
            named = list_first([alias(each) for each in self.cut[:_CUT_NAMED]], len(self.cut))
            notes.append(f"[of long values of {named} only the first 10,000 characters were read]")
        if self.unread:
            count = format_count(self.unread, "span")
            notes.append(
                f"[inputs and outputs of {count} not read yet; repeat the call to read more]"
            )
        return notes


async def read_views(context: TraceContext, nodes: Sequence[Node]) -> RecordedViews:
    """The views of spans with their bodies; of what is not loaded, the first ones are read within
    the limits of one call (8 MB, 10 s)."""
    await context.read_bodies([node.id for node in nodes])
    views, cut = {}, []
    for node in nodes:
        body = context.get_body(node.id)
        if body is not None:
            views[node.id] = node.view if body is node.span else RecordedSpan(body)
            if any(is_cut_body(getattr(body, name)) for name in BODIES):
                cut.append(body)
    # The first ones: where a value comes from is asked more often than where it ends.
    opened = await context.open_spans(cut[:_WHOLE_AT_ONCE])
    views |= {each.span.id: RecordedSpan(each.span) for each in opened}
    still_cut = [each.span for each in opened if each.note] + cut[_WHOLE_AT_ONCE:]
    return RecordedViews(views, len(nodes) - len(views), [span.id for span in still_cut])
