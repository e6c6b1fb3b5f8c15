"""The step that a trace would have to shorten to end sooner."""

import re
from collections.abc import Iterator

from app.analysis.comparable_calls import has_word
from app.analysis.finding import Category, Finding, Standing, build_finding
from app.analysis.recorded.spellings import word_set
from app.analysis.rules.model_speed import explain_seconds
from app.analysis.rules.set_duration import lasts_as_set
from app.analysis.text.one_line import format_duration, format_percent, one_line
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

_NOTED_SHARE = 0.25  # of the trace: a step of less is one of many
_NOTED_MICROSECONDS = 1_000_000  # below a second nobody asks what to speed up
_BESIDE_SHARE = 0.4  # of the trace, for a step beside which another ran longer in vain
_BESIDE_MICROSECONDS = 5_000_000  # healthy tools of interactive programs answer within 5 s
_BESIDE_GAP = 1.5  # times the next longest step: else there are two things to speed up
_ALONE_SHARE = 0.6  # the same for a step beside which nothing ran longer; it may be the task
_ALONE_MICROSECONDS = 10_000_000
_SURE_SHARE = 0.8  # of the trace: a step alone that takes nearly all of it
_SURE_MICROSECONDS = 30_000_000  # for longer than any person waits without looking for the reason
_BEYOND_NEXT = 10.0  # times the next longest step: everything else is done at once
_MANY_STEPS = 4  # on the critical path; with fewer the long one is the task and the others serve it
_BEYOND_PEERS = 2.0  # times the longest other call of its name: else that is how long it takes
_BESIDE_LONGER = 0.7  # confidence: who shortens the longest span gains nothing, here it is
_ALONE = 0.55  # confidence: it may be the work that was asked for
_NOTED = 0.4
_WAITS = re.compile(
    r"human|approv|confirm|user_?input|ask_?user|feedback|sleep|wait|poll|back_?off|delay",
    re.IGNORECASE,
)  # names of steps that wait for a person or a time: nothing to speed up
_LONG_BY_NATURE = word_set(
    "transcribe transcription asr whisper stt diarize diarization ocr train training finetune tune"
    " render encode transcode video compile build download upload backup restore migrate migration"
    " index reindex crawl scrape export import simulate simulation solve solver optimize optimise"
    " convert image archive sync batch job human review"
)
"""Words of names of work that takes its time: alone it is what the trace was started for."""
_RESOURCES = word_set("queue gpu lock slot pool semaphore quota capacity worker")
"""Words of names of waits for something that there could be more of."""
_NAME_READ = 200  # characters of a name that the pattern sees


def find_longest_step(analysis: TraceAnalysis) -> Iterator[Finding]:
    """The span with the longest time of its own on the critical path: a note, and a finding where
    one call takes most of the trace and neither its tokens nor its peers explain it."""
    profile = analysis.profile
    times = sorted(profile.on_path.items(), key=lambda item: -item[1])[:2]
    if not times or len(analysis.tree.nodes) == 1:
        return
    node, time = analysis.tree.by_id[times[0][0]], times[0][1]
    if time < _NOTED_MICROSECONDS or time < _NOTED_SHARE * profile.duration:
        return
    beside = _find_longer_beside(time, analysis)
    following_time = times[1][1] if len(times) > 1 else 0
    standing = Standing.NOTE
    if _is_unexplained(node, analysis):
        standing = _judge_step(
            time,
            following_time,
            profile.duration,
            steps=len(profile.on_path),
            is_beside=beside is not None,
            takes_long=has_word(node.function_name, _LONG_BY_NATURE),
        )
    own = "" if node.size == 1 else ", outside the spans below it"
    following = f", the next longest {format_duration(following_time)}" if following_time else ""
    sentence = (
        f"{one_line(node.name, limit=60)} is the longest step of the critical path:"
        f" {format_duration(time)}{own}, {format_percent(time, profile.duration)} of the"
        f" trace{following}{_explain_by_tokens(node)}."
    )
    if beside is not None:
        sentence = (
            f"{sentence[:-1]}; {one_line(beside.name, limit=60)} ran longer beside it"
            f" ({format_duration(beside.duration)}) without delaying the end."
        )
    confidence = _BESIDE_LONGER if beside else _ALONE
    confidence = _NOTED if standing is Standing.NOTE else confidence
    numbers = {"ms": time / 1_000, "trace_ms": profile.duration / 1_000}
    yield build_finding(
        Category.LONGEST_STEP, confidence, sentence, [node], numbers, standing=standing
    )


def _find_longer_beside(time: int, analysis: TraceAnalysis) -> Node | None:
    """The longest call off the critical path, where it is longer than the time on it."""
    on_path = analysis.profile.on_path
    off_path = (
        node
        for node in analysis.tree.nodes
        if node.size == 1 and node.finished and node.id not in on_path and node.duration > time
    )
    return max(off_path, key=lambda node: (node.duration, -node.index), default=None)


def _judge_step(
    time: int, following: int, whole: int, *, steps: int, is_beside: bool, takes_long: bool
) -> Standing:
    """How wrong an unexplained step of that length is, one of `steps` on the critical path."""
    share = time / max(1, whole)
    if (
        is_beside
        and share >= _BESIDE_SHARE
        and time >= max(_BESIDE_MICROSECONDS, _BESIDE_GAP * following)
    ):
        return Standing.FINDING
    if share >= _SURE_SHARE and time >= _SURE_MICROSECONDS:
        return Standing.FINDING
    if takes_long:
        return Standing.NOTE
    stands_out = share >= _SURE_SHARE and time >= _BEYOND_NEXT * following
    if stands_out and steps >= _MANY_STEPS and time >= _BESIDE_MICROSECONDS:
        return Standing.FINDING
    is_long = share >= _ALONE_SHARE and time >= _ALONE_MICROSECONDS
    return Standing.WEAK if is_long else Standing.NOTE


def _is_unexplained(node: Node, analysis: TraceAnalysis) -> bool:
    """A single call that did not fail, is no wait, and took longer than its tokens and the other
    calls of its name let expect."""
    if node.size > 1 or node.parent is None or not node.finished or node.error is not None:
        return False
    if _WAITS.search(node.name[:_NAME_READ]) and not has_word(node.function_name, _RESOURCES):
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
