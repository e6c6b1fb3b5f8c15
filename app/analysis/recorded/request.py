"""What a model call asked for: messages, offered tools and the format of the answer."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.analysis.recorded.opened_json import nest_dotted_names
from app.analysis.recorded.recorded_call import RecordedCall
from app.analysis.recorded.reply import RecordedReply, read_reply
from app.analysis.recorded.spellings import (
    CALL_ID,
    JSON_FORMATS,
    MESSAGES,
    RESPONSE_FORMAT,
    SYSTEM,
    TOOLS,
    plain_key,
)

_MOST_MESSAGES = 1_000  # of one request, the newest of them: longer histories repeat themselves
_MOST_TOOLS = 512
_LEVELS_DOWN = 3  # wrappers around the arguments of a call (`{"args": {"body": {…}}}`)
_ROLES = {
    "human": "user",
    "ai": "assistant",
    "model": "assistant",
    "developer": "system",
    "aimessage": "assistant",
    "humanmessage": "user",
    "systemmessage": "system",
    "toolmessage": "tool",
    "function": "tool",
    "chatbot": "assistant",
}
_LIMIT_KEYS = frozenset(
    ["maxtokens", "maxcompletiontokens", "maxoutputtokens", "maxnewtokens", "numpredict"]
)


@dataclass(frozen=True, slots=True)
class RecordedMessage:
    """One message: `role` is system, user, assistant or tool where it is known."""

    role: str
    text: str
    calls: tuple[RecordedCall, ...] = ()
    call_id: str = ""


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """`tools` are the names offered; `has_hosted_tools` says that some have no name, since the
    provider runs them (web search). `wants_json` says that a JSON format was set."""

    messages: tuple[RecordedMessage, ...] = ()
    tools: frozenset[str] = frozenset()
    has_hosted_tools: bool = False
    wants_json: bool = False
    token_limit: float | None = None

    @property
    def last_instruction(self) -> str:
        """The text of the last message of a user, else of the system."""
        for role in ("user", "system", ""):
            for message in reversed(self.messages):
                if message.role == role and message.text.strip():
                    return message.text
        return ""


def read_request(given: Any, metadata: Any) -> RecordedRequest:
    """The request in an input, with what integrations put into the metadata."""
    records = [nest_dotted_names(given), nest_dotted_names(metadata)]
    names: set[str] = set()
    hosted = wants_json = False
    limit: float | None = None
    for key, value in _members(records):
        if key in TOOLS:
            found, has_hosted = _tool_names(value)
            names |= found
            hosted = hosted or has_hosted
        elif key in RESPONSE_FORMAT:
            wants_json = wants_json or _names_json(value)
        elif key in _LIMIT_KEYS and isinstance(value, int | float):
            limit = float(value)
    messages = tuple(_read_messages(records[0]))
    return RecordedRequest(messages, frozenset(names), hosted, wants_json, limit)


def _members(records: list[Any]) -> Iterator[tuple[str, Any]]:
    """Members of objects near the top, but not of messages."""
    waiting: list[tuple[int, Any]] = [(0, record) for record in reversed(records)]
    while waiting:
        level, value = waiting.pop()
        if not isinstance(value, Mapping):
            continue
        for name, inner in list(value.items())[:200]:
            key = plain_key(name)
            yield key, inner
            if level < _LEVELS_DOWN and isinstance(inner, Mapping) and key not in TOOLS:
                waiting.append((level + 1, inner))


def _tool_names(value: Any) -> tuple[set[str], bool]:
    """Names of tools, and whether there are some without a name."""
    names: set[str] = set()
    hosted = False
    waiting = [value]
    left = _MOST_TOOLS
    while waiting and left > 0:
        item = waiting.pop()
        left -= 1
        if isinstance(item, list):
            waiting.extend(item[:_MOST_TOOLS])
        elif isinstance(item, str):
            names.add(item)
        elif isinstance(item, Mapping):
            name = _tool_name(item)
            if name:
                names.add(name)
            elif declared := next((item[k] for k in item if plain_key(k) in _DECLARED), None):
                waiting.append(declared)
            else:
                hosted = True
    return names, hosted


_DECLARED = frozenset(["functiondeclarations", "tools", "toolspec"])


def _tool_name(item: Mapping[str, Any]) -> str:
    for inner in (item, item.get("function"), item.get("toolSpec"), item.get("tool")):
        if isinstance(inner, Mapping) and isinstance(inner.get("name"), str):
            return str(inner["name"])
    return ""


def _names_json(value: Any) -> bool:
    if isinstance(value, str):
        return value.lower() in JSON_FORMATS or plain_key(value) in JSON_FORMATS
    if not isinstance(value, Mapping):
        return False
    if any(plain_key(name) in ("schema", "jsonschema") for name in value):
        return True
    kind = value.get("type")
    if isinstance(kind, str):
        return plain_key(kind) in JSON_FORMATS
    return any(_names_json(inner) for inner in value.values() if isinstance(inner, Mapping))


def _read_messages(given: Any) -> Iterator[RecordedMessage]:
    """The messages of a request in order, system first."""
    if isinstance(given, str):
        yield RecordedMessage("user", given)
        return
    value, level = given, 0
    while isinstance(value, Mapping) and level <= _LEVELS_DOWN:
        system = _find(value, SYSTEM)
        if system:
            yield RecordedMessage("system", read_reply(system).text)
        found = _find(value, MESSAGES)
        if isinstance(found, str):
            yield RecordedMessage("user", found)
            return
        if isinstance(found, list):
            value = found
            break
        inner = [each for each in value.values() if isinstance(each, Mapping)]
        value = found if isinstance(found, Mapping) else inner[0] if inner else None
        level += 1
    if isinstance(value, list):
        while len(value) == 1 and isinstance(value[0], list):
            value = value[0]
        for item in value[-_MOST_MESSAGES:]:
            yield from _read_message(item)


def _find(value: Mapping[str, Any], keys: frozenset[str]) -> Any:
    return next((inner for name, inner in value.items() if plain_key(name) in keys and inner), None)


def _read_message(item: Any) -> Iterator[RecordedMessage]:
    if isinstance(item, str):
        yield RecordedMessage("user", item)
    if not isinstance(item, Mapping):
        return
    for wrapper in ("message", "kwargs"):
        if isinstance(item.get(wrapper), Mapping):
            item = {**item, **item[wrapper]}
    role = item.get("role", item.get("type", ""))
    role = role.lower() if isinstance(role, str) else ""
    kind = _ROLES.get(role, role)
    reply = _as_reply(item)
    call_id = next((str(item[k]) for k in item if plain_key(k) in CALL_ID and item[k]), "")
    yield RecordedMessage(kind, reply.text, reply.calls, call_id)


def _as_reply(item: Mapping[str, Any]) -> RecordedReply:
    """A message is read as a reply is, whoever wrote it."""
    own = {name: inner for name, inner in item.items() if plain_key(name) not in ("role",)}
    if isinstance(own.get("type"), str) and own["type"].lower() in _ROLES | dict.fromkeys(
        ["user", "system", "tool", "assistant"], ""
    ):
        own.pop("type")
    return read_reply(own)
