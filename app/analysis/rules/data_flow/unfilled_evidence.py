"""What shows that a step should have filled a placeholder that stands in what it returned."""

from typing import NamedTuple

from app.analysis.finding import Standing
from app.analysis.recorded.leaves import Leaf, innermost_key
from app.analysis.recorded.template_slots import Slot, SlotKind, is_rendered, list_filled
from app.analysis.rules.lookups import is_lookup, is_tool_call, makes_query
from app.analysis.text.one_line import one_line
from app.analysis.tree import Node

_LONGEST_VALUE = 200  # characters of a value that are looked for in a text
_WITHIN_OBJECT = 2  # levels: values beside a template are the members of an object as a rule

# Confidences. A step that was given the value under the very name is the surest sign.
_SAME_NAME = 0.85
_LIKE_NAME = 0.8
_OTHERS_FILLED = 0.75


class Reason(NamedTuple):
    """Why a placeholder is a fault, as a part of a sentence, and how sure that is."""

    why: str
    confidence: float
    standing: Standing = Standing.FINDING


def weigh_step(step: Node, slot: Slot, text: str, *, is_foreign: bool) -> Reason | None:
    """Why a step should have filled the placeholder that its text has; None where it may be meant.

    `is_foreign` says that a tool had returned the placeholder before.
    """
    leaves = [leaf for leaf in step.view.input.first_leaves if leaf.value]
    held = [text for text in step.view.input.first_texts if slot.text in text]
    if slot.kind is SlotKind.OBJECT:
        return None if held else _weigh_object(step, slot, leaves)
    name = step.function_name
    reads = is_lookup(name) and not makes_query(name)
    if reads and step.view.calls_outside:
        return None
    template = next((each for each in held if is_rendered(each, text)), "")
    if held and (slot.kind is SlotKind.WORD or not template):
        return None
    left = [leaf for leaf in leaves if _is_left_out(leaf, text)]
    filled = list_filled(template, text, slot) if template else []
    if reads or (held and is_foreign and not filled):
        left = [leaf for leaf in left if len(leaf.path) >= _WITHIN_OBJECT]
    named = _weigh_names(slot, left, was_passed=bool(held) and not filled)
    if named is not None or not filled:
        return named
    why = f"though it filled {one_line(filled[0], limit=40)}"
    return Reason(why, _OTHERS_FILLED, _stand(is_sure=slot.kind is SlotKind.VARIABLE))


def _weigh_object(step: Node, slot: Slot, leaves: list[Leaf]) -> Reason | None:
    """A step of the program puts an object that it was given into a text, or one that it made."""
    has_object = bool(slot.name) or "Promise" in slot.text
    has_object = has_object or any(len(leaf.path) >= _WITHIN_OBJECT for leaf in leaves)
    if is_tool_call(step) or not has_object:
        return None
    return Reason("but only names an object", _LIKE_NAME)


def _weigh_names(slot: Slot, left: list[Leaf], *, was_passed: bool) -> Reason | None:
    """A value that stands nowhere in the text, by its name."""
    for is_alike, confidence in ((slot.has_name, _SAME_NAME), (slot.resembles, _LIKE_NAME)):
        alike = [leaf for leaf in left if is_alike(innermost_key(leaf.path))]
        if was_passed and confidence < _SAME_NAME:
            alike = [leaf for leaf in alike if len(leaf.path) >= _WITHIN_OBJECT]
        if alike:
            is_named = confidence >= _SAME_NAME
            is_sure = is_named if slot.kind is SlotKind.BRACED else not slot.may_be_prose
            why = f"though it was given {_format_leaf(alike[0])}"
            return Reason(why, confidence, _stand(is_sure=is_sure))
    return None


def _stand(*, is_sure: bool) -> Standing:
    return Standing.FINDING if is_sure else Standing.WEAK


def _is_left_out(leaf: Leaf, text: str) -> bool:
    """Whether a value that was known stands nowhere in a text."""
    if type(leaf.value) is int:
        return bool(leaf.value) and str(leaf.value) not in text
    value = leaf.value.strip() if isinstance(leaf.value, str) else ""
    return bool(value) and value[:_LONGEST_VALUE] not in text


def _format_leaf(leaf: Leaf) -> str:
    key, value = (one_line(str(each), limit=40) for each in (innermost_key(leaf.path), leaf.value))
    return f"{key} “{value}”"
