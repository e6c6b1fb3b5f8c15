"""Compares what clients saw with the stored log: nothing lost, doubled, mixed up or invented."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from app.events import (
    LATEST_PLACE,
    ReplyCompleted,
    ToolCompleted,
    TurnFailed,
    TurnFinished,
    TurnInterrupted,
    TurnPlace,
)
from app.web.panel import PLACEHOLDER
from testkit.audits.log import LoggedConversation, LoggedTurn

Frame = dict[str, Any]

# Error codes that tell the client that the log may lack the answer.
_UNSTORED = ("database_unavailable", "not_stored", "turn_lost")


@dataclass
class AskedQuestion:
    """A question whose text occurs once in a run, and all that its client saw of the answer.

    Times are of one monotonic clock. `whole`: the body ended by itself; otherwise the client left
    or the connection broke. `owner` is who asked, where several do. `place` is the one that the
    question named, `known_since` when its client began to read about it, and `not_found` whether
    the service did not know it.
    """

    trace_id: str
    question: str
    began: float
    ended: float = float("inf")
    frames: list[Frame] = field(default_factory=list)
    whole: bool = False
    owner: str = ""
    place: TurnPlace = LATEST_PLACE
    known_since: float = 0
    not_found: bool = False

    @property
    def turn_ids(self) -> set[str]:
        return {each["invocationId"] for each in self.frames if "invocationId" in each}

    @property
    def error(self) -> str | None:
        """The code of the frame that stands for an answer."""
        return next((each["code"] for each in self.frames if each.get("error")), None)

    @property
    def answered(self) -> bool:
        return self.whole and self.error is None


@dataclass(frozen=True)
class DeletedConversation:
    """A DELETE of all conversations about a trace, or of the one that is named.

    `certain` where its answer was seen.
    """

    trace_id: str
    began: float
    ended: float
    certain: bool
    owner: str = ""
    conversation_id: str | None = None

    def may_concern(self, asked: AskedQuestion, conversation_id: str | None) -> bool:
        """Whether a question was in what was deleted; its conversation may be unknown (None)."""
        same = (self.trace_id, self.owner) == (asked.trace_id, asked.owner)
        ids = {self.conversation_id, conversation_id} - {None}
        return same and len(ids) <= 1


def find_client_faults(
    log: Iterable[LoggedConversation],
    asked: Sequence[AskedQuestion],
    deleted: Sequence[DeletedConversation] = (),
    *,
    outages: bool = False,
) -> list[str]:
    """Every difference between the log and what the clients saw, one line each.

    With `outages` of the database a turn may have shown more than was stored before it was
    interrupted or lost its conversation.
    """
    found: dict[str, list[LoggedTurn]] = {}
    places: dict[str, tuple[str, str]] = {}
    for conversation in log:
        for turn in conversation.turns:
            found.setdefault(turn.question, []).append(turn)
            places[turn.question] = (conversation.row.trace_id, conversation.row.owner)
    faults = [
        f"{each.question}: is in the conversation of {places[each.question]}"
        for each in asked
        if each.question in places and not _is_at_home(each, *places[each.question])
    ]
    faults += [
        f"{each.question}: {fault}"
        for each in asked
        for fault in _of_question(each, found.get(each.question, []), deleted, outages=outages)
    ]
    for question in found.keys() - {each.question for each in asked}:
        faults.append(f"{question!r} was asked by no client")
    return faults + list(_out_of_order(asked, found))


def _is_at_home(asked: AskedQuestion, trace_id: str, owner: str) -> bool:
    return asked.trace_id == trace_id and owner.endswith(asked.owner)


def _of_question(
    asked: AskedQuestion,
    turns: Sequence[LoggedTurn],
    deleted: Sequence[DeletedConversation],
    *,
    outages: bool,
) -> Iterator[str]:
    if len(turns) > 1:
        yield f"is in the log {len(turns)} times"
    if len(asked.turn_ids) > 1:
        yield f"got frames of the turns {sorted(asked.turn_ids)}"
    row = turns[0].row if turns else None
    conversation_id = row.session_id if row else asked.place.conversation_id
    deletes = [each for each in deleted if each.may_concern(asked, conversation_id)]
    if not turns:
        perhaps_deleted = any(each.ended >= asked.began for each in deletes)
        if (asked.turn_ids or asked.answered) and not perhaps_deleted:
            yield "was answered and is lost"
        return
    if asked.whole and any(each.certain and each.began >= asked.ended for each in deletes):
        yield "was deleted and came back"
    if asked.turn_ids - {turns[0].id}:
        yield f"got frames of turn {sorted(asked.turn_ids)}, the log has {turns[0].id}"
    if not (outages and isinstance(turns[0].ending, TurnInterrupted)):
        yield from _of_answer(asked, turns[0])


def _of_answer(asked: AskedQuestion, turn: LoggedTurn) -> Iterator[str]:
    shown, stored = list(_list_shown(asked.frames)), list(_list_stored(turn))
    if shown != (stored if asked.answered else stored[: len(shown)]):
        yield f"showed {shown}, the log has {stored}"
    yield from _of_texts(asked, turn)
    if not asked.whole:
        return
    ending = turn.ending
    if asked.error is None:
        if not isinstance(ending, TurnFinished):
            yield f"ended for its client, in the log by {ending}"
        yield from _of_usage(asked, turn)
    elif isinstance(ending, TurnFailed):
        if ending.code != asked.error:
            yield f"failed by {asked.error} for its client, in the log by {ending.code}"
    elif asked.error not in _UNSTORED:
        yield f"failed by {asked.error} for its client, in the log it is {ending}"


def _list_shown(frames: Iterable[Frame]) -> Iterator[tuple[str, str]]:
    """Closed bubbles, calls and answers to calls, as the client saw them one after the other."""
    for frame in frames:
        kind = frame.get("message_type")
        if kind in ("tool_call", "tool_complete"):
            yield kind, frame["id"]
        elif kind == "response" and not frame["partial"]:
            yield "bubble", frame["id"]


def _list_stored(turn: LoggedTurn) -> Iterator[tuple[str, str]]:
    for each in turn.events:
        if isinstance(each.event, ReplyCompleted):
            if each.event.text:
                yield "bubble", each.event.bubble
            yield from (("tool_call", call.id) for call in each.event.calls)
        elif isinstance(each.event, ToolCompleted):
            yield "tool_complete", each.event.call_id


def _of_texts(asked: AskedQuestion, turn: LoggedTurn) -> Iterator[str]:
    """For texts in which nothing is made harmless: what was shown is what is stored.

    A text that cites spans is shown with links in place of its tokens, and left out.
    """
    texts = {reply.bubble: reply.text for reply in turn.replies}
    citing = {reply.bubble for reply in turn.replies if reply.cited}
    pieces: dict[str, str] = {}
    unstored = asked.error in _UNSTORED or isinstance(turn.ending, TurnInterrupted)
    for frame in asked.frames:
        if frame.get("message_type") != "response":
            continue
        bubble, text = frame["id"], frame["content"]["parts"][0]["text"]
        if bubble in citing:
            continue
        if frame["partial"]:
            pieces[bubble] = pieces.get(bubble, "") + text
        elif texts.get(bubble) != text:
            yield f"showed {text!r}, the log has {texts.get(bubble)!r}"
    for bubble, text in pieces.items():
        if text == PLACEHOLDER:
            continue
        stored = texts.get(bubble, "")
        # Of an interrupted answer the words of its last second may be missing.
        if bubble in texts and not (
            stored.startswith(text) or (unstored and text.startswith(stored))
        ):
            yield f"showed {text!r} in pieces, the log has {texts[bubble]!r}"
        elif bubble not in texts and not unstored:
            yield f"showed {text!r} in pieces, the log does not have it"


def _of_usage(asked: AskedQuestion, turn: LoggedTurn) -> Iterator[str]:
    sent = [each["turn"] for each in asked.frames if each.get("message_type") == "usage"]
    counted = (turn.row.prompt_tokens, turn.row.completion_tokens)
    if [(each["prompt_tokens"], each["completion_tokens"]) for each in sent] != [counted]:
        yield f"was sent the usage {sent}, its row has {counted}"


def _out_of_order(
    asked: Iterable[AskedQuestion], found: dict[str, list[LoggedTurn]]
) -> Iterator[str]:
    """A question that was answered before another was asked comes before it in the log."""
    places = {
        turn.question: (conversation, turn.events[0].sequence)
        for turns in found.values()
        for turn in turns
        for conversation in [turn.row and turn.row.session_id]
    }
    by_conversation: dict[Any, list[tuple[int, AskedQuestion]]] = {}
    for each in asked:
        if each.question in places:
            conversation, sequence = places[each.question]
            by_conversation.setdefault(conversation, []).append((sequence, each))
    for placed in by_conversation.values():
        in_order = [each for _, each in sorted(placed, key=lambda pair: pair[0])]
        for before, after in pairwise(in_order):
            if after.answered and after.ended < before.began:
                yield f"{after.question} was answered before {before.question} was asked"
