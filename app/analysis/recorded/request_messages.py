"""The messages of a request, as providers, frameworks and conventions record them."""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

from app.analysis.recorded.message_author import class_name
from app.analysis.recorded.opened_json import nest_dotted_names, open_text
from app.analysis.recorded.recorded_call import RecordedCall
from app.analysis.recorded.reply import RecordedReply, read_reply
from app.analysis.recorded.spellings import (
    CALL_ID,
    EVENT_ROLES,
    EVENTS_OF_PROMPTS,
    RESULT_HOLDERS,
    RESULT_TYPES,
    plain_key,
)

_MOST_MESSAGES = 1_000  # of one request, the newest of them: longer histories repeat themselves
_MOST_MEMBERS = 200  # of one message; calls and results have fewer
_MOST_BLOCKS = 512  # of one message
_LEVELS_OF_RESULTS = 3  # wrappers around what a tool returned: block, type and value, part
_LEVELS_OF_LISTS = 3  # LangChain puts the messages of each of several prompts into a list
_ROLES = {
    "human": "user",
    "ai": "assistant",
    "model": "assistant",
    "developer": "system",
    "aimessage": "assistant",
    "humanmessage": "user",
    "systemmessage": "system",
    "toolmessage": "tool",
    "aimessagechunk": "assistant",
    "function": "tool",
    "function_call": "assistant",
    "function_call_output": "tool",
    "chatbot": "assistant",
}
_KNOWN_ROLES = frozenset([*_ROLES, "user", "system", "tool", "assistant"])
_PLAIN_MEMBERS = frozenset(["role", "content", "type", "name", "id"])
_WRAPPERS = ("message", "kwargs")  # OpenInference's and LangChain's, around the whole message
_BLOCKS = ("content", "parts", "contents", "blocks")
_RETURNED = ("content", "output", "response", "result", "text")
_RETURNED_ALONE = frozenset(["output", "result", "content", "response", "text", "json", "value"])
"""Keys of which one holds all that a tool returned, beside its type at most."""


class RecordedMessage(NamedTuple):
    """One message: `role` is system, user, assistant or tool where it is known; `media` counts its
    images, audio and files."""

    role: str
    text: str
    calls: tuple[RecordedCall, ...] = ()
    call_id: str = ""
    media: int = 0


def read_message_list(items: list[Any]) -> Iterator[RecordedMessage]:
    """The messages of a list, at most the newest 1,000. What several tools returned in one message
    are several messages."""
    for _ in range(_LEVELS_OF_LISTS):
        if len(items) == 1 and isinstance(items[0], list) and not _is_pair(items[0]):
            items = items[0]
    for item in items[-_MOST_MESSAGES:]:
        yield from _read_item(item)


def read_span_events(events: list[Any]) -> Iterator[RecordedMessage]:
    """Messages that OpenTelemetry recorded as events of a span."""
    for event in events[-_MOST_MESSAGES:]:
        name = event.get("name") if isinstance(event, dict) else None
        held = event.get("attributes") if isinstance(name, str) else None
        if not isinstance(held, dict):
            continue
        if name in EVENT_ROLES:
            yield from _read_item({**held, "role": EVENT_ROLES[name]})
        elif name in EVENTS_OF_PROMPTS:
            prompt = held.get("gen_ai.prompt", held.get("gen_ai.input.messages"))
            prompt = open_text(prompt) if isinstance(prompt, str) else prompt
            for part in _listed(held.get("gen_ai.system_instructions")):
                yield RecordedMessage("system", read_reply(part).text)
            yield from read_message_list(_listed(prompt))


