"""What a model call asked for: messages, offered tools and the format of the answer.

Knows the requests of the providers named in `reply_reader`, and what OpenTelemetry and
OpenInference record of them: attributes, and events of messages.
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from app.analysis.recorded.computed_once import computed_once
from app.analysis.recorded.opened_json import nest_dotted_names, open_text
from app.analysis.recorded.request_finder import find_messages
from app.analysis.recorded.request_messages import RecordedMessage
from app.analysis.recorded.spellings import (
    HOLDS_REQUEST,
    JSON_FORMATS,
    RESPONSE_FORMAT,
    TOOLS,
    plain_key,
)

_MOST_TOOLS = 512
_MOST_MEMBERS = 200  # of one object near the top of a request
_LEVELS_DOWN = 3  # wrappers around the arguments of a call (`{"args": {"body": {…}}}`)
_PROVIDERS = frozenset(["gen_ai.system", "llm.system"])  # names, while `system` holds instructions
_OFFERED = "gen_ai.tool.definitions"  # of OpenTelemetry's GenAI conventions
_LIMIT_KEYS = frozenset(
    [
        *("maxtokens", "maxcompletiontokens", "maxoutputtokens", "maxnewtokens", "numpredict"),
        "lsmaxtokens",  # LangChain, in the metadata
    ]
)
_SETTINGS = {
    **dict.fromkeys(_LIMIT_KEYS, "max_tokens"),
    **dict.fromkeys(["stop", "stopsequences", "lsstop"], "stop"),
    **dict.fromkeys(["temperature", "lstemperature"], "temperature"),
    **dict.fromkeys(["thinkingbudget", "budgettokens"], "thinking_budget"),
    "reasoningeffort": "reasoning_effort",
    "toolchoice": "tool_choice",
    "topp": "top_p",
}
"""Keys of what decides how a reply ends, by the names that most providers use."""

_CONTEXT_KEYS = frozenset(["numctx", "nctx", "contextlength"])  # Ollama, llama.cpp, LM Studio


class RecordedRequest:
    """`tools` are the names offered; `has_hosted_tools` says that some have no name, since the
    provider runs them (web search). `wants_json` says that a JSON format was set, `token_limit`
    how many tokens the reply may have, `context_limit` how many prompt and reply have together.
    `settings` are those that decide how a reply ends, as recorded, under the common names."""

    def __init__(self, given: Any, metadata: Any) -> None:
        self._given = nest_dotted_names(_open_held(given))
        self._metadata = metadata
        names: set[str] = set()
        for record in (given, metadata):
            if isinstance(record, dict) and _OFFERED in record:
                names |= read_tool_names(record[_OFFERED])[0]
        self.has_hosted_tools = self.wants_json = False
        self.token_limit: float | None = None
        self.context_limit: float | None = None
        self.settings: dict[str, Any] = {}
        for key, value in _members([self._given, nest_dotted_names(metadata)]):
            if key in _SETTINGS and value is not None:
                self.settings.setdefault(_SETTINGS[key], value)
            if key in TOOLS:
                found, has_hosted = read_tool_names(value)
                names |= found
                self.has_hosted_tools = self.has_hosted_tools or has_hosted
            elif key in RESPONSE_FORMAT:
                self.wants_json = self.wants_json or _names_json(value)
            elif type(value) not in (int, float):
                continue
            elif key in _LIMIT_KEYS and self.token_limit is None:
                self.token_limit = float(value)
            elif key in _CONTEXT_KEYS and self.context_limit is None:
                self.context_limit = float(value)
        self.tools = frozenset(names)

    @computed_once
    def messages(self) -> tuple[RecordedMessage, ...]:
        """The messages in order, at most the newest 1,000."""
        return tuple(find_messages(self._given, self._metadata))

    @property
    def last_instruction(self) -> str:
        """The text of the last message of a user, else of the system."""
        for role in ("user", "system", ""):
            for message in reversed(self.messages):
                text: str = message.text
                if message.role == role and text and not text.isspace():
                    return text
        return ""


def _open_held(given: Any) -> Any:
    """The body with a request opened that it holds as a text of JSON."""
    if isinstance(given, str):
        return open_text(given)
    if not isinstance(given, dict):
        return given
    opened = {
        key: open_text(inner)
        for key, inner in islice(given.items(), _MOST_MEMBERS)
        if isinstance(inner, str) and inner[:1] in ("{", "[") and plain_key(key) in HOLDS_REQUEST
    }
    if not (opened or _PROVIDERS & given.keys()):
        return given
    return {key: inner for key, inner in {**given, **opened}.items() if key not in _PROVIDERS}


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


def read_tool_names(value: Any) -> tuple[set[str], bool]:
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
                named = {key for key, inner in item.items() if _describes_tool(inner)}
                names |= named
                hosted = hosted or len(named) < len(item) or not item
    return names, hosted


_DECLARED = frozenset(["functiondeclarations", "tools", "toolspec"])


_DESCRIPTIONS = frozenset(["description", "inputschema", "parameters"])


def _describes_tool(value: Any) -> bool:
    """Whether it describes a tool whose name is its key, as the Vercel AI SDK takes them."""
    return isinstance(value, dict) and not _DESCRIPTIONS.isdisjoint(map(plain_key, value))


def _tool_name(item: Mapping[str, Any]) -> str:
    schema = item.get("json_schema")  # OpenInference
    held = schema.get("function", schema) if isinstance(schema, dict) else None
    for inner in (item, item.get("function"), item.get("toolSpec"), item.get("tool"), held):
        if isinstance(inner, dict) and isinstance(inner.get("name"), str):
            return str(inner["name"])
    return ""


def _names_json(value: Any, level: int = 0) -> bool:
    if isinstance(value, str):
        return value.lower() in JSON_FORMATS or plain_key(value) in JSON_FORMATS
    if not isinstance(value, dict):
        return False
    if any(plain_key(name) in ("schema", "jsonschema") for name in value):
        return True
    kind = value.get("type")
    if isinstance(kind, str):
        return plain_key(kind) in JSON_FORMATS
    inside = [each for each in value.values() if isinstance(each, dict)]
    return level < _LEVELS_DOWN and any(_names_json(each, level + 1) for each in inside)
