"""Calls that were not run for want of a permission, and tools listed in the result of one step."""

import json
from typing import Any

from evals.small_cases.builder import CaseList, calls, model, says, span, tool, turn_with

DENIED = CaseList("denied_call")
INSIDE = CaseList("tool_inside")

_DONE = "The berth list is changed."


def _deny(name: str, result: Any, *, right: bool = True) -> None:
    """A call that changes a file, and a model that says that all is well."""
    given = {"path": "berths.yaml", "line": "N2: 7"}
    DENIED.add(
        name if right else f"{name}_healthy",
        *turn_with(tool("edit_berths", given, result, right=right), _DONE, "Move N2 to berth 7."),
        question="Move N2 to berth 7.",
        answer=_DONE,
    )


_ASKED = "Claude requested permissions to use mcp__harbour__edit, but you haven't granted it yet."
_deny("claude_asks", _ASKED)
_deny("claude_asks_in_a_block", {"type": "tool_result", "tool_use_id": "u1", "content": _ASKED})
_deny("claude_rule", "Permission to edit berths.yaml has been denied.")
_deny("claude_settings", "File is in a directory that is denied by your permission settings.")
_deny("claude_approval", "This command requires approval")
_deny(
    "codex_policy", "exec_command failed: Rejected(\"writing to 'harbour' is blocked by policy\")"
)
_deny(
    "qwen_background",
    'Tool "edit" requires permission, but background agents cannot prompt for confirmation.',
)
_deny(
    "gemini_headless",
    'Tool execution for "edit" requires user confirmation, which is not supported in'
    " non-interactive mode.",
)
_deny("policy", "Tool execution denied by policy.")
_deny("openai_agents", "Tool execution was not approved.")
_deny("pydantic", {"return_value": "The tool call was denied."})
_deny("opencode_rule", "The user has specified a rule which prevents you from using this tool call")
_deny("copilot", "Permission denied and could not request permission from user")
_deny("cursor", {"rejected": {"command": "edit berths", "reason": "", "isReadonly": False}})
_deny("variant", {"result": {"permissionDenied": {"path": "berths.yaml", "error": "read only"}}})
_deny("vercel", {"type": "execution-denied", "reason": "nobody answered"})
_deny(
    "failure_trace",
    {"trace": {"failureTrace": {"traceId": "t-1", "failureCode": 502, "failureReason": "no pier"}}},
)
_deny(
    "failure_object", {"failure": {"message": "the harbour office did not answer", "source": "x"}}
)
_deny("failure_details", {"failureDetails": {"errorType": "PierError", "errorMessage": "no pier"}})

# What frameworks return for a tool that failed, and marks beside a result.
for _name, _text in (
    ("haystack", "Failed to invoke Tool `edit_berths` with parameters {'line': 7}."),
    ("pydantic_retry", "1 validation error for BerthLine\nberth\n  Field required"),
    ("dspy", "Execution error in edit_berths: no pier N2"),
    ("dify", "tool parameters validation error: line is required, please check them"),
    ("n8n", 'There was an error: "no pier N2"'),
    ("langchain", "The following errors occurred during tool execution: no pier N2"),
    ("mcp_client", "MCP tool edit_berths failed with code 7"),
    ("claude", "<tool_use_error>The line was not found in the file.</tool_use_error>"),
):
    _deny(f"reported_by_{_name}", _text)
for _mark in ("mcp.tool.result.is_error", "gen_ai.tool.is_error"):
    for _value in (True, False):
        DENIED.add(
            f"{_mark.replace('.', '_')}{'' if _value else '_false_healthy'}",
            *turn_with(
                tool("edit_berths", {"n": 7}, {"n": 7}, right=_value, metadata={_mark: _value}),
                _DONE,
            ),
            answer=_DONE,
        )
_deny("validated", "0 problems; validation of 1 line for N2 passed.", right=False)

