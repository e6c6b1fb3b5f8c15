"""Values that were known and then became null, empty or another one in what a later step was given.

An agent hands over a summary without the customer's number; a model fills an argument with "all"
though the request names an account. The step at which the value disappears is the culprit.
"""

from collections.abc import Iterator, Set
from itertools import islice
from typing import NamedTuple

from app.analysis.finding import Category, Finding, Standing, build_finding
from app.analysis.recorded.body_state import BodyState
from app.analysis.recorded.names import has_word
from app.analysis.recorded.spellings import word_set
from app.analysis.rules.data_flow.named_values import (
    IDENTIFYING_ENDS,
    PASSING_KEYS,
    NamedValues,
    identifies,
    removes_values,
)
from app.analysis.rules.failures.suspects import came_to_nothing, is_null
from app.analysis.rules.recovery import asking_call, name_as_asked
from app.analysis.text.one_line import list_first, one_line
from app.analysis.trace_analysis import TraceAnalysis, list_read_steps
from app.analysis.tree import Node

_STANDS_FOR_NONE = word_set(
    "none null nil undefined unknown n/a na missing anonymous guest unspecified tbd placeholder ?"
    " unbekannt inconnu desconocido desconhecido sconosciuto onbekend 未知 不明"
)
STANDS_FOR_ALL = word_set("all any every everyone everything * %")

_HANDS_ON = word_set(
    "brief briefing handoff handover summarise summarize summary compose delegate transfer forward"
    " pack traspaso resumen resumir übergabe zusammenfassung passation résumé riepilogo passaggio"
    " resumo"
)
"""Words of names of steps that pass on what they were given."""

_VALUES_KEPT = 3  # different values of a key: more than one means that there are several subjects
_LATER_READ = 400  # spans that may have missed a lost value
_MISSED_SHOWN = 3  # names of steps that had a value wrong
_LEAVES_READ = 400  # of the input of the trace
_MESSAGES_READ = 20  # of a request, the newest: what a model read lately
_TEXT_READ = 20_000  # characters of a text in which a value is looked for
_WORDS_OF_NAME = 4  # that a step carries along: longer values are texts
_SEEN_KEPT = 50_000  # values of all keys that are remembered
_MOST_FOUND = 10  # findings
_MOST_START_KEYS = 40  # of what a trace was given: more are a document, no settings

# Confidences. A step that had the value and gave on a null is the surest sign; a value that only
# differs may be meant, and so is a weak sign unless what it was asked for was not found.
_DROPPED = 0.85
_OMITTED = 0.75  # a step need not return all that it was given
_DROPPED_OTHER = 0.65  # states are cleared on purpose
_REPLACED_BY_WORD = 0.8
_REPLACED = 0.7
_NOT_PASSED = 0.65
_ALL_INSTEAD = 0.75
_OTHER_ARGUMENT = 0.7
_EMPTIED = 0.75  # that a later step missed the value is likely, but not seen
_MISSING_ARGUMENT = 0.75  # the names differ, but nothing else was lost and a call failed for it


class _Loss(NamedTuple):
    """A step that was given `old` and returned `new` ("" for nothing) under the same key, or that
    was the last to be given it, where `is_omission`."""

    node: Node
    old: str
    new: str
    is_omission: bool = False


def find_lost_values(analysis: TraceAnalysis) -> Iterator[Finding]:
    """At most 10 values that a step dropped or replaced, each with the steps that missed it."""
    return islice(_Search(analysis).run(), _MOST_FOUND)


