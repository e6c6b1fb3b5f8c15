"""The rules by which an answer is graded."""

import pytest
from pydantic import ValidationError

from app.agent.citations import Aliases
from evals.grading import LabelledTurn, cited_spans, grade, named_spans, symptoms

CULPRIT, ROOT, OTHER, FOURTH = (f"019ca869-0000-7000-8000-00000000000{n}" for n in range(4))
FAULTY = LabelledTurn(question="Why?", right=(CULPRIT,), wrong=(ROOT,))
HEALTHY = LabelledTurn(question="Why?", healthy=True)
DISLIKED = LabelledTurn(question="Why?", wrong=(ROOT,))


@pytest.mark.parametrize(
    ("turn", "named", "verdict"),
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
    assert grade(turn, named) == verdict


def test_who_names_every_span_has_not_found_the_culprit() -> None:
    assert grade(FAULTY, [ROOT, OTHER, FOURTH, CULPRIT]) == "symptom"


ALIASES = Aliases([ROOT, CULPRIT, OTHER])


@pytest.mark.parametrize(
    ("text", "spans"),
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
    assert cited_spans(text, ALIASES) == spans


@pytest.mark.parametrize(
    "text",
    [
        f"See {ROOT}.",
        "s9 was never given, nor was s0.",
        "s3://bucket, s3.amazonaws.com, aws-s3, s3-client, my.s3, s3_key, ops2, s2e and S2",
        "t1 took 2 s2x",
    ],
)
def test_what_only_looks_like_a_short_name_names_no_span(text: str) -> None:
    assert cited_spans(text, ALIASES) == []


NAMES = {ROOT: "agent", CULPRIT: "lookup_order", OTHER: "retry", FOURTH: "retry"}


@pytest.mark.parametrize(
    ("text", "spans"),
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
def test_a_text_names_spans_by_id_or_by_a_name_that_is_no_mere_word(
    text: str, spans: list[str]
) -> None:
    assert named_spans(text, NAMES, healthy=False) == spans


def test_a_name_in_passing_is_no_alarm_about_a_healthy_trace() -> None:
    assert named_spans("`lookup_order` took longest.", NAMES, healthy=True) == []
    assert named_spans(f"It was {CULPRIT}.", NAMES, healthy=True) == [CULPRIT]


def test_a_name_that_many_spans_share_points_at_none_of_them() -> None:
    names = {f"019ca869-0000-7000-8000-0000000000{n}": "call_model" for n in range(10, 14)}
    assert named_spans("call_model failed", names, healthy=False) == []


def test_what_stands_around_the_culprit_or_failed_after_it_is_a_symptom() -> None:
    parents = {ROOT: None, OTHER: ROOT, CULPRIT: OTHER, FOURTH: ROOT}
    assert symptoms(CULPRIT, parents, [CULPRIT, ROOT, FOURTH]) == (OTHER, ROOT, FOURTH)


def test_parents_in_a_circle_end_the_way_up() -> None:
    assert symptoms(CULPRIT, {CULPRIT: ROOT, ROOT: CULPRIT}, []) == (ROOT,)


@pytest.mark.parametrize("more", [{"healthy": True, "wrong": [ROOT]}, {"wrong": [CULPRIT]}])
def test_labels_that_contradict_each_other_are_refused(more: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        LabelledTurn.model_validate({"question": "Why?", "right": [CULPRIT], **more})
