"""Failures without a failed span: empty, failed, cut and broken results, refusals."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from app.analysis.finding import Category, Finding, Standing, build_finding
from app.analysis.recorded.request_messages import result_text
from app.analysis.rules.asked_words import list_asked_calls
from app.analysis.rules.error_wording import REFUSED_ERROR
from app.analysis.rules.failures.causes import find_error_causes
from app.analysis.rules.failures.failed_code import find_writer, runs_program
from app.analysis.rules.failures.low_confidence import is_asked_back
from app.analysis.rules.failures.noticed_gaps import was_gap_noticed
from app.analysis.rules.failures.partial_batches import failed_items_of, was_noticed
from app.analysis.rules.failures.refusals import explain_refusal
from app.analysis.rules.failures.reply_faults import judge_reply
from app.analysis.rules.failures.result_faults import judge_result
from app.analysis.rules.failures.suspects import (
    FAULT_PHRASES,
    FAULTS_OF_MISSING_DATA,
    Fault,
    PeerStatistics,
    Suspect,
)
from app.analysis.rules.failures.void_results import reports_success
from app.analysis.rules.recovery import (
    Recovery,
    asking_call,
    find_other_tool,
    find_recovery,
    was_called_after,
)
from app.analysis.rules.symptoms import ended_by_error
from app.analysis.text.one_line import format_count, one_line
from app.analysis.trace_analysis import TraceAnalysis, peer_key
from app.analysis.tree import Node

_CATEGORIES = {
    Fault.EMPTY: Category.EMPTY_RESULT,
    Fault.FAILURE: Category.FAILURE_TEXT,
    Fault.CUT: Category.CUT_REPLY,
    Fault.BLOCKED: Category.CUT_REPLY,
    Fault.BROKEN_JSON: Category.BROKEN_JSON,
    Fault.BAD_CALL: Category.INVALID_CALL,
    Fault.REFUSAL: Category.REFUSAL,
    Fault.PARTIAL: Category.PARTIAL_RESULT,
    Fault.LOSS: Category.LOST_VALUE,
    Fault.DOUBT: Category.DOUBTFUL_RESULT,
}
_CAN_BE_MADE_GOOD = frozenset(Fault) - {Fault.PARTIAL, Fault.LOSS, Fault.DOUBT}
_FAULTS_OF_CODE = frozenset([Fault.FAILURE, Fault.EMPTY])
_FAULTS_PASSED_ON = frozenset([Fault.EMPTY, Fault.FAILURE, Fault.PARTIAL])
_LOST_BY_LATER = 0.2  # later suspects of a fault may be effects of the first
_LOST_BY_RECOVERY = 0.2  # a corrected run of code cost its time all the same
_EXPLAINED_REFUSAL = 0.75  # strength where something shows that it was a fault
_REPORT_READ = 400  # characters of a report of failure
_SHARE_SENT = 0.5  # of the tokens of a reply, by which a prompt that holds it grows at least
_QUOTED = 120  # characters of the reason for which a refusal is a fault
_MOST_FOLLOWED = 40  # suspects of one fault and name for which a recovery is looked for


def find_silent_failures(analysis: TraceAnalysis) -> Iterator[Finding]:
    """Suspicious results by fault and name, and errors with the result that caused them."""
    suspects = _collect_suspects(analysis)
    yield from find_error_causes(analysis, suspects)
    failed = ended_by_error(analysis)
    groups: dict[tuple[Fault, str, Standing], list[Suspect]] = {}
    for suspect in suspects.values():
        standing = suspect.standing
        if failed and standing is Standing.WEAK and suspect.fault in FAULTS_OF_MISSING_DATA:
            # `find_error_causes` names those that explain the error; the others are harmless.
            standing = Standing.NOTE
        if standing is not None:
            groups.setdefault((suspect.fault, suspect.node.name, standing), []).append(suspect)
    earlier: set[Fault] = set()
    for (fault, _, standing), group in groups.items():
        yield _build_group_finding(group, standing, analysis, first=fault not in earlier)
        if standing is not Standing.NOTE:
            earlier.add(fault)


def _collect_suspects(analysis: TraceAnalysis) -> dict[str, Suspect]:
    """The suspects among the read spans by span id, in the order they ended.

    A wrapper that passes on the result of a span below it is not a suspect of its own, nor is a
    step that repeats the failure of an earlier one.
    """
    peers = PeerStatistics(analysis)
    found: list[Suspect] = []
    below: dict[int, set[Fault]] = {}
    for node in reversed(analysis.tree.nodes):
        inside = below.pop(node.index, set())
        if analysis.was_read(node) and node.error is None and node.finished:
            judge = judge_reply if node.view.is_model_call else judge_result
            suspect = judge(node, peers)
            if suspect is not None and not _passes_on(suspect, inside):
                found.append(suspect)
                if suspect.standing is not None:
                    inside.add(suspect.fault)
        if node.parent is not None and inside:
            below.setdefault(node.parent.index, set()).update(inside)
    found.sort(key=lambda each: (each.node.end, -each.node.depth, each.node.index))
    return {each.node.id: each for each in _follow_up(_drop_repeated(found), analysis)}


def _passes_on(suspect: Suspect, inside: set[Fault]) -> bool:
    """Whether a span below has the same fault, or any where this one only returned nothing or
    repeats a failure's text."""
    return suspect.fault in inside or (suspect.fault in _FAULTS_PASSED_ON and bool(inside))


