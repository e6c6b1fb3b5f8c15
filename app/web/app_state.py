"""What the endpoints share."""

from typing import TypedDict

from app.conversation.conversations import Conversations
from app.conversation.health import Health
from app.explorer.explorer import Explorer


class AppState(TypedDict):
    """What the lifespan opens and every request can use."""

    conversations: Conversations
    explorer: Explorer
    health: Health
    request_id: str
