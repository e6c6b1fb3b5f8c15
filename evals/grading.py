"""Grades an answer by rule: the spans that it names against those that the case's labels name."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.agent.citations import Aliases, find_citation_labels
from app.ids import UUID_PATTERN

COUNTED = 3
"""Only the first three different spans count, so that naming all spans is no answer."""

Verdict = Literal[
    "culprit", "symptom", "wrong", "nothing", "quiet", "false_alarm", "avoided", "failed"
]
PASSED: frozenset[Verdict] = frozenset(["culprit", "quiet", "avoided"])

_UUID = re.compile(rf"\b{UUID_PATTERN}\b", re.IGNORECASE)
# S3 is also a store's name: `s3://bucket`, `s3.amazonaws.com` and `aws-s3` are no spans.
_ALIAS = re.compile(r"(?<![\w.@-])s\d{1,6}(?!\w|[-.@]\w|:/)")


class LabelledTurn(BaseModel):
    """A question with what a right answer names.

    `right` are spans of which one has to be named, `wrong` spans that are no answer (symptoms, or
    what a user rated down); where only these are known, another one has to be named first. With
    `healthy` no span may be named. Without any of them the question is asked, since later ones may
    build on it, but its answer is not graded.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    question: Annotated[str, Field(min_length=1)]
    right: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    healthy: bool = False

    @model_validator(mode="after")
    def _one_meaning(self) -> Self:
        if self.healthy and (self.right or self.wrong):
            raise ValueError("healthy and the names of spans exclude each other")
        if set(self.right) & set(self.wrong):
            raise ValueError("a span is both right and wrong")
        return self

    @property
    def graded(self) -> bool:
        return bool(self.healthy or self.right or self.wrong)


def grade_spans(turn: LabelledTurn, named: Sequence[str]) -> Verdict:
    """The verdict on an answer that names these spans, each once, in its order."""
    counted = frozenset(named[:COUNTED])
    if turn.healthy:
        return "false_alarm" if counted else "quiet"
    if not counted:
        return "nothing"
    if counted & frozenset(turn.right):
        return "culprit"
    if not turn.right:
        return "symptom" if named[0] in turn.wrong else "avoided"
    return "symptom" if counted & frozenset(turn.wrong) else "wrong"


def find_cited_spans(text: str, aliases: Aliases) -> list[str]:
    """The spans that an answer of the service names, each once, in their order: those it links to,
    and those of short names that stand outside the brackets of a link (`s2`, `[s2 ask_carrier]`).

    `aliases` are the conversation's. The user sees such a name as it is, without a link; but the
    model has named the span no less than one that gives its id.
    """

    def linked(found: re.Match[str]) -> str:
        span_id = aliases.span_id(found[0])
        return f"⟦span:{span_id}⟧" if span_id else found[0]

    return list(find_citation_labels(_ALIAS.sub(linked, text), span=str, trace=lambda _: None))


def find_named_spans(text: str, names: Mapping[str, str], *, healthy: bool) -> list[str]:
    """The spans that a text names: by id, or where it holds no id, by name.

    In an answer about a `healthy` trace a name is no citation: nothing is blamed in passing.
    `names` are the names by span id. A name that more than COUNTED spans share points at none of
    them. One that is a plain word counts only where it is marked (code, quotes, bold), since such
    words also stand in any sentence.
    """
    by_id = [found.lower() for found in _UUID.findall(text)]
    ids = [each for each in dict.fromkeys(by_id) if each in names]
    if ids or healthy:
        return ids
    places: list[tuple[int, str]] = []
    for name, spans in _spans_by_name(names).items():
        found = _name_pattern(name).search(text)
        if found and len(spans) <= COUNTED:
            places += [(found.start(), span_id) for span_id in spans]
    return [span_id for _, span_id in sorted(places, key=lambda each: each[0])]


def _spans_by_name(names: Mapping[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for span_id, name in names.items():
        if name.strip():
            found.setdefault(name.strip(), []).append(span_id)
    return found


def _name_pattern(name: str) -> re.Pattern[str]:
    exact = re.escape(name)
    if name.replace(" ", "").isalpha():
        return re.compile(rf"""[`"'“*]{exact}[`"'”*]""")
    return re.compile(rf"(?<!\w){exact}(?!\w)")


def find_symptoms(
    culprit: str, parents: Mapping[str, str | None], failed: Iterable[str]
) -> tuple[str, ...]:
    """Spans that show a fault without being its cause: those around it, and others that failed."""
    around: list[str] = []
    parent = parents.get(culprit)
    while parent in parents and parent not in around:
        around.append(str(parent))
        parent = parents.get(str(parent))
    found = dict.fromkeys([*around, *failed])
    found.pop(culprit, None)
    return tuple(found)
