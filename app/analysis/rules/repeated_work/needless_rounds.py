"""Rounds over drafts of one thing, each with a verdict, and loops that go on after a good one."""

from collections.abc import Iterator, Sequence
from itertools import islice, pairwise
from typing import NamedTuple

from app.analysis.finding import Category, Finding, build_finding
from app.analysis.recorded.leaves import innermost_key
from app.analysis.recorded.names import name_stem
from app.analysis.recorded.spellings import key_set
from app.analysis.rules.repeated_work.comparable_calls import work_share
from app.analysis.text.one_line import (
    format_count,
    format_duration,
    format_percent,
    one_line,
    without_numbers,
)
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.tree import Node

_LEAST_ROUNDS = 3  # two are a draft and its correction
_LEAST_TIME = 0.1  # of the trace, for what the further rounds take to matter
_INSIDE_READ = 20  # spans of a round among which its first model call is looked for
_TASK_READ = 200  # characters of the first message of a user, which begins with the task
_CONFIDENCE = 0.85  # the verdict was recorded; that nobody wanted another draft is concluded
_ACCEPTED = key_set(
    "accepted approved passed is_accepted is_approved is_final is_done done finished satisfied"
    " is_satisfied good_enough is_good_enough converged accept approve"
    " akzeptiert angenommen freigegeben bestanden genehmigt fertig"
    " accepté acceptée approuvé approuvée validé validée aceptado aceptada aprobado aprobada"
    " aceito aceite aprovado aprovada accettato accettata approvato approvata"
    " godkänd godkänt accepterad accepterat klart geaccepteerd goedgekeurd klaar"
    " zaakceptowano zaakceptowany zatwierdzony zatwierdzono gotowe принято одобрено готово"
    " 承認 合格 完了 採用 通过 已通过 合格 完成 승인 통과 완료"
)
"""Flags by which a round says that its draft needs no further one."""


class Rounds(NamedTuple):
    """Steps of one name in turn that judge drafts of one thing; `accepted` is the place of the
    first good verdict with its key, None where there is none before the last."""

    steps: list[Node]
    accepted: tuple[int, str] | None


def list_rounds_of_drafts(analysis: TraceAnalysis) -> list[Rounds]:
    """The rounds of the trace; for `once`."""
    found: list[Rounds] = []
    for children in analysis.tree.sibling_groups():
        if len(children) < _LEAST_ROUNDS:
            continue
        named: dict[str, list[Node]] = {}
        for child in children:
            named.setdefault(name_stem(child.name), []).append(child)
        for steps in named.values():
            if len(steps) >= _LEAST_ROUNDS and _are_rounds(steps, analysis):
                found.append(Rounds(steps, _find_accepted(steps)))
    return found


def list_needless_rounds(analysis: TraceAnalysis) -> Iterator[tuple[Finding, list[Node]]]:
    """Loops that went on after a round whose result says that its draft is accepted."""
    for steps, accepted in analysis.once(list_rounds_of_drafts):
        if accepted is None:
            continue
        further = steps[accepted[0] + 1 :]
        if work_share(further, analysis) >= _LEAST_TIME:
            yield _build_finding(steps, further, accepted[1], analysis), steps


def _are_rounds(steps: Sequence[Node], analysis: TraceAnalysis) -> bool:
    """Whether steps in turn have a verdict each, and their first model calls one task."""
    if any(after.start < before.end for before, after in pairwise(steps)):
        return False
    if not all(analysis.was_read(step) and _verdict_of(step) for step in steps):
        return False
    tasks = {
        _task_of(step, before, analysis)
        for before, step in zip([None, *steps[:-1]], steps, strict=True)
    }
    return len(tasks) == 1 and "" not in tasks


def _verdict_of(step: Node) -> tuple[str, bool] | None:
    """The flag that says whether a draft is accepted, with its key as recorded."""
    output = step.view.output
    if not output.may_have_key(_ACCEPTED):
        return None
    flags = output.first_by_type.flags
    return next(
        ((innermost_key(leaf.path), leaf.value) for leaf in flags if leaf.key in _ACCEPTED), None
    )


def _task_of(step: Node, before: Node | None, analysis: TraceAnalysis) -> str:
    """What the first model call of a round was asked, without numbers: inside its step, or beside
    it since the step before. Empty where that is unknown."""
    inside = list(islice(analysis.tree.below(step), 1, _INSIDE_READ))
    since = before.end if before is not None else 0
    beside = (
        each
        for each in analysis.tree.siblings(step)
        if since <= each.start and each.end <= step.start
    )
    for call in (*inside, *islice(beside, _INSIDE_READ)):
        if call.view.is_model_call:
            users = (each.text for each in call.view.request.messages if each.role == "user")
            return without_numbers(next(users, "")[:_TASK_READ])
    return ""


def _find_accepted(steps: Sequence[Node]) -> tuple[int, str] | None:
    """The first good verdict before the last round, if none after it is bad."""
    verdicts = [verdict for step in steps if (verdict := _verdict_of(step))]
    first = next((place for place, (_, good) in enumerate(verdicts) if good), len(verdicts))
    if first >= len(steps) - 1 or not all(good for _, good in verdicts[first:]):
        return None
    return first, verdicts[first][0]


def _build_finding(
    steps: Sequence[Node], further: Sequence[Node], key: str, analysis: TraceAnalysis
) -> Finding:
    """On the loop, which does not look at the verdict, and the first round too many."""
    spent = sum(node.duration for node in further)
    first = len(steps) - len(further)
    parent = steps[0].parent
    where = f" in {parent.title}" if parent else ""
    sentence = (
        f"Round {first} of {one_line(name_stem(steps[0].name), limit=60)}{where} already says"
        f" “{one_line(key, limit=40)}: true”, and {format_count(len(further), 'further round')}"
        f" followed on the same task; {format_duration(spent)},"
        f" {format_percent(spent, analysis.profile.duration)} of the trace."
    )
    nodes = [*([parent] if parent else []), further[0], steps[first - 1], *further]
    numbers = {"rounds": len(steps), "further": len(further), "spent_ms": spent / 1_000}
    return build_finding(Category.LOOP, _CONFIDENCE, sentence, nodes, numbers)
