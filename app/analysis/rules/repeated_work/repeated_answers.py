"""Long texts that were written again word for word."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from app.analysis.finding import Category, Finding, Standing, build_finding
from app.analysis.grouping import group_by, keep_repeated
from app.analysis.recorded.body import spell_canonical, spell_start
from app.analysis.recorded.body_state import BodyState
from app.analysis.recorded.kind import SpanKind
from app.analysis.recorded.reply_reader import may_hold_text
from app.analysis.text.one_line import format_count, list_first, one_line
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

_LEAST_LENGTH = 80  # characters: shorter answers are equal by chance or by design
_LEAST_WORDS = 12
_LONGEST = 20_000  # characters compared; longer texts are documents that were passed on
_WEAK_TIMES = 3  # the same text so often is more than a quotation
_SURE_TIMES = 4  # by as many as
_SURE_WRITERS = 3  # of a team nobody adds anything any more
_NAMES_SHOWN = 3
_SURE = 0.65  # confidence: several writers had the same text, which may be a form to fill in
_DOUBTFUL = 0.5  # the same of few writers or few times
_SPEAKERS = frozenset([SpanKind.MODEL_CALL, SpanKind.AGENT_STEP, SpanKind.OTHER])


def find_repeated_answers(analysis: TraceAnalysis) -> Iterator[Finding]:
    """The text that agents or models wrote most often, though they had not been handed it: several
    of them, or one that was asked for something else each time."""
    spoken = [node for node in analysis.tree.nodes if _speaks_at_length(node, analysis)]
    repeated: list[list[Node]] = []
    for text, nodes in group_by(keep_repeated(spoken, _start_of), _text_of).items():
        is_repeated = len(nodes) > 1 and text.count(" ") >= _LEAST_WORDS - 1
        writers = _separate_writers(text, nodes) if is_repeated else []
        names, inputs = _distinct(writers)
        if len(writers) >= 2 and (names > 1 or inputs > 1):
            repeated.append(writers)
    if repeated:
        yield _build_repeated_finding(max(repeated, key=len), len(repeated) - 1)


def _distinct(writers: Sequence[Node]) -> tuple[int, int]:
    """How many names and inputs the spans have."""
    names = {node.name for node in writers}
    return len(names), len({node.view.input.canonical for node in writers})


def _speaks_at_length(node: Node, analysis: TraceAnalysis) -> bool:
    """Whether a span answered with a text that is neither short nor a document."""
    if not analysis.was_read(node) or node.error is not None or node.view.kind not in _SPEAKERS:
        return False
    recorded = node.view.output.state is not BodyState.ABSENT
    if recorded and not may_hold_text(node.span.output):
        return False
    return _LEAST_LENGTH <= len(node.view.reply.text) <= _LONGEST


def _start_of(node: Node) -> str:
    return spell_start(node.view.reply.text, _LEAST_LENGTH)


def _text_of(node: Node) -> str:
    return spell_canonical(node.view.reply.text)


def _separate_writers(text: str, nodes: Sequence[Node]) -> list[Node]:
    """The innermost spans that wrote the text, one after another, without those that got it."""
    writers: list[Node] = []
    places = [node.index for node in nodes]  # in the order of the tree
    for node in sorted(nodes, key=lambda node: (node.start, -node.depth)):
        following = bisect_right(places, node.index)
        holds_other = following < bisect_left(places, node.index + node.size)
        if holds_other or text[:_LEAST_LENGTH] in " ".join(node.view.input.canonical.split()):
            continue
        if not writers or node.start >= writers[-1].end:
            writers.append(node)
    return writers


def _build_repeated_finding(writers: Sequence[Node], others: int) -> Finding:
    names = list(dict.fromkeys(node.name for node in writers))
    shown = list_first([one_line(name, limit=40) for name in names[:_NAMES_SHOWN]], len(names))
    asked = ", for different inputs" if _distinct(writers)[1] == len(writers) else ""
    more = f", and {format_count(others, 'other text')} again" if others else ""
    sentence = (
        f"{shown} wrote the same text {len(writers)} times word for word{asked}:"
        f" “{one_line(writers[0].view.reply.text, limit=80)}”{more}."
    )
    often = len(writers) >= _WEAK_TIMES
    standing = Standing.WEAK if often else Standing.NOTE
    if len(writers) >= _SURE_TIMES and len(names) >= _SURE_WRITERS:
        standing = Standing.FINDING
    return build_finding(
        Category.REPEATED_ANSWER,
        _SURE if standing is Standing.FINDING else _DOUBTFUL,
        sentence,
        writers,
        {"times": len(writers)},
        standing=standing,
    )