_deny("granted", "You granted the permission to edit berths.yaml. N2: 7", right=False)
_deny("offer_rejected", "N2: 7. The user rejected the offer of berth 6.", right=False)
_deny("slip", {"permission_slips": ["N2"], "line": "N2: 7"}, right=False)
_deny("counts", {"rejected": {"count": 2}}, right=False)
_deny("trace_without_failure", {"trace": {"traceId": "t-1", "line": "N2: 7"}}, right=False)

# A person who says no is obeyed: nothing failed.
for _name, _text in (
    ("claude", "The user doesn't want to proceed with this tool use. The tool use was rejected."),
    ("cline", "The user denied this operation."),
    ("codex", "patch rejected by user"),
    ("goose", "The user has declined to run this tool. Do not call it again."),
    ("langchain", "User rejected the tool call for `edit_berths` with id call_1"),
):
    DENIED.add(
        f"no_by_a_person_{_name}_healthy",
        *turn_with(
            tool("edit_berths", {"line": "N2: 7"}, _text),
            "All right, N2 stays at its berth.",
            "Move N2 to berth 7.",
        ),
        question="Move N2 to berth 7.",
        answer="All right, N2 stays at its berth.",
    )
DENIED.add(
    "granted_later_healthy",
    model(calls("edit_berths", {"line": "N2: 7"})),
    tool("edit_berths", {"line": "N2: 7"}, _ASKED),
    tool("edit_berths", {"line": "N2: 7"}, {"changed": 1}),
    model(says(_DONE), asked="Move N2 to berth 7."),
    question="Move N2 to berth 7.",
    answer=_DONE,
)


def _use(name: str, output: Any, *, right: bool = True) -> None:
    """A step that lists the tools that it used, without a span for each."""
    INSIDE.add(
        name if right else f"{name}_healthy",
        span("berth_agent", input={"question": "Move N2."}, output=output, right=right),
        span("send_reply", input={"text": _DONE}, output={"sent": True}),
        question="Move N2 to berth 7.",
        answer=_DONE,
    )


_BAD = "connect to harbour.example failed with 503"
_FAILED = {"tool": "move", "toolInput": {"n": 7}, "toolOutput": "", "error": _BAD}
_WORKED = {"tool": "move", "toolInput": {"n": 7}, "toolOutput": "moved", "error": None}
_STEP = {"action": {"tool": "move", "toolInput": "7"}, "observation": f"Error: {_BAD}"}
_use("flowise", {"output": {"content": _DONE, "usedTools": [_FAILED]}})
_use("langchain", {"output": _DONE, "intermediateSteps": [_STEP]})
_use(
    "llama_index",
    {"response": _DONE, "sources": [{"tool_name": "move", "content": _BAD, "is_error": True}]},
)
_use(
    "agno",
    {"content": _DONE, "tools": [{"tool_name": "move", "tool_call_error": True, "result": _BAD}]},
)
_use(
    "langflow",
    {
        "text": _DONE,
        "content_blocks": [{"contents": [{"type": "tool_use", "name": "move", "error": _BAD}]}],
    },
)
_use("dify", {"text": _DONE, "json": [{"label": "CALL move", "status": "error", "error": _BAD}]})
_use(
    "vercel",
    {
        "text": _DONE,
        "parts": [{"type": "tool-move", "toolCallId": "k1", "state": "x", "errorText": _BAD}],
    },
)
_use("as_text", json.dumps({"text": _DONE, "tool_results": [_FAILED]}))
_use("worked", {"output": {"content": _DONE, "usedTools": [_WORKED]}}, right=False)
_use("worked_later", {"output": {"usedTools": [_FAILED, _WORKED]}}, right=False)
_use(
    "other_tool_worked",
    {"output": {"usedTools": [_FAILED, {**_WORKED, "tool": "move_by_phone"}]}},
    right=False,
)
_use("list_of_tools", {"tools": [{"name": "move", "description": "Error: none"}]}, right=False)
