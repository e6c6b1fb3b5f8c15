"""Calls that a model wrote into its text instead of making them, in the formats of many models.

Marks are those of the chat templates of Qwen, Hermes, GLM, DeepSeek, Kimi, MiniMax, Mistral, Llama,
Granite, Command, Gemma, gpt-oss (Harmony) and Claude; JSON and Python are what small models write.
"""

import re
from collections.abc import Collection
from typing import Any

from app.analysis.recorded.opened_json import open_text
from app.analysis.recorded.spellings import key_set, plain_key

_READ = 4_000  # characters: arguments of a call that was meant are shorter
_LEVELS = 2  # `{"tool_calls": [{"function": {…}}]}`
_CALLS_READ = 8
_NAMES = key_set("name tool tool_name function function_name action recipient_name")
_ARGUMENTS = key_set(
    "arguments parameters args input action_input tool_input kwargs params tool_args function_args"
)
_HOLDERS = key_set("tool_calls tool_call function_call function tool_uses calls")
_MARK = re.compile(
    r"<(?:\w{1,20}:|[|｜]\w{1,20}[|｜])?(?:tool_?calls?|function_?calls?|tool_use|invoke|function)"
    r"(?=[\s>=])|<\|(?:tool_call|python_tag|action_start|start_action|python_start)"
    r"|<｜tool|<start_function_call>|\[TOOL_(?:CALLS|REQUEST)\]|commentary to=|to=functions\."
    r"|functools\[|```tool_(?:code|call)",
    re.IGNORECASE,
)
"""What nothing but calls have, though texts about them may."""
_SIGNS = ("<", "[", "to=", "TO=", "```")
"""One of them is in each mark, and none in most texts."""
_ACTION = re.compile(
    r"^\s?\**Action:?\**:?\s*[`\"']?([\w./-]{1,80})[`\"']?\s*\n\s*\**Action Input\b", re.MULTILINE
)
_PYTHON = re.compile(
    r"\s*\[?\s*(?:print\()?(?:\w{1,20}\.)?([A-Za-z_]\w{1,80})\([^\0]{0,2000}\)\W*\Z"
)
_WORD = re.compile(r"[A-Za-z_][\w-]{1,80}")


def find_written_call(text: str, offered: Collection[str]) -> str:
    """The name of a tool that a text is nothing but a call of, or that stands behind a mark of a
    call; empty where there is none. Without `offered` tools only marks count."""
    if len(text) > _READ:
        return ""
    mark = _MARK.search(text) if any(sign in text for sign in _SIGNS) else None
    if mark is not None and text.count("`", 0, mark.start()) % 2 == 0:
        words = _WORD.findall(text[mark.end() :])
        known = next((word for word in words if word in offered), "")
        return known or ("" if offered else _first_name(text[mark.end() :]))
    if not offered:
        return ""
    name = _find_in_json(open_text(text.strip()), 0)
    if not name and (found := _ACTION.search(text) or _PYTHON.match(text)):
        name = found[1]
    name = name.rpartition(".")[2]
    return name if name in offered else ""


def _find_in_json(value: Any, level: int) -> str:
    """The name of the call that an object, or each of a list of them, is."""
    if isinstance(value, list):
        names = [_find_in_json(each, level) for each in value[:_CALLS_READ]]
        return names[0] if names and all(names) else ""
    if not isinstance(value, dict) or not value:
        return ""
    members = {plain_key(key): inner for key, inner in value.items()}
    named = next((members[key] for key in _NAMES if isinstance(members.get(key), str)), "")
    if named and not _ARGUMENTS.isdisjoint(members):
        return str(named)
    held = next((members[key] for key in _HOLDERS if key in members), None)
    return _find_in_json(held, level + 1) if level < _LEVELS else ""


_NAMED = re.compile(r"[\"']?name[\"']?\s?[:=]\s?[\"']([\w.:-]{1,80})[\"']|=([\w.:-]{1,80})>")
_NAME_READ = 400  # characters behind a mark, in which the name stands


def _first_name(text: str) -> str:
    """The name of a call behind a mark, where it is not known which tools there are."""
    found = _NAMED.search(text[:_NAME_READ])
    return (found[1] or found[2]) if found else ""
