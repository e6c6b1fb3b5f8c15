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

from app.analysis.finding import Category, Finding, Standing, build_finding
from app.analysis.recorded.body import Body
from app.analysis.recorded.body_state import BodyState
from app.analysis.recorded.leaves import Leaf, innermost_key
from app.analysis.recorded.spellings import plain_key
from app.analysis.recorded.template_slots import (
    Slot,
    SlotKind,
    is_rendered,
    list_filled,
    may_have_slots,
    read_argument,
    read_slots,
)
from app.analysis.rules.lookups import is_lookup, is_tool_call, list_tool_calls
from app.analysis.rules.named_values import identifies
from app.analysis.rules.recovery import asking_call
from app.analysis.text.one_line import list_first, one_line
from app.analysis.trace_analysis import TraceAnalysis, list_model_calls, list_read_steps
from app.analysis.tree import CLOCK_TOLERANCE, Node

_MESSAGES_READ = 3  # first and last ones of a request: a template makes instructions and a question
_TEXT_READ = 20_000  # characters of a message
_ARGUMENTS_READ = 40  # of a call
_LEAVES_READ = 60  # of one body
_STEPS_READ = 400  # in which a placeholder is looked for
_MOST_SLOTS = 12  # of one request: with more of them it is about templates
_LONGEST_VALUE = 200  # characters of a value that are looked for in a text
_SLOTS_SHOWN = 3
_BESIDE = 20  # characters beside a placeholder that a prompt took over from a step
_ANSWERS = frozenset(["assistant", "tool", "function", "model"])

# Confidences. A step that was given the value under the very name is the surest sign.
_SAME_NAME = 0.85
_LIKE_NAME = 0.8
_OTHERS_FILLED = 0.75
_OTHER_NAME = 0.65  # in another language, or a value that the text does not need
_CALL_FAILED = 0.85
_CALL_WORKED = 0.75
_NOT_IN_PROMPT = 0.75


class _Use(NamedTuple):
    """A model or a call that was given a placeholder; `is_value` where it is an argument or stands
    in a name or an address, `key` that of the argument."""

    node: Node
    slot: Slot
    is_value: bool = False
    key: str = ""
    before: str = ""
    after: str = ""


class _Reason(NamedTuple):
    why: str
    confidence: float
    standing: Standing = Standing.FINDING


class _Unfilled(NamedTuple):
    """Why a placeholder is a fault; the span to blame, and the first one that had it."""

    slot: Slot
    culprit: Node
    reason: _Reason
    uses: Sequence[_Use]
    origin: Node


def find_unfilled_values(analysis: TraceAnalysis) -> Iterator[Finding]:
    """One finding for each span that left placeholders, with the spans that were given them."""
    by_slot: dict[Slot, list[_Use]] = {}
    for use in chain(_list_arguments(analysis), _list_prompts(analysis)):
        by_slot.setdefault(use.slot, []).append(use)
    if not by_slot:
        return
    search = _Search(analysis)
    by_culprit: dict[str, list[_Unfilled]] = {}
    for slot, uses in by_slot.items():
        found = search.explain(slot, sorted(uses, key=lambda use: use.node.start))
        if found is not None:
            by_culprit.setdefault(found.culprit.id, []).append(found)
    for group in by_culprit.values():
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
        if not (analysis.was_read(node) and any(map(_may_have_slot, node.view.input.first_values))):
            continue
        for leaf in node.view.input.first_leaves(_ARGUMENTS_READ):
            if isinstance(leaf.value, str):
                is_name = identifies(leaf.key)
                for slot, is_value in read_argument(leaf.value, is_name=is_name):
                    yield _Use(node, slot, is_value, innermost_key(leaf.path))


