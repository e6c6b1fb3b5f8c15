"""What the list of conversations shows of each."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError

from app.conversation.branches import TurnTree
from app.conversation.titles import make_title
from app.db.conversation_list import ConversationEntry
from app.events import TurnStarted, load_event

UNTITLED = "New conversation"


@dataclass(frozen=True, slots=True)
class ConversationSummary:
    """A conversation in the list; times are UTC.

    `questions` are those of the active branch, `model` answers its last one, None without any.
    """

    id: str
    number: int
    title: str
    created_at: datetime
    updated_at: datetime
    questions: int
    model: str | None
    running: bool


def summarize_conversation(entry: ConversationEntry) -> ConversationSummary:
    """The conversation with a title in any case."""
    branch = TurnTree({each.id: each.parent_id for each in entry.turns}).find_branch()
    return ConversationSummary(
        id=entry.id,
        number=entry.number,
        title=entry.title or _read_first_title(entry.first_event) or UNTITLED,
        created_at=entry.created_at,
        updated_at=entry.updated_at,
        questions=len(branch),
        model=entry.turns[-1].model if entry.turns else None,
        running=entry.running,
    )


def _read_first_title(first_event: str | None) -> str | None:
    """The title of a conversation that began before titles were stored."""
    if first_event is None:
        return None
    try:
        event = load_event(first_event)
    except ValidationError:
        return None
    return make_title(event.question) if isinstance(event, TurnStarted) else None
