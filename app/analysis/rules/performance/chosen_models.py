"""What shows that a program chose a dearer model for a call on purpose."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice

from app.analysis.recorded.body import Body
from app.analysis.recorded.names import name_stem
from app.analysis.recorded.spellings import key_set, word_set
from app.analysis.recorded.status_words import SUCCESS_FLAGS
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

_TEXT_READ = 2_000  # characters of one value, in which a model's name is looked for
_STEPS_READ = 3  # right before a call, that may have decided about it
_PEERS_READ = 40  # calls whose steps are compared
_LONGEST_CHOICE = 40  # characters of a value that stands for one of a few choices
_LEAST_PEERS = 2  # with the value that the others have in common
_MANY_PEERS = 6  # among which two values are still a choice
_LEVELS_READ = 3  # functions around a call: what decides about an item is given to one of them
_SHORTEST_FAMILY = 4  # letters of a word of a model's name that nothing else is called
_PARTS = re.compile(r"[^\W\d_]+")
_SIZES = word_set("preview latest turbo large medium small mini nano flash ultra premier")
"""Words of models' names that also stand for a size or a version of anything."""
_MODEL_KEYS = key_set("model model_name model_id llm engine deployment provider")
"""Arguments with the model itself, which say what was chosen and not why."""

_SUCCESS_KEYS = SUCCESS_FLAGS | key_set("done ready saved sent written found")
_YES, _NO = str(True), str(False)
_Place = tuple[str, str]
_Choice = tuple[str, str, str]
"""Where a value stood, its key, and the value: what a program may decide by."""


def was_chosen(node: Node, others: Sequence[Node], analysis: TraceAnalysis) -> bool:
    """Whether the program used the model of a call by design: it is that of a function of its own,
    something recorded before names it, or a flag, a grade or a verdict differs that all others have
    in common."""
    return (
        _has_own_function(node, others)
        or _is_named_before(node, others, analysis)
        or _was_decided(node, others, analysis)
    )


def _has_own_function(node: Node, others: Sequence[Node]) -> bool:
    """Whether the function around a call is the only one of its name, while others are around
    their calls: `third_judge` beside `first_judge`."""
    if node.parent is None:
        return False
    name = name_stem(node.parent.name)
    return all(each.parent is None or name_stem(each.parent.name) != name for each in others)


def _is_named_before(node: Node, others: Sequence[Node], analysis: TraceAnalysis) -> bool:
    """Whether the trace's settings, or a step right before the call, name the model or its
    family."""
    names = _names_of(node.span.model or "", {each.span.model or "" for each in others})
    if not names:
        return False
    named = re.compile(rf"(?<![\w.-])(?:{'|'.join(map(re.escape, names))})(?![\w.])", re.IGNORECASE)
    bodies = [Body(analysis.trace.metadata), analysis.given]
    bodies += [step.view.output for step in _steps_before(node, analysis)]
    return any(named.search(text[:_TEXT_READ]) for body in bodies for text in body.first_texts)


def _names_of(model: str, others: set[str]) -> list[str]:
    """A model's name and the words of it that no other of the models has."""
    usual = {word.casefold() for other in others for word in _PARTS.findall(other)}
    words = {word.casefold() for word in _PARTS.findall(model) if len(word) >= _SHORTEST_FAMILY}
    return [*([model] if model else []), *sorted(words - usual - _SIZES)]


def _was_decided(node: Node, others: Sequence[Node], analysis: TraceAnalysis) -> bool:
    """Whether a value before the call is another than that which all others had in its place."""
    own = dict(_by_place(_choices_of(node, analysis)))
    if not own:
        return False
    usual: dict[_Place, Counter[str]] = {}
    for each in others[:_PEERS_READ]:
        for place, value in _by_place(_choices_of(each, analysis)):
            usual.setdefault(place, Counter())[value] += 1
    return any(_tells_apart(place, own[place], usual.get(place)) for place in own)


def _tells_apart(place: _Place, value: str, usual: Counter[str] | None) -> bool:
    """Whether others share one value, or many of them two, and this one is none of them; where they
    have none at all, whether it is a flag that is no mere report of success."""
    if usual is None:
        return value == _NO or (value == _YES and place[1] not in _SUCCESS_KEYS)
    most = 2 if usual.total() >= _MANY_PEERS else 1
    return value not in usual and len(usual) <= most and usual.total() >= _LEAST_PEERS


def _by_place(choices: Iterator[_Choice]) -> Iterator[tuple[_Place, str]]:
    return (((where, key), value) for where, key, value in choices)


def _choices_of(node: Node, analysis: TraceAnalysis) -> Iterator[_Choice]:
    """The flags and short texts that the functions around a call were given, and that the steps
    right before it returned."""
    for above in islice(reversed(node.path()[:-1]), _LEVELS_READ):
        if analysis.was_read(above):
            where = name_stem(above.name)
            yield from (
                each for each in _read(where, above.view.input) if each[1] not in _MODEL_KEYS
            )
    for step in _steps_before(node, analysis):
        yield from _read(f"{name_stem(step.name)}()", step.view.output)


def _read(where: str, body: Body) -> Iterator[_Choice]:
    for leaf in body.first_leaves:
        is_flag = isinstance(leaf.value, bool)
        if is_flag or (isinstance(leaf.value, str) and 0 < len(leaf.value) <= _LONGEST_CHOICE):
            yield where, leaf.key, str(leaf.value)


def _steps_before(node: Node, analysis: TraceAnalysis) -> Iterator[Node]:
    """The last steps before a call, in its function or before that, that are no model calls and
    came after the model call before it."""
    for level in (node, node.parent):
        if level is None:
            return
        for step in islice(analysis.tree.finished_before(level, _STEPS_READ), _STEPS_READ):
            if any(below.view.is_model_call for below in analysis.tree.below(step)):
                break
            if analysis.was_read(step):
                yield step
