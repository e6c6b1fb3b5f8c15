"""Values that were never filled in: a model or a tool is given the placeholder of a template, a
word for a missing value, or the name of an object instead of what it holds.

A program renders a prompt without one of its variables, and a model looks up `{{member_id}}`. What
a template is to keep, and what a trace is asked about, is no fault: a placeholder counts only where
a step had a value for it, filled others of the same template, or where a call for it failed.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import NamedTuple

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.grouping import group_by
from app.analysis.recorded.body import Body
from app.analysis.recorded.body_state import BodyState
from app.analysis.recorded.leaves import innermost_key
from app.analysis.recorded.spellings import plain_key
from app.analysis.recorded.template_slots import (
    Slot,
    SlotKind,
    may_have_slots,
    read_argument,
    read_slots,
)
from app.analysis.rules.data_flow.named_values import identifies
from app.analysis.rules.data_flow.unfilled_evidence import Reason, weigh_step
from app.analysis.rules.failures.suspects import came_to_nothing
from app.analysis.rules.lookups import is_tool_call, list_tool_calls
from app.analysis.rules.recovery import asking_call
from app.analysis.text.one_line import list_first, one_line
from app.analysis.trace_analysis import TraceAnalysis, list_model_calls, list_read_steps
from app.analysis.tree import CLOCK_TOLERANCE, Node

_MESSAGES_READ = 3  # first and last ones of a request: a template makes instructions and a question
_TEXT_READ = 20_000  # characters of a message
_STEPS_READ = 400  # in which a placeholder is looked for
_MOST_SLOTS = 12  # of one request: with more of them it is about templates
_OTHERS_SHOWN = 3  # names of further spans with a value that was never filled in
_SLOTS_SHOWN = 3
_MOST_OF_ALL = 40  # of a trace
_BESIDE = 20  # characters beside a placeholder that a prompt took over from a step
_ADDRESS = re.compile(r"/|[a-z][a-z+.-]{1,20}://")
_ANSWERS = frozenset(["assistant", "tool", "function", "model"])

# Confidences.
_CALL_FAILED = 0.85
_CALL_WORKED = 0.75


class _Use(NamedTuple):
    """A model or a call that was given a placeholder, or the span whose answer has it, from the
    moment `at` on; `is_value` where it is an argument or stands in a name or an address; `key` is
    that of the `argument`; `before` and `after` are the placeholder with what stands beside it."""

    node: Node
    slot: Slot
    at: int
    is_value: bool = False
    key: str = ""
    argument: str = ""
    before: str = ""
    after: str = ""


class _Unfilled(NamedTuple):
    """Why a placeholder is a fault, and the span to blame: the first one that had it."""

    slot: Slot
    origin: Node
    reason: Reason
    uses: Sequence[_Use]


def find_unfilled_values(analysis: TraceAnalysis) -> Iterator[Finding]:
    """One finding for each span that left placeholders, with the spans that were given them."""
    lists = _list_arguments(analysis), _list_prompts(analysis), _list_answers(analysis)
    by_slot = group_by(chain.from_iterable(lists), lambda use: use.slot)
    if not by_slot or len(by_slot) > _MOST_OF_ALL:
        return
    search = _Search(analysis)
    explained = (search.explain(slot, sorted(uses, key=_when)) for slot, uses in by_slot.items())
    found = [each for each in explained if each is not None]
    for group in group_by(found, lambda each: each.origin.id).values():
        yield _build_finding(group)


def _list_arguments(analysis: TraceAnalysis) -> Iterator[_Use]:
    models = analysis.once(list_model_calls)
    asked = {call.name for model in models for call in model.view.reply.calls if call.name}
    calls = analysis.once(list_tool_calls)
    if asked:
        known = {node.id for node in calls}
        steps = analysis.once(list_read_steps)
        calls = calls + [
            node for node in steps if node.function_name in asked and node.id not in known
        ]
    for node in calls:
        if not (analysis.was_read(node) and any(map(may_have_slots, node.view.input.first_texts))):
            continue
        for leaf in node.view.input.first_leaves:
            if isinstance(leaf.value, str):
                is_name = identifies(leaf.key)
                for slot, is_value in read_argument(leaf.value, is_name=is_name):
                    key = innermost_key(leaf.path)
                    yield _Use(node, slot, node.start, is_value, key, leaf.value)


def _list_prompts(analysis: TraceAnalysis) -> Iterator[_Use]:
    """What models were given by the program, unlike what tools and models returned before."""
    given: dict[str, list[Node]] = {}
    for node in analysis.once(list_model_calls):
        messages = node.view.request.messages
        if len(messages) > 2 * _MESSAGES_READ:
            messages = messages[:_MESSAGES_READ] + messages[-_MESSAGES_READ:]
        for message in messages:
            if message.role not in _ANSWERS:
                given.setdefault(message.text[:_TEXT_READ], []).append(node)
    for text, nodes in given.items():
        if not may_have_slots(text):
            continue
        for slot, *sides in _read_sides(text):
            yield from (_Use(node, slot, node.start, False, "", "", *sides) for node in nodes)


def _list_answers(analysis: TraceAnalysis) -> Iterator[_Use]:
    roots = analysis.tree.roots[-1:]
    for text in _list_texts(analysis.returned) if roots else ():
        if may_have_slots(text):
            for slot, *sides in _read_sides(text[:_TEXT_READ]):
                yield _Use(roots[0], slot, analysis.tree.end, False, "", "", *sides)


def _read_sides(text: str) -> Iterator[tuple[Slot, str, str]]:
    """The placeholders of a text, each with what stands before and after it."""
    found = dict(read_slots(text))
    for slot, at in found.items() if len(found) <= _MOST_SLOTS else ():
        end = at + len(slot.text)
        yield slot, text[max(0, at - _BESIDE) : end], text[at : end + _BESIDE]


class _Search:
    """Looks for the span that left a placeholder."""

    def __init__(self, analysis: TraceAnalysis) -> None:
        self._analysis = analysis
        self._asked = _join_texts(analysis.given)

    def explain(self, slot: Slot, uses: Sequence[_Use]) -> _Unfilled | None:
        """Why a placeholder is a fault; None where it may be meant."""
        if slot.written in self._asked:
            return None
        found = self._find_step(slot, uses)
        if not any(map(_is_never_meant, uses)) and self._is_meant(slot, uses):
            return None
        return found or self._find_call(slot, uses)

    def _is_meant(self, slot: Slot, uses: Sequence[_Use]) -> bool:
        """Whether a model wrote the placeholder into a text, since it was to keep it, or calls
        with it work, since what runs them fills it in."""
        values = [use for use in uses if use.is_value]
        if values:
            return not any(came_to_nothing(use.node) for use in values)
        calls = self._analysis.once(list_model_calls)
        return any(slot.text in call.view.reply.text for call in calls) or any(
            asking_call(use.node, self._analysis) is not None
            for use in uses
            if not use.node.view.is_model_call
        )

    def _earlier_steps(self, slot: Slot, before: int) -> Iterator[Node]:
        """The steps whose results held the placeholder at a moment, the first one first."""
        low = slot.text.casefold()
        for step in islice(self._analysis.once(list_read_steps), _STEPS_READ):
            if step.end <= before + CLOCK_TOLERANCE:
                output = step.view.output
                if output.state is BodyState.PRESENT and low in output.canonical:
                    yield step

    def _find_step(self, slot: Slot, uses: Sequence[_Use]) -> _Unfilled | None:
        """A step that returned the placeholder though it had a value for it or filled others."""
        is_foreign = False
        for step in self._earlier_steps(slot, uses[0].at):
            text = next((each for each in _list_texts(step.view.output) if slot.text in each), "")
            if any(_took_over(use, text) for use in uses):
                found = weigh_step(step, slot, text, is_foreign=is_foreign)
                if found is not None:
                    return _Unfilled(slot, step, found, uses)
            is_foreign = is_foreign or is_tool_call(step)
        return None

    def _find_call(self, slot: Slot, uses: Sequence[_Use]) -> _Unfilled | None:
        """A call that was given the placeholder as a name or an address, and came to nothing."""
        for use in uses:
            if not use.is_value or _has_value_beside(use):
                continue
            failed = came_to_nothing(use.node)
            if not (failed or _is_never_meant(use)):
                continue
            origin = self._find_origin(slot, use, uses)
            if origin is not None:
                confidence = _CALL_FAILED if failed else _CALL_WORKED
                return _Unfilled(slot, origin, Reason("", confidence), uses)
        return None

    def _find_origin(self, slot: Slot, use: _Use, uses: Sequence[_Use]) -> Node | None:
        """The first span that had the placeholder; None where it is what a tool returned, or stands
        nowhere before: a pattern, a command and the route of a server may have it."""
        if not slot.is_whole_word:
            for step in self._earlier_steps(slot, use.at):
                if not is_tool_call(step):
                    return step
                if step is not use.node and not identifies(plain_key(use.key)):
                    return None
        given = (each.node for each in uses if each.node.view.is_model_call)
        first = next((node for node in given if node.start <= use.node.start), None)
        if first is not None:
            return first
        asked = asking_call(use.node, self._analysis)
        if slot.kind in (SlotKind.WORD, SlotKind.OBJECT) or identifies(plain_key(use.key)):
            return asked or use.node
        return asked if _ADDRESS.match(use.argument) else None


def _when(use: _Use) -> int:
    return use.at


def _took_over(use: _Use, text: str) -> bool:
    """Whether a placeholder of a prompt comes from this text, by what stands around it."""
    return use.slot.kind is SlotKind.OBJECT or use.before in text or use.after in text


def _is_never_meant(use: _Use) -> bool:
    """Whether nobody passes it on purpose: the name of an object, and `undefined` as an id."""
    if use.slot.is_whole_word and not use.slot.may_be_prose:
        return identifies(plain_key(use.key))
    return use.slot.kind is SlotKind.OBJECT


def _has_value_beside(use: _Use) -> bool:
    """Whether a call has the value of a variable beside the path of a request or the text of a
    query: under its name, or in an object or list of parameters that does not hold it itself."""
    leaves = use.node.view.input.first_leaves
    around = {leaf.path[:-1] for leaf in leaves if leaf.value == use.argument}
    return any(
        use.slot.has_name(leaf.key) or (len(leaf.path) > 1 and leaf.path[:-1] not in around)
        for leaf in leaves
        if innermost_key(leaf.path) != use.key and leaf.value not in (None, "", use.slot.text)
    )


def _list_texts(body: Body) -> list[str]:
    return list(body.first_texts)


def _join_texts(body: Body) -> str:
    return "\n".join(_list_texts(body))


def _build_finding(group: Sequence[_Unfilled]) -> Finding:
    best = max(group, key=lambda each: each.reason.confidence)
    uses = sorted(dict.fromkeys(use for each in group for use in each.uses), key=_when)
    calls = [use for use in uses if use.is_value]
    texts = list(dict.fromkeys(f"“{one_line(each.slot.text, limit=40)}”" for each in group))
    shown = list_first(texts[:_SLOTS_SHOWN], len(texts))
    first = (calls or uses)[0]
    describe = _describe_step if best.reason.why else _describe_call
    sentence = describe(best, shown, first)
    named = (best.origin, first.node)
    others = list(dict.fromkeys(use.node.function_title for use in uses if use.node not in named))
    if others:
        sentence += f"; {list_first(others[:_OTHERS_SHOWN], len(others))} had it too"
    failed = any(use.node.error is not None and use.node is not best.origin for use in calls)
    category = Category.CAUSE_OF_ERROR if failed else Category.LOST_VALUE
    nodes = [best.origin, *(use.node for use in uses)]
    confidence, standing = best.reason.confidence, best.reason.standing
    return build_finding(category, confidence, f"{sentence}.", nodes, standing=standing)


def _describe_step(found: _Unfilled, shown: str, use: _Use) -> str:
    name = found.origin.title
    had = "was asked with" if found.origin.view.is_model_call else "returned"
    sentence = f"{name} {had} {shown}, never filled in, {found.reason.why}"
    if use.node is found.origin:
        return sentence
    return f"{sentence}; {_describe_use(use)}"


def _describe_call(found: _Unfilled, shown: str, use: _Use) -> str:
    origin = found.origin
    sentence = f"{_describe_use(use)}: {shown} was never filled in"
    if origin is use.node:
        return sentence
    name = origin.title
    if not origin.view.is_model_call:
        return f"{sentence}; {name} had returned it"
    given = any(each.node is origin for each in found.uses)
    return f"{sentence}; {name} {'was given it before' if given else 'asked for this call'}"


def _describe_use(use: _Use) -> str:
    name = use.node.function_title
    if not (use.is_value or use.at == use.node.start):
        return "the answer has it"
    if not use.is_value:
        return f"{name} was given that"
    label = f" for {one_line(use.key, limit=40)}" if use.key else ""
    end = " and came to nothing" if came_to_nothing(use.node) else ""
    return f"{name} was given “{one_line(use.slot.text, limit=40)}”{label}{end}"
