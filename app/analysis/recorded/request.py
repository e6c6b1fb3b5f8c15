"""What a model call asked for: messages, offered tools and the format of the answer.

Knows the requests of the providers named in `reply_reader`, and what OpenTelemetry and
OpenInference record of them: attributes, and events of messages.
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

from app.analysis.recorded.computed_once import computed_once
from app.analysis.recorded.opened_json import nest_dotted_names, open_text
from app.analysis.recorded.recorded_call import RecordedCall
from app.analysis.recorded.reply import RecordedReply, read_reply
from app.analysis.recorded.spellings import (
    CALL_ID,
    JSON_FORMATS,
    MESSAGES,
    RESPONSE_FORMAT,
    RESULT_TYPES,
    SYSTEM,
    TOOLS,
    plain_key,
)

_MOST_MESSAGES = 1_000  # of one request, the newest of them: longer histories repeat themselves
_MOST_TOOLS = 512
_MOST_MEMBERS = 200  # of one object near the top of a request
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
    "aimessagechunk": "assistant",
    "function": "tool",
    "function_call": "assistant",
    "function_call_output": "tool",
    "chatbot": "assistant",
}
_KNOWN_ROLES = frozenset([*_ROLES, "user", "system", "tool", "assistant"])
_LIMIT_KEYS = frozenset(
    ["maxtokens", "maxcompletiontokens", "maxoutputtokens", "maxnewtokens", "numpredict"]
)
_PLAIN_MEMBERS = frozenset(["role", "content", "type", "name", "id"])
_RESULT_MEMBERS = ("content", "output", "response", "result", "text")
_RESULT_WRAPPERS = ("toolResult", "functionResponse", "function_response")
_EVENT_ROLES = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}


class RecordedMessage(NamedTuple):
    """One message: `role` is system, user, assistant or tool where it is known."""

    role: str
    text: str
    calls: tuple[RecordedCall, ...] = ()
    call_id: str = ""


class RecordedRequest:
    """`tools` are the names offered; `has_hosted_tools` says that some have no name, since the
    provider runs them (web search). `wants_json` says that a JSON format was set, `token_limit`
    how many tokens the reply may have."""

    def __init__(self, given: Any, metadata: Any) -> None:
        self._given = nest_dotted_names(open_text(given) if isinstance(given, str) else given)
        self._metadata = metadata
        names: set[str] = set()
        self.has_hosted_tools = self.wants_json = False
        self.token_limit: float | None = None
        for key, value in _members([self._given, nest_dotted_names(metadata)]):
            if key in TOOLS:
                found, has_hosted = _tool_names(value)
                names |= found
                self.has_hosted_tools = self.has_hosted_tools or has_hosted
            elif key in RESPONSE_FORMAT:
                self.wants_json = self.wants_json or _names_json(value)
            elif key in _LIMIT_KEYS and isinstance(value, (int, float)):
                self.token_limit = float(value)
        self.tools = frozenset(names)

    @computed_once
    def messages(self) -> tuple[RecordedMessage, ...]:
        """The messages in order, at most the newest 1,000."""
        return tuple(_read_messages(self._given)) or tuple(_read_events(self._metadata))

    @property
    def last_instruction(self) -> str:
        """The text of the last message of a user, else of the system."""
        for role in ("user", "system", ""):
            for message in reversed(self.messages):
                text: str = message.text
                if message.role == role and text and not text.isspace():
                    return text
        return ""


def _members(records: list[Any]) -> Iterator[tuple[str, Any]]:
    """Members of objects near the top, but not of messages."""
    waiting: list[tuple[int, Any]] = [(0, record) for record in reversed(records)]
    while waiting:
        level, value = waiting.pop()
        if not isinstance(value, dict):
            continue
        for name, inner in islice(value.items(), _MOST_MEMBERS):
            key = plain_key(name)
            yield key, inner
            if level < _LEVELS_DOWN and isinstance(inner, dict) and key not in TOOLS:
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
            opened = open_text(item)  # the Vercel AI SDK records each tool as JSON text
            if isinstance(opened, str):
                names.add(opened)
            else:
                waiting.append(opened)
        elif isinstance(item, dict):
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
        if isinstance(inner, dict) and isinstance(inner.get("name"), str):
            return str(inner["name"])
    return ""


def _names_json(value: Any) -> bool:
    if isinstance(value, str):
        return value.lower() in JSON_FORMATS or plain_key(value) in JSON_FORMATS
    if not isinstance(value, dict):
        return False
    if any(plain_key(name) in ("schema", "jsonschema") for name in value):
        return True
    kind = value.get("type")
    if isinstance(kind, str):
        return plain_key(kind) in JSON_FORMATS
    return any(_names_json(inner) for inner in value.values() if isinstance(inner, dict))


def _read_messages(given: Any) -> Iterator[RecordedMessage]:
    if isinstance(given, str):
        yield RecordedMessage("user", given)
        return
    value, level = given, 0
    while isinstance(value, dict) and level <= _LEVELS_DOWN:
        system = _find_member(value, SYSTEM)
        if system:
            yield RecordedMessage("system", read_reply(system).text)
        found = _find_member(value, MESSAGES)
        if isinstance(found, str):
            opened = open_text(found)
            if not isinstance(opened, list):
                yield RecordedMessage("user", found)
                return
            found = opened
        if isinstance(found, list):
            value = found
            break
        inner = [
            each
            for name, each in islice(value.items(), _MOST_MEMBERS)
            if isinstance(each, dict) and plain_key(name) not in ("completion", "output")
        ]
        value = found if isinstance(found, dict) else inner[0] if inner else None
        level += 1
    for _ in range(_LEVELS_DOWN):
        if isinstance(value, list) and len(value) == 1 and isinstance(value[0], list):
            value = value[0]
    for item in value[-_MOST_MESSAGES:] if isinstance(value, list) else ():
        message = _read_message(item)
        if message is not None:
            yield message


def _read_events(metadata: Any) -> Iterator[RecordedMessage]:
    """Messages that OpenTelemetry recorded as events of the span."""
    events = metadata.get("opentelemetry.events") if isinstance(metadata, dict) else None
    for event in events[-_MOST_MESSAGES:] if isinstance(events, list) else ():
        name = event.get("name") if isinstance(event, dict) else None
        role = _EVENT_ROLES.get(name) if isinstance(name, str) else None
        if role is not None:
            yield RecordedMessage(role, read_reply(event.get("attributes")).text)


def _find_member(value: Mapping[str, Any], keys: frozenset[str]) -> Any:
    members = islice(value.items(), _MOST_MEMBERS)
    return next((inner for name, inner in members if plain_key(name) in keys and inner), None)


def _read_message(item: Any) -> RecordedMessage | None:
    if isinstance(item, str):
        return RecordedMessage("user", item)
    if not isinstance(item, dict):
        return None
    content = item.get("content")
    if isinstance(content, str) and _PLAIN_MEMBERS.issuperset(item):
        return RecordedMessage(_read_role(item), content)
    for wrapper in ("message", "kwargs"):
        inner = item.get(wrapper)
        if isinstance(inner, dict):
            item = {"type": _class_name(item), **inner}
    content = item.get("content")
    if isinstance(content, str) and _PLAIN_MEMBERS.issuperset(item):
        return RecordedMessage(_read_role(item), content)
    call_id = _find_call_id(item)
    found = _find_result(item)
    if found is not None:
        answered, result = found
        text = result if isinstance(result, str) else read_reply(result).text
        return RecordedMessage("tool", text, (), answered or call_id)
    reply = _read_as_reply(item)
    return RecordedMessage(_read_role(item), reply.text, reply.calls, call_id)


def _read_role(item: Mapping[str, Any]) -> str:
    role = item.get("role", item.get("type", ""))
    role = role.lower() if isinstance(role, str) else ""
    return _ROLES.get(role, role)


def _class_name(item: Mapping[str, Any]) -> Any:
    """The class of a message that LangChain serialised (`"id": [..., "HumanMessage"]`)."""
    way = item.get("id")
    return way[-1] if isinstance(way, list) and way else item.get("type", "")


def _find_call_id(item: Any) -> str:
    if not isinstance(item, dict):
        return ""
    members = islice(item.items(), _MOST_MEMBERS)
    return next((str(inner) for name, inner in members if plain_key(name) in CALL_ID and inner), "")


def _find_result(item: Mapping[str, Any]) -> tuple[str, Any] | None:
    """The id of a call and what it returned, in a message of blocks that hold nothing else
    (Anthropic, Gemini, Bedrock, OpenTelemetry) or an item of the Responses API; None in other
    messages."""
    if plain_key(item.get("type") or "") in RESULT_TYPES:
        return _find_call_id(item), _find_returned(item)
    blocks = item.get("content", item.get("parts"))
    if not isinstance(blocks, list) or not blocks:
        return None
    results: list[Any] = []
    call_id = ""
    for block in blocks[:_MOST_TOOLS]:
        if not isinstance(block, dict):
            return None
        wrapped = [block[key] for key in _RESULT_WRAPPERS if key in block]
        inner = wrapped[0] if wrapped else block
        is_result = bool(wrapped) or plain_key(block.get("type") or "") in RESULT_TYPES
        if not is_result or not isinstance(inner, dict):
            return None
        call_id = _find_call_id(inner)
        results.append(_find_returned(inner))
    return call_id, results[0] if len(results) == 1 else results


def _find_returned(item: Mapping[str, Any]) -> Any:
    return next((item[key] for key in _RESULT_MEMBERS if item.get(key)), "")


def _read_as_reply(item: Mapping[str, Any]) -> RecordedReply:
    """A message of any role is read as a reply is."""
    own = {name: inner for name, inner in item.items() if plain_key(name) != "role"}
    if isinstance(own.get("type"), str) and own["type"].lower() in _KNOWN_ROLES - {"function_call"}:
        own.pop("type")
    return read_reply(own)