def _listed(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def _read_item(item: Any) -> Iterator[RecordedMessage]:
    if isinstance(item, str):
        yield RecordedMessage("user", item)
        return
    if _is_pair(item):
        item = {"role": item[0], "content": item[1]}
    if not isinstance(item, dict):
        return
    if not _is_plain(item):
        item = _unwrap(item)
    role = _read_role(item)
    if _is_plain(item):
        call_id = str(item.get("id") or "") if role == "tool" else ""
        yield RecordedMessage(role, item["content"], (), call_id)
        return
    call_id = _find_call_id(item)
    if plain_key(item.get("type") or "") in RESULT_TYPES:
        yield RecordedMessage("tool", result_text(_find_returned(item)), (), call_id)
        return
    key = next((key for key in _BLOCKS if isinstance(item.get(key), list)), None)
    results = list(_read_results(item[key])) if key is not None else []
    yield from results
    if key is not None and results:
        rest = [block for block in item[key] if _held_result(block) is None]
        if not rest:
            return
        item = {**item, key: rest}
    if role == "tool":
        yield RecordedMessage(role, result_text(_find_returned(item)), (), call_id)
        return
    reply = _read_as_reply(item)
    yield RecordedMessage(role, reply.text, reply.calls, call_id, reply.media)


def _is_pair(item: Any) -> bool:
    """Whether it is a message as LangChain's programs write them: role and text."""
    if not isinstance(item, list) or len(item) != 2:
        return False
    role, text = item
    return isinstance(role, str) and isinstance(text, str) and role.lower() in _KNOWN_ROLES


def _is_plain(item: Mapping[str, Any]) -> bool:
    return isinstance(item.get("content"), str) and _PLAIN_MEMBERS.issuperset(item)


def _unwrap(item: Mapping[str, Any]) -> dict[str, Any]:
    """A message without the wrapper and the spelling of its keys that a framework gave it."""
    if "_role" in item:  # Haystack's dataclasses
        item = {key.removeprefix("_"): inner for key, inner in item.items()}
    elif "event.name" in item:  # OpenTelemetry's events as Pydantic AI and Logfire list them
        item = {**item, "role": EVENT_ROLES.get(item["event.name"], item.get("role"))}
    else:
        item = nest_dotted_names(item)
    for wrapper in _WRAPPERS:
        inner = item.get(wrapper)
        if isinstance(inner, dict):
            item = {"type": class_name(item), **inner}
    return dict(item)


def _read_role(item: Mapping[str, Any]) -> str:
    role = item.get("role", item.get("type", ""))
    role = role.lower() if isinstance(role, str) else ""
    return _ROLES.get(role, role)


def _find_call_id(item: Any) -> str:
    """The id of the call that an object belongs to, empty where it has none."""
    if not isinstance(item, dict):
        return ""
    own = ""
    for name, inner in islice(item.items(), _MOST_MEMBERS):
        key = plain_key(name)
        if key in CALL_ID and inner:
            if key != "id":  # an item of the Responses API and of LiveKit has one of its own too
                return str(inner)
            own = own or str(inner)
    if own:
        return own
    for around in ("origin", "additional_kwargs"):  # Haystack, LlamaIndex
        if isinstance(item.get(around), dict):
            return _find_call_id(item[around])
    return ""


def _read_results(blocks: Iterable[Any]) -> Iterator[RecordedMessage]:
    """What tools returned, in blocks of one message."""
    for block in islice(blocks, _MOST_BLOCKS):
        held = _held_result(block)
        if held is not None:
            yield RecordedMessage(
                "tool", result_text(_find_returned(held)), (), _find_call_id(held)
            )


def _held_result(block: Any) -> dict[str, Any] | None:
    """The object that describes what a tool returned; None where a block is something else."""
    if not isinstance(block, dict):
        return None
    for key, inner in islice(block.items(), _MOST_MEMBERS):
        if isinstance(inner, dict) and plain_key(key) in RESULT_HOLDERS:
            return inner
    return block if plain_key(block.get("type") or "") in RESULT_TYPES else None


def _find_returned(item: Mapping[str, Any]) -> Any:
    found = next((item[key] for key in _RETURNED if item.get(key) is not None), None)
    return item.get("blocks", "") if found is None else found


def result_text(value: Any, level: int = 0) -> str:
    """The text of what a tool returned: its parts of text, else JSON."""
    if isinstance(value, str):
        return value
    if level < _LEVELS_OF_RESULTS:
        if isinstance(value, list) and value:
            texts = [_part_text(part, level) for part in value[:_MOST_BLOCKS]]
            if all(text is not None for text in texts):
                return "\n".join(text for text in texts if text)
        if isinstance(value, dict):
            names = [key for key in value if key != "type"]
            if len(names) == 1 and names[0] in _RETURNED_ALONE:
                return result_text(value[names[0]], level + 1)
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, TypeError, RecursionError):
        return ""


def _part_text(part: Any, level: int) -> str | None:
    """The text of a part of a result (MCP, Anthropic, Bedrock); None for a record of data."""
    if isinstance(part, str):
        return part
    if not isinstance(part, dict) or not ({"type", "text", "json"} & part.keys()):
        return None
    if isinstance(part.get("text"), str):
        return str(part["text"])
    return result_text({key: part[key] for key in part if key != "type"}, level + 1)


def _read_as_reply(item: Mapping[str, Any]) -> RecordedReply:
    """A message of any role is read as a reply is."""
    own = {name: inner for name, inner in item.items() if plain_key(name) != "role"}
    if isinstance(own.get("type"), str) and own["type"].lower() in _KNOWN_ROLES - {"function_call"}:
        own.pop("type")
    return read_reply(own)
