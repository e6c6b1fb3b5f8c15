"""The rules by which an answer is graded."""

import pytest
from pydantic import ValidationError

from app.agent.citations import Aliases
from evals.grading import (
    LabelledTurn,
    find_cited_spans,
    find_named_spans,
    find_symptoms,
    grade_spans,
)
from testkit.case_tables import each_case

CULPRIT, ROOT, OTHER, FOURTH = (f"019ca869-0000-7000-8000-00000000000{n}" for n in range(4))
FAULTY = LabelledTurn(question="Why?", right=(CULPRIT,), wrong=(ROOT,))
HEALTHY = LabelledTurn(question="Why?", healthy=True)
DISLIKED = LabelledTurn(question="Why?", wrong=(ROOT,))


@each_case(
    "turn, named, verdict",
    [
        (FAULTY, [CULPRIT], "culprit"),
        (FAULTY, [ROOT, OTHER, CULPRIT], "culprit"),
        (FAULTY, [ROOT], "symptom"),
        (FAULTY, [OTHER, ROOT], "symptom"),
        (FAULTY, [OTHER], "wrong"),
        (FAULTY, [], "nothing"),
        (HEALTHY, [], "quiet"),
        (HEALTHY, [OTHER], "false_alarm"),
        (DISLIKED, [ROOT], "symptom"),
        (DISLIKED, [OTHER, ROOT], "avoided"),
        (DISLIKED, [], "nothing"),
    ],
)
def test_a_verdict_follows_from_the_named_spans(
    turn: LabelledTurn, named: list[str], verdict: str
) -> None:
    assert grade_spans(turn, named) == verdict


def test_naming_every_span_does_not_count_as_the_culprit() -> None:
    assert grade_spans(FAULTY, [ROOT, OTHER, FOURTH, CULPRIT]) == "symptom"


ALIASES = Aliases([ROOT, CULPRIT, OTHER])


@each_case(
    "text, spans",
    [
        (f"⟦span:{OTHER}⟧, then ⟦span:{CULPRIT}⟧ and ⟦span:{OTHER}⟧.", [OTHER, CULPRIT]),
        ("It was s2.", [CULPRIT]),
        ("s2: its parent (s1) only shows it.", [CULPRIT, ROOT]),
        ("It was [s2 ask_carrier], not **s3**.", [CULPRIT, OTHER]),
        ("`s2`/s3's input", [CULPRIT, OTHER]),
        (f"s3 before ⟦span:{CULPRIT}⟧, which is s2.", [OTHER, CULPRIT]),
        (f"s2 as in ⟦trace:{FOURTH}⟧.", [CULPRIT]),
    ],
)
def test_an_answer_of_the_service_names_spans_by_links_and_by_short_names(
    text: str, spans: list[str]
) -> None:
    assert find_cited_spans(text, ALIASES) == spans


@each_case(
    "text",
    [
        f"See {ROOT}.",
        "s9 was never given, nor was s0.",
        "s3://bucket, s3.amazonaws.com, aws-s3, s3-client, my.s3, s3_key, ops2, s2e and S2",
        "t1 took 2 s2x",
    ],
)
def test_text_that_resembles_a_short_name_names_no_span(text: str) -> None:
    assert find_cited_spans(text, ALIASES) == []


NAMES = {ROOT: "agent", CULPRIT: "lookup_order", OTHER: "retry", FOURTH: "retry"}


@each_case(
    "text, spans",
    [
        (f"The cause is {CULPRIT.upper()}.", [CULPRIT]),
        (f"The agent's {CULPRIT} after `retry`.", [CULPRIT]),
        ("lookup_order failed.", [CULPRIT]),
        ("lookup_orders failed.", []),
        ("The agent failed.", []),
        ("The `agent` failed after **retry**.", [ROOT, OTHER, FOURTH]),
        ("019ca869-ffff-7000-8000-000000000000 failed.", []),
    ],
)
def test_a_text_names_spans_by_id_or_by_a_distinctive_name(text: str, spans: list[str]) -> None:
    assert find_named_spans(text, NAMES, healthy=False) == spans


def test_a_span_name_in_passing_is_no_false_alarm() -> None:
    assert find_named_spans("`lookup_order` took longest.", NAMES, healthy=True) == []
    assert find_named_spans(f"It was {CULPRIT}.", NAMES, healthy=True) == [CULPRIT]


def test_a_name_that_many_spans_share_names_none_of_them() -> None:
    names = {f"019ca869-0000-7000-8000-0000000000{n}": "call_model" for n in range(10, 14)}
    assert find_named_spans("call_model failed", names, healthy=False) == []


def test_ancestors_of_the_culprit_and_other_failed_spans_are_symptoms() -> None:
    parents = {ROOT: None, OTHER: ROOT, CULPRIT: OTHER, FOURTH: ROOT}
    assert find_symptoms(CULPRIT, parents, [CULPRIT, ROOT, FOURTH]) == (OTHER, ROOT, FOURTH)


def test_symptoms_stop_at_a_cycle_of_parents() -> None:
    assert find_symptoms(CULPRIT, {CULPRIT: ROOT, ROOT: CULPRIT}, []) == (ROOT,)


@each_case("more", [{"healthy": True, "wrong": [ROOT]}, {"wrong": [CULPRIT]}])
def test_labels_that_contradict_each_other_are_refused(more: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        LabelledTurn.model_validate({"question": "Why?", "right": [CULPRIT], **more})
