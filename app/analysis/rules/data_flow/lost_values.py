"""Values that were known and that a later step was given as null, empty or as a word for all.

An agent hands over a summary without the customer's number; a model fills an argument with "all"
though the request names an account. The step at which the value disappears is the culprit.
"""

from collections.abc import Iterator, Set
from itertools import islice
from typing import NamedTuple

from app.analysis.finding import Category, Finding, Standing, build_finding
from app.analysis.recorded.body_state import BodyState
from app.analysis.recorded.spellings import word_set
from app.analysis.rules.data_flow.named_values import (
    PASSING_KEYS,
    NamedValues,
    identifies,
    removes_values,
)
from app.analysis.rules.failures.suspects import came_to_nothing, is_null
from app.analysis.rules.recovery import asking_call
from app.analysis.text.one_line import list_first, one_line
from app.analysis.trace_analysis import TraceAnalysis, list_read_steps
from app.analysis.tree import Node

_STANDS_FOR_NONE = word_set(
    "none null nil undefined unknown n/a na missing anonymous guest unspecified tbd placeholder ?"
    " unbekannt inconnu desconocido desconhecido sconosciuto onbekend 未知 不明"
)
STANDS_FOR_ALL = word_set("all any every everyone everything * %")

_WORDS_OF_NAME = 4  # that a step carries along: longer values are texts
_VALUES_KEPT = 3  # different values of a key: more than one means that there are several subjects
_LATER_READ = 400  # spans that may have missed a lost value
_MISSED_SHOWN = 3  # names of steps that had a value wrong
_MOST_FOUND = 10  # findings
_MOST_START_KEYS = 40  # of what a trace was given: more are a document, no settings

# Confidences. A step that had the value and gave on a null is the surest sign.
_DROPPED = 0.85
_OMITTED = 0.75  # a step need not return all that it was given
_DROPPED_OTHER = 0.65  # states are cleared on purpose
_NOT_PASSED = 0.65
_ALL_INSTEAD = 0.75


class _Loss(NamedTuple):
    """A step that was given `old` and returned nothing under the same key, or that was the last to
    be given it, where `is_omission`."""

    node: Node
    old: str
    is_omission: bool = False


def find_lost_values(analysis: TraceAnalysis) -> Iterator[Finding]:
    """At most 10 values that a step dropped or replaced, each with the steps that missed it."""
    return islice(_Search(analysis).run(), _MOST_FOUND)


