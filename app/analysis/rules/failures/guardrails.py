"""Guardrails that failed or refused, by the trace record or by their own output."""

import re
from collections.abc import Iterator
from itertools import islice

from app.analysis.finding import Category, Finding, Standing, build_finding
from app.analysis.recorded.body import Body
from app.analysis.recorded.body_state import BodyState
from app.analysis.recorded.kind import SpanKind
from app.analysis.recorded.leaves import Leaf, innermost_key
from app.analysis.recorded.names import match_names
from app.analysis.recorded.spellings import key_set, plain_key, word_set
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

_RECORDED_CHECK = 0.9  # confidence: a plain fact
_CHECK_IN_OUTPUT = 0.87  # confidence: read from an output by its keys
_PASSED_LATER = 0.5  # confidence: a later check of the same name passed
_LEAVES_READ = 200  # of an output: a verdict stands near its top
_is_named_guardrail = match_names(
    r"guard ?rails?\b|guard$|(?:llama|nemo|prompt) ?(?:guard|shields?)\b|run shield|tripwire"
    r"|(?:input|output|dialog|retrieval|execution) rails?\b"
    r"|rails?\W{0,3}(?:input|output|dialog|retrieval|execution)\b|model armor"
    r"|self check (?:in|out)put"
)
"""NeMo Guardrails, Llama Stack and Guard, Azure's prompt shields, Google's Model Armor, Mastra."""
_is_named_check = match_names(
    "moderat|safety|policy|police|compliance|jailbreak|injection|content ?filter|toxicity"
)
_FAILED_WORDS = word_set(
    "failed fail blocked flagged rejected violation block denied unsafe deny reject refuse refused"
    " guardrail_intervened intervened match_found jailbreak injection malicious toxic harmful"
    " prompt_injection"
)
_PASS_KEYS = key_set(
    "passed pass valid is_valid safe is_safe allowed is_allowed validation_passed success compliant"
    " is_compliant verdict"
)
_FAIL_KEYS = key_set(
    "failed flagged blocked violated triggered tripwire_triggered tripped unsafe is_flagged"
    " is_blocked is_unsafe should_block stop tripwire intervened attack_detected jailbreak_detected"
    " injection_detected"
)
_VERDICT_KEYS = key_set(
    "result validation_result status verdict outcome guardrail_result decision action label"
    " guardrail_status filter_match_state guardrail_action"
)
_OWN_KEYS = key_set(
    "guardrail_result guardrail_status guardrail_action guardrail_name guardrail_id"
    " tripwire_triggered rail_status activated_rails"
)
"""Keys of a result that only guardrails write (Opik, OpenAI, Bedrock, NeMo), whatever the span is
called."""
_MATCH_KEYS = key_set(
    "type entity_type entity entities category categories label topic topics rule rules policy"
    " text match matched matched_text matches span_text value snippet score confidence probability"
    " reason reasons explanation message detail details hazard hazards violations threshold"
)
"""Keys under which checks say what they matched, and as what (Presidio, Bedrock, Guardrails AI,
Lakera, Azure)."""
_MATCHED_TEXT = key_set("match matched matched_text matches span_text snippet")
_PASSED_WORDS = word_set("passed pass ok allowed allow safe none success")
_MATCHES_SHOWN = 4  # values: kind, text and score of a match, and a reason
_MATCH_SHOWN = 60  # characters of each
_UNSAFE = re.compile(r"\s{0,4}unsafe\b\W{0,4}(?:S\d|O\d|\Z)")  # of Llama Guard
_MASKED = word_set("anonymized masked")  # Bedrock says `GUARDRAIL_INTERVENED` of these as well


def find_failed_guardrails(analysis: TraceAnalysis) -> Iterator[Finding]:
    """Failed checks of the trace record, and guardrail spans whose output is a refusal.

    A check that failed and passed later (the answer was written anew) is a note.
    """
    reported: set[str] = set()
    for validation in analysis.trace.guardrails_validations:
        failed = [c for c in validation.checks if (c.result or "").lower() in _FAILED_WORDS]
        if not failed:
            continue
        names = ", ".join(one_line(check.name or "unnamed", limit=40) for check in failed[:5])
        checked = analysis.tree.by_id.get(validation.span_id or "")
        reported.update([checked.id] if checked else [])
        where = f" of {checked.title}" if checked else ""
        matched = _describe_match(checked) if checked and analysis.was_read(checked) else ""
        sentence = f"The check {names}{where} failed" + (matched and f" ({matched})")
        yield _build_guardrail_finding(checked, sentence, _RECORDED_CHECK, analysis)
    last_call = max((n.start for n in analysis.tree.nodes if n.view.is_model_call), default=0)
    for node in analysis.tree.nodes:
        if node.id in reported or not analysis.was_read(node):
            continue
        if not (_is_guardrail(node) or _stopped_turn(node, last_call)):
            continue
        verdict = _find_refusal(node)
        if verdict:
            name = node.title
            reported.update(below.id for below in analysis.tree.below(node))
            why = "; ".join(filter(None, [one_line(verdict, limit=80), _describe_match(node)]))
            sentence = f"The guardrail {name} refused ({why})"
            yield _build_guardrail_finding(node, sentence, _CHECK_IN_OUTPUT, analysis)