def _may_have_slot(value: object) -> bool:
    return isinstance(value, str) and may_have_slots(value)


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
    if not may_have_slots("\n".join(given)):
        return
    for text, nodes in given.items():
        found = dict(read_slots(text))
        if len(found) <= _MOST_SLOTS:
            for slot, at in found.items():
                end = at + len(slot.text)
                sides = text[max(0, at - _BESIDE) : end], text[at : end + _BESIDE]
                yield from (_Use(node, slot, False, "", *sides) for node in nodes)


class _Search:
    """Looks for the span that left a placeholder."""

    def __init__(self, analysis: TraceAnalysis) -> None:
        self._analysis = analysis
        self._asked = _join_texts(Body(analysis.trace.input))

    def explain(self, slot: Slot, uses: Sequence[_Use]) -> _Unfilled | None:
        """Why a placeholder is a fault; None where it may be meant."""
        if slot.text in self._asked:
            return None
        writes = self._is_written_about(slot, uses)
        return (
            self._find_step(slot, uses, writes=writes)
            or self._find_call(slot, uses)
            or (None if writes else self._find_prompt(slot, uses))
        )

    def _is_written_about(self, slot: Slot, uses: Sequence[_Use]) -> bool:
        """Whether a model wrote the placeholder into a text, since it was to keep it, rather than
        take it for the value in a call that came to nothing."""
        if any(use.is_value and _came_to_nothing(use.node) for use in uses):
            return False
        return any(
            slot.text in use.node.view.reply.text
            if use.node.view.is_model_call
            else asking_call(use.node, self._analysis) is not None
            for use in uses
        )

    def _earlier_steps(self, slot: Slot, before: Node) -> Iterator[Node]:
        """The steps whose results hold the placeholder, the first one first."""
        low = slot.text.casefold()
        for step in islice(self._analysis.once(list_read_steps), _STEPS_READ):
            if step.end <= before.start + CLOCK_TOLERANCE and step is not before:
                output = step.view.output
                if output.state is BodyState.PRESENT and low in output.canonical:
                    yield step

    def _find_step(self, slot: Slot, uses: Sequence[_Use], *, writes: bool) -> _Unfilled | None:
        """A step that returned the placeholder though it had a value for it or filled others."""
        for step in self._earlier_steps(slot, uses[0].node):
            text = next((each for each in _list_texts(step.view.output) if slot.text in each), "")
            if not any(_took_over(use, text) for use in uses):
                continue
            found = _weigh_step(step, slot, text)
            if found is not None and not writes:
                started = self._find_started(slot, step)
                return _Unfilled(slot, started or step, found, uses, step)
        return None

    def _find_started(self, slot: Slot, step: Node) -> Node | None:
        """The call that was started and not waited for, where the object is that of one."""
        if slot.kind is not SlotKind.OBJECT or not slot.name:
            return None
        return next(
            (
                node
                for node in islice(self._analysis.tree.nodes, _STEPS_READ)
                if node.name == slot.name and node.start <= step.end
            ),
            None,
        )

    def _find_call(self, slot: Slot, uses: Sequence[_Use]) -> _Unfilled | None:
        """A call that was given the placeholder as a name or an address, and came to nothing."""
        for use in uses:
            if not use.is_value or _has_value_beside(use):
                continue
            failed = _came_to_nothing(use.node)
            if not failed and slot.kind is not SlotKind.OBJECT:
                continue
            origin = self._find_origin(slot, use, uses)
            if slot.is_whole_word:
                origin = self._find_writer(slot, use) or (None if self._is_known(use) else origin)
            if origin is not None:
                confidence = _CALL_FAILED if failed else _CALL_WORKED
                return _Unfilled(slot, origin, _Reason("", confidence), uses, origin)
        return None

    def _find_writer(self, slot: Slot, use: _Use) -> Node | None:
        """The first step of the program that wrote the word for a missing value into a text."""
        word = re.compile(rf"(?<=\w.){slot.text}(?!\w)")
        for step in self._earlier_steps(slot, use.node):
            texts = _list_texts(step.view.output)
            if is_tool_call(step) or not any(map(word.search, texts)):
                continue
            if not any(map(word.search, _list_texts(step.view.input))):
                return step
        return None

    def _is_known(self, use: _Use) -> bool:
        """Whether anything before has the argument by its name: then its value was lost since."""
        bodies = [Body(self._analysis.trace.input)]
        for step in islice(self._analysis.once(list_read_steps), _STEPS_READ):
            if step is not use.node and step.end <= use.node.start + CLOCK_TOLERANCE:
                bodies += [step.view.input, step.view.output]
        return any(plain_key(use.key) in body.keys for body in bodies)

    def _find_origin(self, slot: Slot, use: _Use, uses: Sequence[_Use]) -> Node | None:
        """The first span that had the placeholder; None where it is what a tool returned."""
        if not slot.is_whole_word:
            for step in self._earlier_steps(slot, use.node):
                if not is_tool_call(step):
                    return step
                if not identifies(plain_key(use.key)):
                    return None
        given = (each.node for each in uses if each.node.view.is_model_call)
        first = next((node for node in given if node.start <= use.node.start), None)
        return first or asking_call(use.node, self._analysis) or use.node

    def _find_prompt(self, slot: Slot, uses: Sequence[_Use]) -> _Unfilled | None:
        """A request with the placeholder and without the value that a step around had for it."""
        call = next((use.node for use in uses if use.node.view.is_model_call), None)
        if call is None or slot.kind is SlotKind.OBJECT:
            return None
        if any(slot.has_name(leaf.key) for leaf in call.view.input.first_leaves(_LEAVES_READ)):
            return None
        if any(map(is_tool_call, self._earlier_steps(slot, call))):
            return None
        text = "\n".join(message.text for message in call.view.request.messages)
        around = [Body(self._analysis.trace.input)]
        around += [step.view.input for step in call.path()[:-1] if self._analysis.was_read(step)]
        for body in around:
            for leaf in body.first_leaves(_LEAVES_READ):
                if slot.has_name(innermost_key(leaf.path)) and _is_left_out(leaf, text):
                    why = f"though “{one_line(str(leaf.value), limit=40)}” was known for it"
                    return _Unfilled(slot, call, _Reason(why, _NOT_IN_PROMPT), uses, call)
        return None


