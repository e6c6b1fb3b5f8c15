"""Tools that a step used, as its own result lists them: none of them has a span.

Shapes: `usedTools` (Flowise), `intermediateSteps` (n8n, LangChain), `sources` (LlamaIndex), `tools`
(Agno), `tools_results` (CrewAI), `contents` (Langflow), `json` (Dify), `toolResults`, `parts` and
`toolInvocations` (Vercel AI SDK, Mastra).
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from app.analysis.recorded.body import Body
from app.analysis.recorded.failure_text import find_failure_text
from app.analysis.recorded.outcome import find_failure
from app.analysis.recorded.outer_objects import list_outer_objects
from app.analysis.recorded.spellings import key_set, plain_members

_LISTS = key_set(
    "used_tools tools_used tools tool_calls tool_results tools_results tool_outputs tool_executions"
    " tool_invocations intermediate_steps sources contents parts json agent_log tool_uses"
)
_NAMES = key_set("tool tool_name function_name action name label tool_call_id tool_use_id")
_RESULTS = key_set("observation tool_output")
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
        for number, (name, reason) in enumerate(read):
            later = [each for each, failed in read[number + 1 :] if not failed]
            if name and reason and name not in later:
                return FailedTool(name, reason, is_last=not later)
    return None


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
