"""Tools that a step used, as its own result lists them: none of them has a span.

Shapes: `usedTools` (Flowise), `intermediateSteps` (n8n, LangChain), `sources` (LlamaIndex), `tools`
(Agno), `tools_results` (CrewAI), `contents` (Langflow), `json` (Dify), `toolResults`, `parts` and
`toolInvocations` (Vercel AI SDK, Mastra). Tools that a provider runs itself are parts of its reply:
`mcp_call`, `web_search_call` (OpenAI's Responses API), `mcp_tool_result`, `web_search_tool_result`
(Anthropic).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from app.analysis.recorded.body import Body
from app.analysis.recorded.failure_text import find_failure_text
from app.analysis.recorded.outcome import find_failure
from app.analysis.recorded.outer_objects import list_outer_objects
from app.analysis.recorded.spellings import key_set, plain_key, plain_members

_LISTS = key_set(
    "used_tools tools_used tools tool_calls tool_results tools_results tool_outputs tool_executions"
    " tool_invocations intermediate_steps sources contents parts json agent_log tool_uses"
)
_NAMES = key_set("tool tool_name function_name action name label tool_call_id tool_use_id")
_RESULTS = key_set("observation tool_output")
_PARTS = key_set("output content")
_HOSTED = key_set(
    "mcp_call mcp_list_tools web_search_call file_search_call code_interpreter_call"
    " image_generation_call mcp_tool_result web_search_tool_result web_fetch_tool_result"
    " code_execution_tool_result bash_code_execution_tool_result"
    " text_editor_code_execution_tool_result tool_search_tool_result"
)
_HOSTED_MARKS = key_set("error status is_error error_code return_code")
_ITEMS_READ = 40  # of one list: what an agent used in one step


class FailedTool(NamedTuple):
    """`is_last` says that no tool of the list worked after it."""

    name: str
    reason: str
    is_last: bool


def find_failed_tool(output: Body) -> FailedTool | None:
    """The first tool in a list of those that were used which failed, and did not work later."""
    if not output.may_have_key(_LISTS):
        return None
    for items in _list_used(output.opened):
        read = [(_name_tool(item), _find_reason(item)) for item in items[:_ITEMS_READ]]
        found = _find_unmended(read)
        if found is not None:
            return found
    return None


def find_failed_hosted_tool(output: Body) -> FailedTool | None:
    """The same of the tools that a provider ran before it wrote the rest of a reply."""
    if not output.may_have_key(_HOSTED_MARKS):
        return None
    for members in list_outer_objects(output.opened):
        for key, value in members:
            if key in _PARTS and isinstance(value, list):
                parts = [part for part in value[:_ITEMS_READ] if isinstance(part, dict)]
                found = _find_unmended(_read_hosted(parts))
                if found is not None:
                    return found
    return None


def _find_unmended(read: Sequence[tuple[str, str]]) -> FailedTool | None:
    for number, (name, reason) in enumerate(read):
        later = [each for each, failed in read[number + 1 :] if not failed]
        if name and reason and name not in later:
            return FailedTool(name, reason, is_last=not later)
    return None


def _read_hosted(parts: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Names and failures of the tools among the parts of a reply; a result may name its call."""
    calls = {part.get("id"): part.get("name") for part in parts if type(part.get("id")) is str}
    return [
        (str(calls.get(part.get("tool_use_id")) or part.get("name") or part["type"]), reason)
        for part in parts
        if plain_key(str(part.get("type"))) in _HOSTED
        for reason in [_find_hosted_reason(part)]
    ]


def _find_hosted_reason(part: Mapping[str, Any]) -> str:
    """Why a provider's tool failed. The pages that a search found are not looked at."""
    held = part.get("content")
    if part.get("error") or part.get("is_error") is True or part.get("status") == "failed":
        return find_failure({key: part[key] for key in part if key != "type"})
    if not isinstance(held, dict):
        return ""
    code = held.get("error_code")
    return code if isinstance(code, str) else find_failure(held)


def _list_used(output: Any) -> Iterator[list[Any]]:
    for members in list_outer_objects(output):
        for key, value in members:
            if key in _LISTS and isinstance(value, list):
                yield value


def _name_tool(item: Any) -> str:
    """The name of the tool that an item is about; empty where it is about something else."""
    if not isinstance(item, dict):
        return ""
    for key, value in plain_members(item):
        if key in _NAMES and isinstance(value, dict):
            return _name_tool(value)
        if key in _NAMES and isinstance(value, str):
            return value
    return ""


def _find_reason(item: Any) -> str:
    """Why the call of an item failed; empty where it worked."""
    if not isinstance(item, dict):
        return ""
    texts = [value for key, value in plain_members(item) if key in _RESULTS]
    found = (find_failure_text(text) for text in texts if isinstance(text, str))
    return find_failure(item) or next(filter(None, found), "")
