"""The step that a trace would have to shorten to end sooner."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from heapq import nlargest

from app.analysis.finding import Category, Finding, Standing, build_finding
from app.analysis.recorded.kind import SpanKind
from app.analysis.recorded.names import has_word, match_names, name_stem
from app.analysis.recorded.spellings import word_set
from app.analysis.rules.lookups import is_lookup
from app.analysis.rules.performance.model_speed import explain_seconds
from app.analysis.rules.performance.set_duration import lasts_as_set
from app.analysis.rules.waiting_names import is_polling_name, waits_for_others
from app.analysis.text.one_line import format_duration, format_percent
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

_NOTED_SHARE = 0.25  # of the trace: a step of less is one of many
_NOTED_MICROSECONDS = 1_000_000  # below a second nobody asks what to speed up
_BESIDE_SHARE = 0.4  # of the trace, for a step beside which another ran longer in vain
_BESIDE_MICROSECONDS = 5_000_000  # healthy tools of interactive programs answer within 5 s
_BESIDE_GAP = 1.5  # times the next longest step: else there are two things to speed up
_RAN_ON = 0.1  # of a call's time that the end waited for, at most, where the call delayed nobody
_AWAITED_SHARE = 0.5  # of the trace, for a step whose branches all others had to wait for
_AWAITED_OVERLAP = 0.5  # of the step's time in which another call ran: a short one is none
_ALONE_SHARE = 0.6  # the same for a step beside which nothing ran longer; it may be the task
_ALONE_MICROSECONDS = 10_000_000  # the limit of a person's attention (Miller 1968, Nielsen 1993)
_ALONE_GAP = 5.0  # times the next longest step, for a share that leaves others room
_SURE_SHARE = 0.8  # of the trace: a step alone that takes nearly all of it
_SURE_MICROSECONDS = 30_000_000  # for longer than any person waits without looking for the reason
_BEYOND_NEXT = 10.0  # times the next longest step: everything else is done at once
_MANY_STEPS = 4  # on the critical path; with fewer the long one is the task and the others serve it
_BEYOND_PEERS = 2.0  # times the longest other call of its name: else that is how long it takes
_BESIDE_LONGER = 0.7  # confidence: who shortens the longest span gains nothing, here it is
_ALONE = 0.55  # confidence: it may be the work that was asked for
_NOTED = 0.4
_waits_for_person = match_names(r"human\b|approv|confirm|user ?input|ask ?user|feedback")
_LONG_BY_NATURE = word_set(
    "transcribe transcription asr whisper stt diarize diarization ocr train training finetune tune"
    " render encode transcode video compile build download upload backup restore migrate migration"
    " index reindex crawl scrape export import simulate simulation solve solver optimize optimise"
    " convert image archive sync batch job human review"
)
"""Words of names of work that takes its time: alone it is what the trace was started for."""
_QUICK = word_set(
    "rerank reranker rank query db sql database redis postgres http https get post request rpc api"
    " connect connection auth authenticate login token session cache embed embedding classify"
    " receive consume acquire send write save insert update"
)
"""Words of names of calls that others wait for: requests, stores, connections."""


@dataclass(frozen=True, slots=True)
class _LongestStep:
    """The step with the longest time of its own on a critical path; times in microseconds.

    `following` is the next longest time on the path of `steps` spans, `whole` the path's length.
    """

    node: Node
    time: int
    following: int
    whole: int
    steps: int

    @property
    def share(self) -> float:
        return self.time / max(1, self.whole)

    @property
    def is_notable(self) -> bool:
        return self.time >= _NOTED_MICROSECONDS and self.share >= _NOTED_SHARE


def find_longest_step(analysis: TraceAnalysis) -> Iterator[Finding]:
    """The span with the longest time of its own on the critical path: a note, and a finding where
    one call takes most of the trace and neither its tokens nor its peers explain it."""
    profile = analysis.profile
    step = _pick_longest(profile.on_path, profile.duration, analysis)
    if step is None or not step.is_notable or len(analysis.tree.nodes) == 1:
        return
    beside = _find_longer_beside(step, analysis)
    awaited = None if beside else _find_ended_earlier(step, analysis)
    standing = Standing.NOTE
    if _is_unexplained(step.node, analysis):
        standing = _judge_step(step, is_beside=beside is not None, is_awaited=awaited is not None)
    sentence = _describe(step)
    if beside is not None:
        sentence = (
            f"{sentence[:-1]}; {beside.title} ran longer beside it"
            f" ({format_duration(beside.duration)}) without delaying the end."
        )
    elif awaited is not None:
        sentence = (
            f"{sentence[:-1]}; {awaited.title} ran beside it and ended"
            f" {format_duration(step.node.end - awaited.end)} earlier."
        )
    confidence = _BESIDE_LONGER if beside or awaited else _ALONE
    confidence = _NOTED if standing is Standing.NOTE else confidence
    numbers = {"ms": step.time / 1_000, "trace_ms": profile.duration / 1_000}
    yield build_finding(
        Category.LONGEST_STEP, confidence, sentence, [step.node], numbers, standing=standing
    )


def _pick_longest(
    on_path: Mapping[str, int], whole: int, analysis: TraceAnalysis
) -> _LongestStep | None:
    times = nlargest(2, on_path.items(), key=lambda item: item[1])
    if not times:
        return None
    following = times[1][1] if len(times) > 1 else 0
    node = analysis.tree.by_id[times[0][0]]
    return _LongestStep(node, times[0][1], following, whole, len(on_path))


def _find_longer_beside(step: _LongestStep, analysis: TraceAnalysis) -> Node | None:
    """The longest call or branch off the critical path that worked, where it is longer than the
    step, or than the whole branch around the step if that has the same name. One that ran on after
    the end is off the path but for its beginning."""
    on_path = analysis.profile.on_path
    off_path = (
        node
        for node in analysis.tree.nodes
        if node.duration > step.time
        and node.finished
        and node.error is None
        and sum(on_path.get(below.id, 0) for below in analysis.tree.below(node))
        <= _RAN_ON * node.duration
        and not _is_alike_branch(node, step.node)
    )
    return max(off_path, key=lambda node: (node.duration, -node.index), default=None)


def _is_alike_branch(node: Node, step: Node) -> bool:
    """Whether a span is to a step as one worker to what another one does: no longer than the
    outermost span around the step that does not hold both, which has the same name."""
    around = {each.id for each in node.path()}
    branch = next((each for each in step.path() if each.id not in around), step)
    return name_stem(branch.name) == name_stem(node.name) and branch.duration >= node.duration


def _find_ended_earlier(step: _LongestStep, analysis: TraceAnalysis) -> Node | None:
    """The longest call off the critical path that ran beside a step for most of its time and had
    ended before it: all that follows waited for the step alone."""
    on_path = analysis.profile.on_path
    node = step.node
    least = _AWAITED_OVERLAP * node.duration
    beside = (
        other
        for other in analysis.tree.nodes
        if other.duration >= least
        and other.size == 1
        and other.finished
        and other.id not in on_path
        and other.end < node.end
        and other.end - max(other.start, node.start) >= least
    )
    return max(beside, key=lambda other: (other.duration, -other.index), default=None)


def _judge_step(step: _LongestStep, *, is_beside: bool, is_awaited: bool) -> Standing:
    """How wrong an unexplained step of that length is."""
    share, time, following = step.share, step.time, step.following
    least = max(_BESIDE_MICROSECONDS, _BESIDE_GAP * following)
    if is_beside and share >= _BESIDE_SHARE and time >= least:
        return Standing.FINDING
    if share >= _SURE_SHARE and time >= _SURE_MICROSECONDS:
        return Standing.FINDING
    if has_word(step.node.function_name, _LONG_BY_NATURE):
        return Standing.NOTE
    least = max(_ALONE_MICROSECONDS, _BESIDE_GAP * following)
    if is_awaited and share >= _AWAITED_SHARE and time >= least:
        return Standing.FINDING
    stands_out = (
        share >= _SURE_SHARE and time >= _BEYOND_NEXT * following and _is_quick_by_nature(step.node)
    )
    long = _ALONE_MICROSECONDS if step.node.view.is_model_call else _BESIDE_MICROSECONDS
    if stands_out and step.steps >= _MANY_STEPS and time >= long:
        return Standing.FINDING
    if share < _ALONE_SHARE or time < _ALONE_MICROSECONDS:
        return Standing.NOTE
    is_sure = time >= max(_SURE_MICROSECONDS, _ALONE_GAP * following)
    return Standing.FINDING if is_sure and step.steps >= _MANY_STEPS else Standing.WEAK


def _is_quick_by_nature(node: Node) -> bool:
    """Whether others of its kind answer within seconds: a model call whose tokens do not explain
    its time, a lookup, a request, a wait for a resource. Of a tool that computes something nobody
    knows how long that takes."""
    name = node.function_name
    return (
        node.view.is_model_call
        or node.view.kind is SpanKind.RETRIEVAL
        or is_lookup(name)
        or has_word(name, _QUICK)
        or waits_for_others(name)
    )


def _describe(step: _LongestStep) -> str:
    node, time = step.node, step.time
    own = "" if node.size == 1 else ", outside the spans below it"
    following = ""
    if step.following:
        following = f", the next longest {format_duration(step.following)}"
    return (
        f"{node.title} is the longest step of the critical path: {format_duration(time)}{own},"
        f" {format_percent(time, step.whole)} of the trace{following}{_explain_by_tokens(node)}."
    )


def _is_unexplained(node: Node, analysis: TraceAnalysis) -> bool:
    """A single call that did not fail, is no wait, and took longer than its tokens and the other
    calls of its name let expect."""
    if node.size > 1 or node.parent is None or not node.finished or node.error is not None:
        return False
    is_wait = _waits_for_person(node.name) or is_polling_name(node.name)
    if is_wait and not waits_for_others(node.function_name):
        return False
    if lasts_as_set(node):
        return False
    if node.view.is_model_call and (
        node.view.usage.completion is None or node.duration <= 1e6 * explain_seconds(node.view)
    ):
        return False
    return all(
        peer is node or node.duration >= _BEYOND_PEERS * peer.duration
        for peer in analysis.peers_of(node)
    )


def _explain_by_tokens(node: Node) -> str:
    written = node.view.usage.completion
    if not node.view.is_model_call or written is None or not node.duration:
        return ""
    return f"; it wrote {written:,.0f} tokens, {written / (node.duration / 1e6):,.1f} a second"
