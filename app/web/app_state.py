"""What the endpoints share."""

from typing import TypedDict

from app.conversation.conversations import Conversations
from app.conversation.health import Health


class AppState(TypedDict):
    """What the lifespan opens and every request can use."""

    conversations: Conversations
    health: Health
    request_id: str