def _took_over(use: _Use, text: str) -> bool:
    """Whether a placeholder of a prompt comes from this text, by what stands around it."""
    if use.is_value or use.slot.kind is SlotKind.OBJECT:
        return True
    return use.before in text or use.after in text


def _weigh_step(step: Node, slot: Slot, text: str) -> _Reason | None:
    """What shows that a step should have filled the placeholder that its text has."""
    leaves = [
        leaf for leaf in step.view.input.first_leaves(_LEAVES_READ) if leaf.value not in (None, "")
    ]
    held = [
        leaf.value for leaf in leaves if isinstance(leaf.value, str) and slot.text in leaf.value
    ]
    template = next((each for each in held if is_rendered(each, text)), None)
    is_variable = slot.kind in (SlotKind.VARIABLE, SlotKind.BRACED)
    if held and not (is_variable and template):
        return None
    if slot.kind is SlotKind.OBJECT:
        return None if is_tool_call(step) else _Reason("but only names an object", _LIKE_NAME)
    if step.view.calls_outside and is_lookup(step.function_name):
        return None
    left = [leaf for leaf in leaves if _is_left_out(leaf, text)]
    for is_alike, confidence in ((slot.has_name, _SAME_NAME), (slot.resembles, _LIKE_NAME)):
        alike = [leaf for leaf in left if is_alike(innermost_key(leaf.path))]
        if alike:
            return _Reason(f"though it was given {_format_leaf(alike[0])}", confidence)
    if slot.kind is not SlotKind.VARIABLE:
        return None
    filled = list_filled(template, text) if template else []
    if filled:
        return _Reason(f"though it filled {one_line(filled[0], limit=40)}", _OTHERS_FILLED)
    texts = [leaf for leaf in left if isinstance(leaf.value, str)]
    if texts and not held and len(texts) < len(leaves):
        why = f"while {_format_leaf(texts[0])} was not used"
        return _Reason(why, _OTHER_NAME, Standing.WEAK)
    return None


