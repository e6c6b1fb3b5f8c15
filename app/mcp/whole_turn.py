"""The MCP tool `ask`: one whole turn of the assistant, with the workspace's own model."""

from collections.abc import Awaitable, Callable
from uuid import uuid4

from mcp.types import Tool as McpTool
from mcp.types import ToolAnnotations

from app.mcp.trace_tools import TRACE_ARGUMENT, TRACE_SCHEMA, McpCall, ToolAnswer
from app.web.markdown.ui_urls import TurnLinks, UiLinks
from app.web.panel import Panel

ASK_NAME = "ask"
HEARTBEAT_SECONDS = 10.0
"""Clients give up on a call without progress after 60 s or so."""

ASK_TOOL = McpTool(
    name=ASK_NAME,
    description=(
        "Asks the assistant about a trace and returns its answer as Markdown, with links to the"
        " spans that it cites. It reads the trace by itself and knows the analysis; this takes"
        " seconds to minutes and costs tokens of the workspace's model. The question and the answer"
        " are kept in the caller's conversation about the trace, so that a next question may refer"
        " to them."
    ),
    input_schema={
        "type": "object",
        "properties": {
            TRACE_ARGUMENT: TRACE_SCHEMA,
            "question": {"type": "string", "description": "The question, in any language."},
        },
        "required": [TRACE_ARGUMENT, "question"],
    },
    annotations=ToolAnnotations(read_only_hint=False, destructive_hint=False),
)

Progress = Callable[[str], Awaitable[None]]
"""Reports what happens now."""


async def run_whole_turn(
    call: McpCall, ui: UiLinks, *, trace_id: str, question: str, progress: Progress
) -> ToolAnswer:
    """The answer. Ends the turn when it is cancelled; raises what starting a turn raises."""
    turn = await call.conversations.start_turn(
        call.caller, trace_id, question, request_id=uuid4().hex[:16]
    )
    links = TurnLinks(ui, workspace=turn.workspace, trace_id=trace_id, question=question)
    panel = Panel(turn.key.turn_id, links, streaming=False)
    texts: list[str] = []
    error = ""
    try:
        while True:
            event = await turn.feed.next(HEARTBEAT_SECONDS)
            if event is None:
                if turn.feed.ended:
                    break
                await progress("Still answering")
                continue
            for frame in panel.build_frames(event):
                kind = frame.get("message_type")
                if kind == "response":
                    texts.append(frame["content"]["parts"][0]["text"])
                elif kind == "tool_call":
                    await progress(frame["tool_call"]["display_name"])
                error = frame.get("error", error)
    finally:
        turn.disconnect_reader()
    return ToolAnswer("\n\n".join([*texts, *([error] if error else [])]), failed=bool(error))
