"""Signs at the end of a trace that something went wrong before."""

import re
from collections.abc import Iterator
from typing import Any

from app.analysis.error_origins import error_message
from app.analysis.recorded.answer_text import gives_up
from app.analysis.recorded.body import Body
from app.analysis.recorded.body_state import BodyState
from app.analysis.recorded.emptiness import is_empty_result
from app.analysis.recorded.outcome import find_failure
from app.analysis.recorded.reply import read_reply
from app.analysis.recorded.spellings import RESULT_WRAPPERS, key_set, plain_key
from app.analysis.rules.error_wording import FAILURE_WORDS, LIMIT_ERROR
from app.analysis.rules.scores import is_bad_score, is_good_score
from app.analysis.text.one_line import one_line
from app.analysis.trace_analysis import TraceAnalysis
from app.analysis.user_question import asked_question

_NO_INPUT = Body(None)
_STOP_REASONS = key_set(
    "stop_reason reason stopped stopped_by stop ended_by end_reason exit_reason termination_reason"
    " terminated_by termination finish_reason finished_by stopped_because early_stop subtype"
)
_LIMIT_OF_TURNS = re.compile(
    r"(?<![a-z])(?:(?:iteration|recursion|step|turn|round|message)s?\b.{0,20}"
    r"\b(?:limit|exceeded|reached|exhausted)\b"
    r"|max(?:imum)?[ _-]?(?:number of )?(?:iteration|step|turn|round|message|loop)s?(?![a-z]))",
    re.IGNORECASE,
)
_LONGEST_STOP = 120  # characters of the reason why something stopped
_MESSAGE_READ = 500  # characters of a message, which begins with what happened


def find_symptom(analysis: TraceAnalysis) -> str:
    """A sign of an earlier failure at the end of the trace, or an empty text.

    Where somebody rated the trace well, only an error counts.
    """
    if ended_by_error(analysis):
        return "the trace failed"
    bad = next((each for each in analysis.trace.feedback_scores if is_bad_score(each)), None)
    if bad is not None:
        value = "" if bad.value is None else f" {bad.value:g}"
        return f"the trace was scored {one_line(bad.name, limit=40)}{value}"
    if was_rated_well(analysis):
        return ""
    about_failure = FAILURE_WORDS.search(analysis.once(asked_question)) is not None
    for output in _final_outputs(analysis):
        found = _read_symptom(output, about_failure=about_failure)
        if found:
            return found
    return ""


def ended_by_error(analysis: TraceAnalysis) -> bool:
    """Whether the trace failed, or one of its roots after which no other began."""
    if analysis.error is not None:
        return True
    roots = analysis.tree.roots
    last_start = roots[-1].start if roots else 0
    return any(node.error is not None and node.end >= last_start for node in roots)


def was_stopped_by_limit(analysis: TraceAnalysis) -> bool:
    """Whether a limit of turns ended the trace, by its error, or by what it says at the end or
    names as the reason why it stopped."""
    errors = [analysis.error, *(node.error for node in analysis.tree.roots)]
    texts = [error_message(error) for error in errors if error is not None]
    if not texts:
        outputs = list(_final_outputs(analysis))
        if any(map(_names_limit, outputs)):
            return True
        texts = [find_failure(output.opened) for output in outputs]
    return any(LIMIT_ERROR.search(text[:_MESSAGE_READ]) for text in texts)


def _names_limit(output: Body) -> bool:
    """Whether a limit of turns is the reason that an output states for its end, in a few words
    (`stop_reason` of AutoGen, `subtype` of a run of Claude's agents)."""
    return output.may_have_key(_STOP_REASONS) and any(
        leaf.key in _STOP_REASONS
        and len(leaf.value) <= _LONGEST_STOP
        and _LIMIT_OF_TURNS.search(leaf.value) is not None
        for leaf in output.first_by_type.texts
    )


def was_rated_well(analysis: TraceAnalysis) -> bool:
    """Whether there is a good score of the trace and no bad one."""
    scores = analysis.trace.feedback_scores
    return any(map(is_good_score, scores)) and not any(map(is_bad_score, scores))


def _final_outputs(analysis: TraceAnalysis) -> Iterator[Body]:
    """The output of the trace and that of its root; the last of several roots ends nothing."""
    yield analysis.returned
    roots = analysis.tree.roots
    if len(roots) == 1 and analysis.was_read(roots[0]):
        yield roots[0].view.output


def _read_symptom(output: Body, *, about_failure: bool) -> str:
    failure = find_failure(output.opened)
    text = read_reply(output.opened).text
    if failure and not (about_failure and failure == text):
        return f"the final output says “{one_line(failure, limit=100)}”"
    if _names_limit(output):
        return "a limit of turns ended it"
    if gives_up(text):
        return f"the final answer is “{one_line(text, limit=100)}”"
    return "the final output is empty" if _is_empty_end(output) else ""


def _is_empty_end(output: Body) -> bool:
    """Whether a final output was recorded and holds nothing: blank, or a record without values."""
    value = output.opened
    if output.state is BodyState.ABSENT:
        return _has_only_nulls(value)
    return output.state is BodyState.EMPTY or is_empty_result(output, _NO_INPUT)


def _has_only_nulls(value: Any) -> bool:
    """Whether it is a record of fields that are all null. A null under the one key that SDKs put
    around a result is a function that returns nothing."""
    if not isinstance(value, dict) or not value:
        return False
    if len(value) == 1 and plain_key(next(iter(value))) in RESULT_WRAPPERS:
        return False
    return all(inner is None for inner in value.values())
