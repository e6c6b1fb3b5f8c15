"""Checks where questions went: into which conversation, and behind which turn of it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from app.events import TurnPlace
from testkit.audits.clients import AskedQuestion, DeletedConversation
from testkit.audits.log import LoggedConversation, LoggedTurn


@dataclass(frozen=True)
class CreatedConversation:
    """An empty conversation that a client made, with its number; `ended` when it was answered."""

    trace_id: str
    id: str
    number: int
    ended: float
    owner: str = ""


def find_place_faults(
    log: Iterable[LoggedConversation],
    asked: Sequence[AskedQuestion],
    deleted: Sequence[DeletedConversation] = (),
    created: Sequence[CreatedConversation] = (),
) -> list[str]:
    """Questions that are elsewhere than their client asked them, one line each.

    A question that names no conversation belongs to the latest one, and one that names no turn
    follows the latest turn.
    """
    clients = {each.question: each for each in asked}
    faults = [
        f"{each.question}: was not found, and nothing was deleted"
        for each in asked
        if (each.not_found or each.error == "not_found")
        and not _was_deleted_meanwhile(each, deleted)
    ]
    for conversation in log:
        before: LoggedTurn | None = None
        for turn in conversation.turns:
            client = clients.get(turn.question)
            if client and turn.row:
                found = [
                    *_find_wrong_parent(client.place, conversation, turn, before),
                    *_find_wrong_conversation(client, conversation, deleted, created),
                ]
                faults += [f"{turn.question}: {fault}" for fault in found]
            before = turn
    return faults


def _was_deleted_meanwhile(asked: AskedQuestion, deleted: Iterable[DeletedConversation]) -> bool:
    named = asked.place.conversation_id
    return any(
        each.may_concern(asked, named)
        and each.ended >= asked.known_since
        and each.began <= asked.ended
        for each in deleted
    )


def _find_wrong_parent(
    place: TurnPlace,
    conversation: LoggedConversation,
    turn: LoggedTurn,
    before: LoggedTurn | None,
) -> Iterator[str]:
    if place.replaces is not None:
        replaced = conversation.rows.get(place.replaces)
        if replaced is None:
            yield f"replaces turn {place.replaces} of another conversation"
            return
        expected = replaced.parent_turn_id
    else:
        expected = place.after or (before and before.id)
    if turn.row.parent_turn_id != expected:
        yield f"follows turn {turn.row.parent_turn_id}, not {expected}"


def _find_wrong_conversation(
    asked: AskedQuestion,
    conversation: LoggedConversation,
    deleted: Sequence[DeletedConversation],
    created: Iterable[CreatedConversation],
) -> Iterator[str]:
    named = asked.place.conversation_id
    if named is not None:
        if named != conversation.row.id:
            yield f"was asked in conversation {named} and is in {conversation.row.id}"
        return
    for each in created:
        newer = (each.trace_id, each.owner) == (asked.trace_id, asked.owner) and (
            each.ended < asked.began and each.number > conversation.row.number
        )
        if newer and not any(
            gone.may_concern(asked, each.id) and gone.began <= asked.ended for gone in deleted
        ):
            yield f"is in {conversation.row.id} although {each.id} was created before"