class _Search:
    """Goes through inputs and outputs in the order of time, once."""

    def __init__(self, analysis: TraceAnalysis) -> None:
        self._analysis = analysis
        self._known: dict[str, dict[str, Node | None]] = {}
        self._single: set[str] = set()  # keys with one known value
        self._seen: set[str] = set()
        self._unseen: list[NamedValues] = []
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
                    self._learn(given, node)
            else:
                returned = NamedValues(node.view.output)
                self._note_losses(node, self._inputs[node.id], returned)
                self._learn(returned, node)
        yield from self._report_emptied()

    def _events(self) -> Iterator[tuple[int, bool, int, Node]]:
        """Ends before starts of the same moment; of equal ends the inner span first."""
        for node in self._analysis.once(list_read_steps):
            yield node.start, True, node.index, node
            yield max(node.end, node.start + 1), False, -node.index, node

    def _learn_start(self, values: NamedValues) -> None:
        """Remembers what the trace was given: its values are meant for all of its steps."""
        self._learn(values, None)
        if len(values.full) <= _MOST_START_KEYS:
            for key in values.full.keys() - PASSING_KEYS:
                if values.only(key):
                    self._start.setdefault(key, values.only(key))

    def _learn(self, values: NamedValues, node: Node | None) -> None:
        self._unseen.append(values)
        for key in values.identifying:
            kept = self._known.get(key, {})
            if len(kept) >= _VALUES_KEPT:
                continue
            for value in values.full.get(key, ()):
                kept = self._known.setdefault(key, {})
                if len(kept) < _VALUES_KEPT and not _is_word_for_none(value):
                    kept.setdefault(value, node)
            if len(kept) == 1:
                self._single.add(key)
            else:
                self._single.discard(key)

    def _was_seen(self, value: str) -> bool:
        """Whether any body until now had a value, under whatever key."""
        for values in self._unseen:
            if len(self._seen) >= _SEEN_KEPT:
                break
            self._seen.update(*values.full.values())
        self._unseen.clear()
        return value in self._seen

    def _note_losses(self, node: Node, given: NamedValues, returned: NamedValues) -> None:
        """Remembers what a step had and did not give on; forgets losses of what is known again."""
        own = given.identifying
        if given.may_have(self._start.keys()):
            own |= self._start.keys()
        if (returned.may_have_empty or returned.may_have(own)) and given.may_share_key(returned):
            for key in given.full.keys() & (returned.full.keys() | returned.empty):
                self._compare_values(key, node, given, returned)
        if given.may_share_key(returned) and _shares_value(given, returned):
            own |= {key for key in given.full.keys() - PASSING_KEYS if _is_name(given.only(key))}
        if own:
            self._note_omissions(node, own, given, returned)
        if self._losses and returned.may_have(self._losses.keys()):
            for key, loss in list(self._losses.items()):
                if loss.old in returned.full.get(key, ()):
                    del self._losses[key]

    def _compare_values(
        self, key: str, node: Node, given: NamedValues, returned: NamedValues
    ) -> None:
        old, new = given.only(key), returned.only(key)
        if not old or old == new or _is_word_for_none(old) or removes_values(node.name):
            return
        if key in returned.empty:
            self._note_loss(key, _Loss(node, old, ""))
        elif new and identifies(key) and (_is_word_for_none(new) or not self._was_seen(new)):
            self._note_loss(key, _Loss(node, old, new))

    def _note_loss(self, key: str, loss: _Loss) -> None:
        """The first loss of a value counts; one that is stated rather than an omission."""
        known = self._losses.get(key)
        if known is None or known.is_omission:
            self._losses[key] = loss

    def _note_omissions(
        self, node: Node, own: Set[str], given: NamedValues, returned: NamedValues
    ) -> None:
        """Remembers the last step of the program that was given a value and did not return it."""
        if node.view.calls_outside or node.view.output.state is not BodyState.PRESENT:
            return
        for key in (own & given.full.keys()) - returned.full.keys() - returned.empty:
            old = given.only(key)
            known = self._losses.get(key)
            if not old or (known is not None and not known.is_omission):
                continue
            if old.casefold() not in node.view.output.canonical:
                self._losses[key] = _Loss(node, old, "", is_omission=True)

    def _check_input(self, node: Node, given: NamedValues) -> Iterator[Finding]:
        yield from self._find_missing_argument(node, given)
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

    def _find_missing_argument(self, node: Node, given: NamedValues) -> Iterator[Finding]:
        """A value that a step returned as null, before a call that lacks an argument under another
        name and came to nothing."""
        if not (self._losses and given.may_have_empty and given.empty and not given.full):
            return
        if not node.view.calls_outside or not came_to_nothing(node):
            return
        for key in sorted(self._losses.keys() - self._reported - given.empty):
            loss = self._losses[key]
            if not (loss.new or loss.is_omission):
                self._reported.add(key)
                lacked = one_line(given.spell(min(given.empty)), limit=40)
                sentence = (
                    f"{loss.node.title} was given “{one_line(loss.old, limit=40)}” for"
                    f" {one_line(key, limit=40)} and returned null for it, and {node.title} then"
                    f" was given no {lacked} and came to nothing."
                )
                nodes = [loss.node, node]
                yield build_finding(Category.LOST_VALUE, _MISSING_ARGUMENT, sentence, nodes)
                return

    def _find_loss_before(self, node: Node, key: str, given: NamedValues) -> Finding | None:
        """The step that dropped the value that this input lacks."""
        loss = self._losses.get(key)
        new = given.only(key)
        if loss is None or new != loss.new or (not new and key not in given.empty):
            return None
        missed = self._steps_that_miss(node, key, loss.new)
        label = one_line(given.spell(key), limit=40)
        old, became = one_line(loss.old, limit=40), _format_value(loss.new)
        names = list(dict.fromkeys(each.title for each in (node, *missed)))
        takers = list_first(names[:_MISSED_SHOWN], len(names))
        how = "with that" if loss.new else "without it"
        sentence = (
            f"{loss.node.title} was given {label} “{old}” and returned {became} for it;"
            f" {takers} then worked {how}."
        )
        if loss.is_omission:
            sentence = (
                f"{loss.node.title} was given {label} “{old}” and returned no such value, and"
                f" {takers} then worked without it."
            )
        confidence, standing = _weigh_loss(loss, key, missed)
        return build_finding(
            Category.LOST_VALUE, confidence, sentence, [loss.node, *missed], standing=standing
        )

    def _report_emptied(self) -> Iterator[Finding]:
        """Values that a step of the program had and returned as null beside others that it
        returned as they were, though none came to miss them under their key: a model or a search
        was then asked without them."""
        for key in sorted(self._losses.keys() - self._reported - PASSING_KEYS):
            loss = self._losses[key]
            if loss.new or loss.is_omission:
                continue
            if not loss.node.view.calls_outside and _passes_on(loss.node):
                label = one_line(self._inputs[loss.node.id].spell(key), limit=40)
                sentence = (
                    f"{loss.node.title} was given"
                    f" “{one_line(loss.old, limit=40)}” for {label} and returned null for it."
                )
                yield build_finding(Category.LOST_VALUE, _EMPTIED, sentence, [loss.node])

    def _steps_that_miss(self, first: Node, key: str, value: str) -> list[Node]:
        """The first step that was given the lost value, and later ones like it."""
        later = [
            node
            for node in islice(self._analysis.tree.nodes, first.index, None)
            if node.start >= first.start
            and self._analysis.was_read(node)
            and not node.view.is_model_call
        ]
        missed = []
        for node in later[:_LATER_READ]:
            values = NamedValues(node.view.input)
            if not values.may_have({key}) or values.only(key) != value:
                continue
            if value or key in values.empty:
                missed.append(node)
        return missed or [first]

    def _find_argument(self, node: Node, key: str, given: NamedValues) -> Finding | None:
        """An argument of a call that differs from the only value that is known for its key."""
        known = self._known.get(key, {})
        start = self._start.get(key, "")
        if not node.view.calls_outside or len(known) > 1:
            return None
        if not start and not (known and identifies(key)):
            return None
        value, source = (start, None) if start else next(iter(known.items()))
        new = given.only(key)
        if key in given.empty and key not in given.full:
            missed = start or (came_to_nothing(node) and not is_null(node)) or _takes_all(given)
            standing = Standing.FINDING if missed else Standing.WEAK
            return self._build_argument(node, key, given, value, _NOT_PASSED, standing)
        if not new or new in value or value in new:
            return None
        if new.casefold() in STANDS_FOR_ALL | _STANDS_FOR_NONE:
            return self._build_argument(node, key, given, value, _ALL_INSTEAD, Standing.FINDING)
        if source is not None or not identifies(key):
            return None
        if not self._was_seen(new) and not self._was_mentioned(node, new):
            standing = Standing.FINDING if key.endswith(IDENTIFYING_ENDS) else Standing.WEAK
            return self._build_argument(node, key, given, value, _OTHER_ARGUMENT, standing)
        return None

    def _was_mentioned(self, node: Node, value: str) -> bool:
        """Whether a value stands in a text of the trace's input or of the call's request."""
        texts = [
            leaf.value
            for leaf in self._analysis.given.list_leaves(_LEAVES_READ)
            if isinstance(leaf.value, str)
        ]
        asked = asking_call(node, self._analysis)
        if asked is not None:
            texts += [message.text for message in asked.view.request.messages[-_MESSAGES_READ:]]
        return any(value in text[:_TEXT_READ] for text in texts)

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
        sentence = (
            f"{name_as_asked(node, asked)} was given {_format_value(given.only(key))} for"
            f" {label}, though only “{one_line(value, limit=40)}” was known before"
        )
        nodes = [asked, node] if asked is not None else [node]
        return build_finding(
            Category.LOST_VALUE, confidence, f"{sentence}.", nodes, standing=standing
        )


def _weigh_loss(loss: _Loss, key: str, missed: list[Node]) -> tuple[float, Standing]:
    """How sure it is that a step should have given on what it was given."""
    if loss.is_omission:
        return _OMITTED, Standing.FINDING
    if not loss.new:
        if identifies(key):
            return _DROPPED, Standing.FINDING
        hands_on = has_word(loss.node.name, _HANDS_ON) or _passes_on(loss.node)
        return _DROPPED_OTHER, Standing.FINDING if hands_on else Standing.WEAK
    if _is_word_for_none(loss.new):
        return _REPLACED_BY_WORD, Standing.FINDING
    found = not any(map(came_to_nothing, missed))
    return _REPLACED, Standing.WEAK if found else Standing.FINDING


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


def _format_value(value: str) -> str:
    return f"“{one_line(value, limit=40)}”" if value else "nothing"
