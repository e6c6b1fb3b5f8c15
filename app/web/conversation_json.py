"""Conversations as JSON values."""

from datetime import datetime
from typing import Any

from app.conversation.summary import ConversationSummary
from app.web.markdown.allowed_links import AllowedLinks, find_urls
from app.web.markdown.filter import make_inert


def describe_conversation(summary: ConversationSummary) -> dict[str, Any]:
    """A conversation as in the list; its title may be shown as Markdown or as plain text."""
    title = make_inert(summary.title, AllowedLinks(allowed=find_urls(summary.title)), {})
    return {
        "id": summary.id,
        "number": summary.number,
        "title": title,
        "created_at": format_time(summary.created_at),
        "last_updated_at": format_time(summary.updated_at),
        "questions": summary.questions,
        "model": summary.model,
        "running": summary.running,
    }


def format_time(time: datetime) -> str:
    """A UTC time as Opik's API writes it, to the microsecond."""
    return time.isoformat(timespec="microseconds").replace("+00:00", "Z")