def _is_guardrail(node: Node) -> bool:
    """Whether a span is a guardrail by its kind, its name, its keys, or what a framework says."""
    if node.view.kind is SpanKind.GUARDRAIL:
        return True
    if node.view.is_model_call:
        return False
    metadata = node.span.metadata
    stated = metadata.get("type") if isinstance(metadata, dict) else None
    if not node.children and (stated == "guardrail" or node.view.output.may_have_key(_OWN_KEYS)):
        return True
    return _is_named_guardrail(node.name) and _checks_only(node)


def _checks_only(node: Node) -> bool:
    """Whether a span has nothing below it, or is not the program that its guardrail is around: it
    did not take what the whole trace did."""
    return not node.children or node.parent is not None


def _stopped_turn(node: Node, last_call: int) -> bool:
    """Whether a span checks by its name, and no model call came after it."""
    return (
        node.start > last_call
        and not node.children
        and not node.view.is_model_call
        and _is_named_check(node.name)
    )


def _build_guardrail_finding(
    node: Node | None, sentence: str, confidence: float, analysis: TraceAnalysis
) -> Finding:
    standing = Standing.FINDING
    if node is not None and _passed_later(node, analysis):
        sentence += "; a later check passed"
        confidence, standing = _PASSED_LATER, Standing.NOTE
    nodes = [node] if node else []
    return build_finding(Category.GUARDRAIL, confidence, f"{sentence}.", nodes, standing=standing)


def _describe_match(node: Node) -> str:
    """What a check matched, and as what, as ` (type: PHONE, text: 555 0100, score: 0.9)`, without
    what other checks beside it passed; empty where its output does not say."""
    leaves = node.view.output.leaves[:_LEAVES_READ]
    passed = [leaf.path[:-1] for leaf in leaves if len(leaf.path) > 1 and _says_passed(leaf)]
    found: dict[str, None] = {}
    for path, key, value in leaves:
        if any(path[: len(place)] == place for place in passed):
            continue
        if key in _MATCH_KEYS and type(value) in (str, int, float) and value != "":
            text = one_line(str(value), limit=_MATCH_SHOWN)
            if key in _MATCHED_TEXT and isinstance(value, str) and _lacks(node, value):
                text += " (not in its input)"
            found[f"{one_line(innermost_key(path), limit=40)}: {text}"] = None
        elif value is True and len(path) > 1 and plain_key(path[-2]) in _MATCH_KEYS:
            found[f"{one_line(str(path[-2]))}: {one_line(str(path[-1]), limit=40)}"] = None
    if all(each.startswith("type: ") for each in found):
        return ""
    return ", ".join(islice(found, _MATCHES_SHOWN))


def _lacks(node: Node, text: str) -> bool:
    """Whether no text that a check was given has what it says it matched."""
    given = node.view.input
    wanted = text.casefold()
    leaves = list(given.list_leaves(_LEAVES_READ))
    if given.is_cut or given.state is not BodyState.PRESENT:
        return False
    return len(leaves) < _LEAVES_READ and not any(
        wanted in str(leaf.value).casefold() for leaf in leaves
    )


def _says_passed(leaf: Leaf) -> bool:
    if leaf.key in _VERDICT_KEYS and isinstance(leaf.value, str):
        return leaf.value.lower() in _PASSED_WORDS
    return leaf.key in _PASS_KEYS and leaf.value is True


def _passed_later(node: Node, analysis: TraceAnalysis) -> bool:
    """Whether the same check later passed another text in the same place."""
    place = _place_of(node)
    return any(
        _place_of(peer) is place
        and peer.start >= node.end
        and peer.error is None
        and analysis.was_read(peer)
        and peer.span.output
        and not _find_refusal(peer)
        and not peer.view.input.equals(node.view.input)
        for peer in analysis.peers_of(node)
    )


def _place_of(node: Node) -> Node | None:
    """The step that a check is part of, above steps that do nothing but check."""
    step = node.parent
    while step is not None and len(step.children) == 1:
        step = step.parent
    return step


def _find_refusal(node: Node) -> str:
    """`key: value` that says the check failed, in the output or else in the metadata, where the
    OpenAI Agents SDK puts it; empty where none does."""
    return _refusal_in(node.view.output) or _refusal_in(node.view.metadata)


def _refusal_in(body: Body) -> str:
    if isinstance(body.opened, str) and _UNSAFE.match(body.opened):
        return one_line(body.opened, limit=40)
    leaves = body.leaves[:_LEAVES_READ]
    words = {leaf.value.lower() for leaf in leaves if isinstance(leaf.value, str)}
    if not words.isdisjoint(_MASKED) and "blocked" not in words:
        return ""
    for leaf in leaves:
        name = str(leaf.path[-1]) if leaf.path else leaf.key
        if (leaf.key in _PASS_KEYS and leaf.value is False) or (
            leaf.key in _FAIL_KEYS and leaf.value is True
        ):
            return f"{name}: {str(leaf.value).lower()}"
        if (
            leaf.key in _VERDICT_KEYS
            and isinstance(leaf.value, str)
            and leaf.value.lower() in _FAILED_WORDS
        ):
            return f"{name}: {leaf.value}"
    return ""