def _drop_repeated(found: Iterable[Suspect]) -> Iterator[Suspect]:
    """The suspects without those that repeat the failure text of an earlier one of another name."""
    stated_by: dict[str, str] = {}
    for suspect in found:
        text = suspect.node.view.failure if suspect.fault is Fault.FAILURE else ""
        if not text or stated_by.setdefault(text, suspect.node.name) == suspect.node.name:
            yield suspect


def _follow_up(found: Iterable[Suspect], analysis: TraceAnalysis) -> Iterator[Suspect]:
    """The suspects with what came of them, for the first of each fault and name."""
    counts: dict[tuple[Fault, str], int] = {}
    for suspect in found:
        key = (suspect.fault, suspect.node.name)
        counts[key] = counts.get(key, 0) + 1
        if counts[key] > _MOST_FOLLOWED or suspect.standing is None:
            yield suspect
        else:
            yield _add_outcome(suspect, analysis)


def _add_outcome(suspect: Suspect, analysis: TraceAnalysis) -> Suspect:
    """The suspect with the model call that wrote what failed, and what made good for it.

    A failure that was made good for is a note; a program that failed is a finding all the same,
    since the model had written it wrongly.
    """
    node = suspect.node
    items = failed_items_of(node) if suspect.fault is Fault.PARTIAL else None
    if items is not None:
        noticed = was_noticed(node, items, analysis)
        reason = f"{suspect.reason} and {'it was noticed' if noticed else 'nobody looked at them'}"
        standing = Standing.NOTE if noticed else suspect.standing
        return replace(suspect, reason=reason, standing=standing)
    writer = find_writer(node, analysis) if suspect.fault in _FAULTS_OF_CODE else None
    recovery = find_recovery(node, analysis) if suspect.fault in _CAN_BE_MADE_GOOD else None
    if suspect.fault is Fault.BAD_CALL and not was_called_after(node, analysis):
        recovery = None
    if suspect.fault is Fault.CUT and recovery is not None and _goes_on(node, recovery.later):
        recovery = None
    if suspect.fault is Fault.REFUSAL:
        why = explain_refusal(node, analysis, recovered=recovery is not None)
        if why:
            reason = f"{suspect.reason}; {one_line(why, limit=_QUOTED)}"
            strength = max(suspect.strength, _EXPLAINED_REFUSAL)
            return replace(suspect, reason=reason, strength=strength, standing=Standing.FINDING)
    if recovery is None:
        if suspect.fault is Fault.FAILURE and _was_replaced(node, analysis):
            return replace(suspect, writer=writer, standing=Standing.WEAK)
        return _add_notice(replace(suspect, writer=writer), analysis)
    suspect = _add_recovery(replace(suspect, writer=writer), recovery)
    if writer is not None and runs_program(node):
        strength = suspect.strength - _LOST_BY_RECOVERY
        return replace(suspect, strength=strength)
    return replace(suspect, standing=Standing.NOTE)


