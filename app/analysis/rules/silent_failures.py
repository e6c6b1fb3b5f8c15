"""Failures that no span is marked with: empty, failed, cut and broken results, and the errors
that they led to later."""

import re
from collections.abc import Iterator, Mapping

from app.analysis.finding import Category, Finding
from app.analysis.raises import Raise, has_failed, message_of, trace_raises
from app.analysis.replies import failure_in, gives_up, spoken
from app.analysis.scene import Scene
from app.analysis.suspects import Fault, Suspect, find_suspects
from app.analysis.wording import counted, one_line

_DATA_ERROR = re.compile(
    r"NoneType|KeyError|IndexError|out of range|not found|missing|empty|no (?:\w+ )?(?:results?|"
    r"documents?|data|rows?|match|context|content|candidates?|items?)|StopIteration"
    r"|division by zero|required|no attribute"
    r"|subscript|not iterable|at least|nothing|without |needs?\b|needed|must (?:not )?(?:be|have)",
    re.IGNORECASE,
)
_FORMAT_ERROR = re.compile(
    r"JSON|Expecting|Unterminated|pars(?:e|er|ing)|Validation|decode|unexpected (?:token|end|char)"
    r"|invalid (?:format|literal|syntax)|SyntaxError|delimiter|schema|malformed",
    re.IGNORECASE,
)
_LOOKED_AT = 500
_LEAST_ALONE = 0.55
_CATEGORIES = {
    Fault.EMPTY: Category.EMPTY_RESULT,
    Fault.FAILURE: Category.FAILURE_TEXT,
    Fault.CUT: Category.CUT_REPLY,
    Fault.BLOCKED: Category.CUT_REPLY,
    Fault.BROKEN_JSON: Category.BROKEN_JSON,
}
_WORDS = {
    Fault.EMPTY: "returned nothing",
    Fault.FAILURE: "failed without being marked as failed",
    Fault.CUT: "was cut off at its token limit",
    Fault.BLOCKED: "was stopped by a content filter",
    Fault.BROKEN_JSON: "gave broken JSON",
}


def silent_failures(scene: Scene) -> Iterator[Finding]:
    """Suspects by fault and name, and errors with the suspect that they go back to."""
    suspects = find_suspects(scene)
    for item in trace_raises(scene.trace, scene.tree):
        cause = _cause(item, suspects, scene)
        if cause is not None:
            yield _caused(cause, item)
    symptom = _symptom(scene)
    groups: dict[tuple[Fault, str], list[Suspect]] = {}
    for suspect in suspects.values():
        groups.setdefault((suspect.fault, suspect.node.name), []).append(suspect)
    earlier: set[Fault] = set()
    for group in groups.values():
        finding = _alone(group, symptom, scene, first=group[0].fault not in earlier)
        if finding is not None:
            earlier.add(group[0].fault)
            yield finding


def _cause(item: Raise, suspects: Mapping[str, Suspect], scene: Scene) -> Suspect | None:
    """The strongest earlier suspect whose fault fits the error; the earliest where they tie."""
    said = message_of(item.error)
    fits = set()
    if _DATA_ERROR.search(said):
        fits |= {Fault.EMPTY, Fault.FAILURE}
    if _FORMAT_ERROR.search(said):
        fits |= {Fault.BROKEN_JSON, Fault.CUT, Fault.BLOCKED, Fault.EMPTY, Fault.FAILURE}
    if not fits or not suspects:
        return None
    best: tuple[float, int, Suspect] | None = None
    for count, node in enumerate(scene.earlier(item.origin)):
        suspect = suspects.get(node.id)
        if suspect is not None and suspect.fault in fits:
            score = (suspect.strength, -node.end)
            if best is None or score > best[:2]:
                best = (*score, suspect)
        if count > _LOOKED_AT and best is not None:
            break
    return best[2] if best else None


def _caused(cause: Suspect, item: Raise) -> Finding:
    name, victim = (one_line(node.name, limit=60) for node in (cause.node, item.origin))
    sentence = (
        f"{name} {_WORDS[cause.fault]} ({cause.reason}), and later {victim} failed with"
        f" {one_line(message_of(item.error), limit=160)}."
    )
    confidence = 0.75 + 0.2 * cause.strength
    if not item.fatal:
        confidence -= 0.25
    spans = dict.fromkeys([cause.node.id, item.origin.id, *(node.id for node in item.path)])
    waited = (item.origin.start - cause.node.end) / 1_000
    return Finding(
        Category.CAUSE_OF_ERROR, confidence, sentence, tuple(spans)[:12], {"ms_between": waited}
    )


def _alone(group: list[Suspect], symptom: str, scene: Scene, *, first: bool) -> Finding | None:
    """A finding on suspects themselves, where they are strong enough or a symptom backs them.

    Later suspects of the same fault (not `first`) may well only show what the first one did.
    """
    head = group[0]
    strength = max(suspect.strength for suspect in group)
    backed = symptom and strength < 0.95
    if head.fault is Fault.EMPTY and strength < _LEAST_ALONE and not symptom:
        return None
    if head.fault is Fault.EMPTY and strength < 0.25:
        return None
    calls = len(scene.peers_of(head.node))
    name = one_line(head.node.name, limit=60)
    times = f" in {len(group)} of {counted(calls, 'call')}" if calls > 1 else ""
    end = f"; {symptom}" if backed else ""
    sentence = f"{name} {_WORDS[head.fault]}{times}: {head.reason}{end}."
    confidence = min(0.95, strength + (0.15 if backed else 0.0)) - (0.0 if first else 0.2)
    strongest = sorted(group, key=lambda suspect: -suspect.strength)
    return Finding(
        _CATEGORIES[head.fault],
        confidence,
        sentence,
        tuple(suspect.node.id for suspect in strongest[:12]),
        {"calls": len(group), "of": calls},
    )


def _symptom(scene: Scene) -> str:
    """What the end of the trace says of an earlier failure; empty where it says nothing."""
    roots = [node for node in scene.tree.roots if scene.was_read(node)]
    outputs = [scene.trace.output, *(node.span.output for node in roots[-1:])]
    if scene.trace.error_info or any(has_failed(node) for node in scene.tree.roots):
        return "the trace failed in the end"
    for output in outputs:
        failure = failure_in(output)
        if failure:
            return f"the final output says “{one_line(failure, limit=100)}”"
        text = spoken(output)
        if gives_up(text):
            return f"the final answer is “{one_line(text, limit=100)}”"
    return ""
