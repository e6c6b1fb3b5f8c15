"""One trace and what was found out about it: every rule and every text reads this."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from app.analysis.baseline import Baseline
from app.analysis.finding import Finding
from app.analysis.grouping import group_by
from app.analysis.profile import Profile
from app.analysis.recorded.body import Body
from app.analysis.recorded.error import effective_error
from app.analysis.tree import Node, Tree
from app.opik.records import ErrorInfo, Trace

_Result = TypeVar("_Result")

PeerKey = tuple[str, str, str]
"""Name of the function and type of a span, and the name of its parent."""


@dataclass(frozen=True, slots=True)
class TraceAnalysis:
    """A trace with its tree, its measures and its findings.

    `bodies` are the ids of the spans whose input, output and metadata were read: nothing may be
    concluded from the bodies of others. `findings` say what is wrong, `notes` what is unusual but
    harmless. `baseline` are the figures of the traces of this name in
    their project, None where they are not known.
    """

    trace: Trace
    tree: Tree
    profile: Profile
    bodies: frozenset[str] = frozenset()
    findings: tuple[Finding, ...] = ()
    notes: tuple[Finding, ...] = ()
    baseline: Baseline | None = None
    _computed: dict[Callable[..., Any], Any] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def wall_time(self) -> float:
        """Microseconds from the trace's start to its end; of its spans where it has no duration."""
        recorded = self.trace.duration
        return self.profile.duration if recorded is None else recorded * 1_000

    @property
    def given(self) -> Body:
        """The input of the trace."""
        return self.once(_open_input)

    @property
    def returned(self) -> Body:
        """The output of the trace."""
        return self.once(_open_output)

    @property
    def error(self) -> ErrorInfo | None:
        """The error of the trace itself; None where it was only suspended."""
        return self.once(_find_error)

    def was_read(self, node: Node) -> bool:
        """Whether input, output and metadata of a span were read."""
        return node.id in self.bodies

    def once(self, compute: "Callable[[TraceAnalysis], _Result]") -> _Result:
        """What a function finds in this analysis; computed on first use, since several rules ask
        for it."""
        if compute not in self._computed:
            self._computed[compute] = compute(self)
        found: _Result = self._computed[compute]
        return found

    def peer_groups(self) -> Mapping[PeerKey, Sequence[Node]]:
        """Spans that can fairly be compared, in the order they started."""
        return self.once(_group_peers)

    def peers_of(self, node: Node) -> Sequence[Node]:
        """The group of a span, with the span itself."""
        return self.peer_groups()[peer_key(node)]


def _open_input(analysis: TraceAnalysis) -> Body:
    return Body(analysis.trace.input)


def _open_output(analysis: TraceAnalysis) -> Body:
    return Body(analysis.trace.output)


def _find_error(analysis: TraceAnalysis) -> ErrorInfo | None:
    return effective_error(analysis.trace)


def list_model_calls(analysis: TraceAnalysis) -> list[Node]:
    """The model calls that were read, in the order of the tree; for `once`."""
    return [
        node for node in analysis.tree.nodes if analysis.was_read(node) and node.view.is_model_call
    ]


def list_read_steps(analysis: TraceAnalysis) -> list[Node]:
    """The spans that were read and are no model calls; for `once`."""
    return [
        node
        for node in analysis.tree.nodes
        if analysis.was_read(node) and not node.view.is_model_call
    ]


def _group_peers(analysis: TraceAnalysis) -> dict[PeerKey, list[Node]]:
    ordered = sorted(analysis.tree.nodes, key=lambda item: (item.start, item.id))
    return group_by(ordered, peer_key)


def peer_key(node: Node) -> PeerKey:
    return node.function_name, node.span.type or "", node.parent.name if node.parent else ""