def _add_recovery(suspect: Suspect, recovery: Recovery) -> Suspect:
    """The suspect with what is known of how it was made good for."""
    how = recovery.describe()
    if not how:
        return suspect
    return replace(suspect, reason=f"{suspect.reason}; {how}", made_good_by=recovery.later)


def _goes_on(node: Node, later: Node) -> bool:
    """Whether a later request continues a conversation with a reply that was cut, and does not ask
    for that reply anew: it has more replies, or where it was cut itself, as many more tokens."""
    before, after = (
        sum(message.role == "assistant" for message in each.view.request.messages)
        for each in (node, later)
    )
    usage, more = node.view.usage, later.view.usage.prompt or 0.0
    added = more - (usage.prompt or more)
    return after > before or added >= max(1.0, _SHARE_SENT * (usage.completion or 0.0))


def _was_replaced(node: Node, analysis: TraceAnalysis) -> bool:
    """Whether a model that had asked for a call, or for the one inside it, was refused that and
    went on with another tool, which worked; a report of success shows no refusal."""
    if reports_success(node):
        return False
    calls = (node, *node.children[:1])
    texts = [each.view.failure or result_text(each.view.output.opened) for each in calls]
    if not any(REFUSED_ERROR.search(text[:_REPORT_READ]) for text in texts):
        return False
    asked = any(asking_call(each, analysis) is not None for each in calls)
    return asked and find_other_tool(node, analysis) is not None


def _add_notice(suspect: Suspect, analysis: TraceAnalysis) -> Suspect:
    """The suspect, a note where it is an empty result that a later text speaks of, a doubtful one
    after which a reply asks back, or a weak one of a call for something else than the trace was
    asked."""
    if suspect.fault is Fault.DOUBT and is_asked_back(suspect.node, analysis):
        return replace(suspect, standing=Standing.NOTE)
    if suspect.fault is not Fault.EMPTY or suspect.node.view.is_model_call:
        return suspect
    if suspect.standing is Standing.WEAK:
        asked = analysis.once(list_asked_calls)
        if asked and suspect.node not in asked:  # the trace was asked for something else
            return replace(suspect, standing=Standing.NOTE)
    if not was_gap_noticed(suspect.node, analysis):
        return suspect
    reason = f"{suspect.reason}; a later text says so"
    return replace(suspect, reason=reason, standing=Standing.NOTE)


def _build_group_finding(
    group: Sequence[Suspect], standing: Standing, analysis: TraceAnalysis, *, first: bool
) -> Finding:
    """A finding on the suspects of one fault, name and standing."""
    head = group[0]
    peers = {peer_key(each.node): analysis.peers_of(each.node) for each in group}
    calls = sum(map(len, peers.values()))
    name = head.node.title
    times = f" in {len(group)} of {format_count(calls, 'call')}" if calls > 1 else ""
    came = f"{head.writer.title} wrote what {name} ran, which" if head.writer else name
    sentence = f"{came} {FAULT_PHRASES[head.fault]}{times}: {head.reason}."
    confidence = max(each.strength for each in group) - (0.0 if first else _LOST_BY_LATER)
    strongest = sorted(group, key=lambda each: -each.strength)
    writers = [head.writer] if head.writer else []
    others = [each.writer for each in strongest if each.writer is not None]
    later = [each for each in (head.made_good_by, head.limited_by) if each is not None]
    nodes = [*writers, strongest[0].node, *later]
    more = [*(each.node for each in strongest), *others]
    numbers = {"calls": len(group), "of": calls}
    return build_finding(
        _CATEGORIES[head.fault],
        confidence,
        sentence,
        nodes,
        numbers,
        more=more,
        standing=standing,
    )
