"""Whether a recorded message is the model's own."""

from collections.abc import Mapping
from typing import Any

_OTHER_ROLES = frozenset(["user", "human", "system", "developer", "tool", "function"])


def class_name(item: Mapping[str, Any]) -> Any:
    """The class of a message that LangChain serialised (`"id": [..., "HumanMessage"]`)."""
    way = item.get("id")
    return way[-1] if isinstance(way, list) and way else item.get("type", "")


def _role_of(item: Mapping[str, Any]) -> str:
    role = item.get("role", item.get("type"))
    return role.lower().removesuffix("message") if isinstance(role, str) else ""


def is_by_other(value: Mapping[str, Any]) -> bool:
    """Whether it is a message of someone else than the model."""
    held = value.get("kwargs")
    if isinstance(held, dict):
        value = {"type": class_name(value), **held}
    return ("content" in value or "parts" in value) and _role_of(value) in _OTHER_ROLES


def take_own_messages(items: list[Any]) -> list[Any]:
    """The model's last messages of a conversation; other lists as they are."""
    for place in range(len(items) - 1, -1, -1):
        if isinstance(items[place], dict) and is_by_other(items[place]):
            return items[place + 1 :]
    return items
