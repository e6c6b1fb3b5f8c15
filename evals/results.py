"""The answer to one question, and the row of results that is kept of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.events import ReplyCompleted, StoredEvent, ToolCompleted, TurnFailed, TurnFinished
from evals.grading import LabelledTurn, Verdict, grade_spans
from evals.labelled_case import LabelledCase


@dataclass(frozen=True)
class Answer:
    """One turn. `named` are the spans that the answer names; `code` says why there is none."""

    text: str = ""
    named: Sequence[str] = ()
    code: str = ""
    failure: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    steps: int = 0
    tool_calls: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class ResultRow:
    """One graded answer, as the results keep it.

    `healthy` says that nothing was wrong with the trace; `right` are the spans looked for,
    `named` those of the answer, `place` numbers the first right one among them (0: none). Tokens
    are those that the provider reported, `steps` the replies of the model, `seconds` last from the
    question to the end of its answer.
    """

    variant: str
    case: str
    turn: int
    repeat: int
    verdict: Verdict
    healthy: bool
    right: Sequence[str]
    place: int
    named: Sequence[str]
    code: str
    failure: str
    prompt_tokens: int
    completion_tokens: int
    steps: int
    tool_calls: int
    seconds: float
    question: str
    answer: str


class Asker(Protocol):
    """Can answer all questions of a case, in one conversation."""

    async def talk(self, case: LabelledCase, *, workspace: str, token: str) -> Sequence[Answer]:
        """The answers, in the order of the case's turns."""
        ...


def read_answer(
    events: Sequence[StoredEvent], named: Callable[[str], Sequence[str]], seconds: float
) -> Answer:
    """Reads an answer from the events of its turn; only the last reply is the answer."""
    replies = [each for each in events if isinstance(each, ReplyCompleted)]
    usage = [each.usage for each in replies if each.usage]
    failed = next((each for each in events if isinstance(each, TurnFailed)), None)
    finished = any(isinstance(each, TurnFinished) for each in events)
    text = replies[-1].text if replies else ""
    return Answer(
        text=text,
        named=named(text) if finished else (),
        code=failed.code if failed else "" if finished else "not_finished",
        failure=failed.message if failed else "",
        prompt_tokens=sum(each.prompt_tokens for each in usage),
        completion_tokens=sum(each.completion_tokens for each in usage),
        steps=len(replies),
        tool_calls=sum(isinstance(each, ToolCompleted) for each in events),
        seconds=seconds,
    )


def grade_answer(
    variant: str, case: LabelledCase, turn: int, *, repeat: int, got: Answer
) -> ResultRow:
    """The graded answer to the case's turn of that number."""
    asked: LabelledTurn = case.turns[turn]
    places = [place for place, span_id in enumerate(got.named, 1) if span_id in asked.right]
    return ResultRow(
        variant=variant,
        case=case.name,
        turn=turn,
        repeat=repeat,
        verdict="failed" if got.code else grade_spans(asked, got.named),
        healthy=asked.healthy,
        right=asked.right,
        place=places[0] if places else 0,
        named=got.named,
        code=got.code,
        failure=got.failure,
        prompt_tokens=got.prompt_tokens,
        completion_tokens=got.completion_tokens,
        steps=got.steps,
        tool_calls=got.tool_calls,
        seconds=round(got.seconds, 3),
        question=asked.question,
        answer=got.text,
    )