def _format_leaf(leaf: Leaf) -> str:
    key, value = (one_line(str(each), limit=40) for each in (innermost_key(leaf.path), leaf.value))
    return f"{key} “{value}”"


def _is_left_out(leaf: Leaf, text: str) -> bool:
    """Whether a value that was known stands nowhere in a text."""
    if type(leaf.value) is int:
        return str(leaf.value) not in text
    value = leaf.value.strip() if isinstance(leaf.value, str) else ""
    return bool(value) and value[:_LONGEST_VALUE] not in text


def _has_value_beside(use: _Use) -> bool:
    """Whether a call has the value of a variable under its name, as beside the path of a request,
    or as a parameter of a query."""
    return any(
        use.slot.has_name(leaf.key) and leaf.value not in (None, "", use.slot.text)
        for leaf in use.node.view.input.first_leaves(_LEAVES_READ)
        if leaf.key != use.key
    )


def _came_to_nothing(node: Node) -> bool:
    view = node.view
    return view.error is not None or bool(view.failure) or view.returned_nothing


def _list_texts(body: Body) -> list[str]:
    return [leaf.value for leaf in body.first_leaves(_LEAVES_READ) if isinstance(leaf.value, str)]


def _join_texts(body: Body) -> str:
    return "\n".join(_list_texts(body))


def _build_finding(group: Sequence[_Unfilled]) -> Finding:
    best = max(group, key=lambda each: each.reason.confidence)
    uses = sorted({use for each in group for use in each.uses}, key=lambda use: use.node.start)
    calls = [use for use in uses if use.is_value]
    texts = list(dict.fromkeys(f"“{one_line(each.slot.text, limit=40)}”" for each in group))
    shown = list_first(texts[:_SLOTS_SHOWN], len(texts))
    first = (calls or uses)[0]
    describe = _describe_step if best.reason.why else _describe_call
    sentence = describe(best, shown, first)
    failed = any(use.node.error is not None and use.node is not best.culprit for use in calls)
    category = Category.CAUSE_OF_ERROR if failed else Category.LOST_VALUE
    nodes = [best.culprit, best.origin, *(use.node for use in uses)]
    confidence, standing = best.reason.confidence, best.reason.standing
    return build_finding(category, confidence, f"{sentence}.", nodes, standing=standing)


def _describe_step(found: _Unfilled, shown: str, use: _Use) -> str:
    name = one_line(found.origin.name, limit=60)
    had = "was asked with" if found.origin.view.is_model_call else "returned"
    sentence = f"{name} {had} {shown}, never filled in, {found.reason.why}"
    if found.culprit is not found.origin:
        sentence += f"; {one_line(found.culprit.name, limit=60)} was not waited for"
    if use.node is found.origin:
        return sentence
    return f"{sentence}; {_describe_use(use)}"


def _describe_call(found: _Unfilled, shown: str, use: _Use) -> str:
    origin = found.origin
    sentence = f"{_describe_use(use)}: {shown} was never filled in"
    if origin is use.node:
        return sentence
    name = one_line(origin.name, limit=60)
    if not origin.view.is_model_call:
        return f"{sentence}; {name} had returned it"
    given = any(each.node is origin for each in found.uses)
    return f"{sentence}; {name} {'was given it before' if given else 'asked for this call'}"


def _describe_use(use: _Use) -> str:
    name = one_line(use.node.function_name, limit=60)
    if not use.is_value:
        return f"{name} was given that"
    label = f" for {one_line(use.key, limit=40)}" if use.key else ""
    end = " and came to nothing" if _came_to_nothing(use.node) else ""
    return f"{name} was given “{one_line(use.slot.text, limit=40)}”{label}{end}"