class _Search:
    """Goes through inputs and outputs in the order of time, once."""

    def __init__(self, analysis: TraceAnalysis) -> None:
        self._analysis = analysis
        self._known: dict[str, set[str]] = {}
        self._single: set[str] = set()  # keys with one known value
        self._losses: dict[str, _Loss] = {}
        self._start: dict[str, str] = {}  # what the trace was given
        self._inputs: dict[str, NamedValues] = {}
        self._reported: set[str] = set()

    def run(self) -> Iterator[Finding]:
        self._learn_start(NamedValues(self._analysis.given))
        for _, is_start, _, node in sorted(self._events()):
            if is_start:
                given = self._inputs[node.id] = NamedValues(node.view.input)
                yield from self._check_input(node, given)
                if node.parent is None and len(self._analysis.tree.roots) == 1:
                    self._learn_start(given)
                else:
                    self._learn(given)
            else:
                returned = NamedValues(node.view.output)
                self._note_losses(node, self._inputs[node.id], returned)
                self._learn(returned)

    def _events(self) -> Iterator[tuple[int, bool, int, Node]]:
        """Ends before starts of the same moment; of equal ends the inner span first."""
        for node in self._analysis.once(list_read_steps):
            yield node.start, True, node.index, node
            yield max(node.end, node.start + 1), False, -node.index, node

    def _learn_start(self, values: NamedValues) -> None:
        """Remembers what the trace was given: its values are meant for all of its steps."""
        self._learn(values)
        if len(values.full) <= _MOST_START_KEYS:
            for key in values.full.keys() - PASSING_KEYS:
                if values.only(key):
                    self._start.setdefault(key, values.only(key))

    def _learn(self, values: NamedValues) -> None:
        for key in values.identifying:
            kept = self._known.setdefault(key, set())
            for value in values.full.get(key, ()):
                if len(kept) < _VALUES_KEPT and not _is_word_for_none(value):
                    kept.add(value)
            if len(kept) == 1:
                self._single.add(key)
            else:
                self._single.discard(key)

    def _note_losses(self, node: Node, given: NamedValues, returned: NamedValues) -> None:
        """Remembers what a step had and did not give on; forgets losses of what is known again."""
        own: Set[str] = given.identifying
        if given.may_have(self._start.keys()):
            own |= self._start.keys()
        if given.may_share_key(returned):
            if returned.may_have_empty and not removes_values(node.name):
                self._note_emptied(node, given, returned)
            if _shares_value(given, returned):
                own |= {
                    key for key in given.full.keys() - PASSING_KEYS if _is_name(given.only(key))
                }
        if own:
            self._note_omissions(node, own, given, returned)
        if self._losses and returned.may_have(self._losses.keys()):
            for key, loss in list(self._losses.items()):
                if loss.old in returned.full.get(key, ()):
                    del self._losses[key]

    def _note_emptied(self, node: Node, given: NamedValues, returned: NamedValues) -> None:
        """The first loss of a value counts; one that is stated rather than an omission."""
        for key in given.full.keys() & returned.empty:
            old, known = given.only(key), self._losses.get(key)
            if old and not _is_word_for_none(old) and (known is None or known.is_omission):
                self._losses[key] = _Loss(node, old)

    def _note_omissions(
        self, node: Node, own: Set[str], given: NamedValues, returned: NamedValues
    ) -> None:
        """Remembers the last step of the program that was given a value and did not return it."""
        if node.view.calls_outside or node.view.output.state is not BodyState.PRESENT:
            return
        for key in (own & given.full.keys()) - returned.full.keys() - returned.empty:
            old, known = given.only(key), self._losses.get(key)
            is_known = known is not None and not known.is_omission
            if old and not is_known and old.casefold() not in node.view.output.canonical:
                self._losses[key] = _Loss(node, old, is_omission=True)

    def _check_input(self, node: Node, given: NamedValues) -> Iterator[Finding]:
        known = (self._losses.keys() | self._single | self._start.keys()) - self._reported
        if not (known and given.may_have(known)):
            return
        for key in sorted((given.empty | given.full.keys()) & known):
            found = self._find_loss_before(node, key, given) or self._find_argument(
                node, key, given
            )
            if found is not None:
                self._reported.add(key)
                yield found

    def _find_loss_before(self, node: Node, key: str, given: NamedValues) -> Finding | None:
        """The step that dropped the value that this input lacks."""
        loss = self._losses.get(key)
        if loss is None or key not in given.empty:
            return None
        missed = self._steps_that_miss(node, key)
        label = one_line(given.spell(key), limit=40)
        names = list(dict.fromkeys(each.title for each in (node, *missed)))
        takers = list_first(names[:_MISSED_SHOWN], len(names))
        sentence = (
            f"{loss.node.title} was given {label} “{one_line(loss.old, limit=40)}” and returned"
            f" {'no such value' if loss.is_omission else 'nothing for it'}, and {takers} then had"
            " nothing for it."
        )
        standing = Standing.FINDING
        if loss.is_omission:
            confidence = _OMITTED
        elif identifies(key):
            confidence = _DROPPED
        else:
            confidence = _DROPPED_OTHER
            standing = Standing.FINDING if _passes_on(loss.node) else Standing.WEAK
        return build_finding(
            Category.LOST_VALUE, confidence, sentence, [loss.node, *missed], standing=standing
        )

    def _steps_that_miss(self, first: Node, key: str) -> list[Node]:
        """The first step that was not given the lost value, and later ones like it."""
        later = [
            node
            for node in islice(self._analysis.tree.nodes, first.index, None)
            if node.start >= first.start
            and self._analysis.was_read(node)
            and not node.view.is_model_call
        ]
        missed = [
            node
            for node in later[:_LATER_READ]
            if node.view.input.may_have_key({key}) and key in NamedValues(node.view.input).empty
        ]
        return missed or [first]

    def _find_argument(self, node: Node, key: str, given: NamedValues) -> Finding | None:
        """An argument of a call that is empty or a word for all or none, though one value is known
        for its key."""
        known = self._known.get(key, set())
        start = self._start.get(key, "")
        if not node.view.calls_outside or len(known) > 1:
            return None
        if not start and not (known and identifies(key)):
            return None
        value = start or next(iter(known))
        new = given.only(key)
        if key in given.empty and key not in given.full:
            missed = start or (came_to_nothing(node) and not is_null(node)) or _takes_all(given)
            standing = Standing.FINDING if missed else Standing.WEAK
            return self._build_argument(node, key, given, value, _NOT_PASSED, standing)
        if new != value and new.casefold() in STANDS_FOR_ALL | _STANDS_FOR_NONE:
            return self._build_argument(node, key, given, value, _ALL_INSTEAD, Standing.FINDING)
        return None

    def _build_argument(
        self,
        node: Node,
        key: str,
        given: NamedValues,
        value: str,
        confidence: float,
        standing: Standing,
    ) -> Finding:
        asked = asking_call(node, self._analysis)
        label = one_line(given.spell(key), limit=40)
        new = given.only(key)
        shown = f"“{new}”" if new else "nothing"
        came = f"{asked.title} asked for {node.title}, which" if asked else node.title
        sentence = (
            f"{came} was given {shown} for {label}, though only"
            f" “{one_line(value, limit=40)}” was known before"
        )
        nodes = [asked, node] if asked is not None else [node]
        return build_finding(
            Category.LOST_VALUE, confidence, f"{sentence}.", nodes, standing=standing
        )


def _passes_on(node: Node) -> bool:
    return _shares_value(NamedValues(node.view.input), NamedValues(node.view.output))


def _shares_value(given: NamedValues, returned: NamedValues) -> bool:
    """Whether a step returned something under the key under which it was given it."""
    return any(given.only(key) and given.only(key) == returned.only(key) for key in given.full)


def _takes_all(given: NamedValues) -> bool:
    """Whether a call was given a word for all under another key."""
    return any(given.only(key).casefold() in STANDS_FOR_ALL for key in given.full)


def _is_name(value: str) -> bool:
    """Whether a value names something, unlike a text that a step was to read."""
    return 0 < len(value.split()) <= _WORDS_OF_NAME and value[0].isalnum()


def _is_word_for_none(value: str) -> bool:
    return value.casefold() in _STANDS_FOR_NONE
