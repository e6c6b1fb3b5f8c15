"""The MCP server: lists the tools, runs them for a caller, and reports failures as sentences."""

from collections.abc import Callable
from typing import Any

import structlog
from mcp.server import Server, ServerRequestContext
from mcp.types import (
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
)

from app import __version__
from app.agent.toolbox import Tool
from app.errors import InvalidRequest, OpikAssistError
from app.mcp.trace_tools import McpCall, ToolAnswer, TraceTools, read_trace_argument
from app.mcp.whole_turn import ASK_NAME, ASK_TOOL, run_whole_turn
from app.web.markdown.ui_urls import UiLinks
from app.web.requests import check_message

INSTRUCTIONS = (
    "Tools to find out what went wrong in a trace of an LLM application, recorded by Opik: where an"
    " error began, what was slow or expensive, what was repeated or lost. The first result about a"
    " trace begins with what the analysis found. Spans have short names (s3) that stay valid in"
    " this session. `ask` gives a whole answer by the workspace's own model; the other tools call"
    " no model."
)

log = structlog.get_logger(__name__)


Context = ServerRequestContext[Any, Any]
ReadCall = Callable[[Context], McpCall]


def build_server(tools: tuple[Tool, ...], read_call: ReadCall, ui: UiLinks) -> Server[Any]:
    """A server of these tools and `ask`; `read_call` is called for each request."""
    handlers = _Handlers(tools, read_call, ui)
    return Server(
        "opik-assist",
        version=__version__,
        title="OpikAssist",
        instructions=INSTRUCTIONS,
        on_list_tools=handlers.list_tools,
        on_call_tool=handlers.call_tool,
    )


class _Handlers:
    def __init__(self, tools: tuple[Tool, ...], read_call: ReadCall, ui: UiLinks) -> None:
        self._tools = TraceTools(tools)
        self._read_call = read_call
        self._ui = ui

    async def list_tools(self, _: Context, __: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(tools=[*self._tools.offered, ASK_TOOL])

    async def call_tool(self, context: Context, params: CallToolRequestParams) -> CallToolResult:
        """Every failure is a result, so that the agent reads what to do."""
        try:
            answer = await self._run(context, params.name, params.arguments or {})
        except OpikAssistError as error:
            answer = ToolAnswer(error.message, failed=True)
        except Exception:
            log.exception("mcp_tool_failed", tool=params.name[:100])
            answer = ToolAnswer("Something went wrong inside the assistant.", failed=True)
        content = [TextContent(type="text", text=answer.text)]
        return CallToolResult(content=content, is_error=answer.failed)

    async def _run(self, context: Context, name: str, arguments: dict[str, Any]) -> ToolAnswer:
        call = self._read_call(context)
        if name == ASK_NAME:
            return await self._ask(call, context, arguments)
        return await self._tools.call(call, name, arguments)

    async def _ask(self, call: McpCall, context: Context, arguments: dict[str, Any]) -> ToolAnswer:
        question = arguments.get("question")
        if not isinstance(question, str):
            raise InvalidRequest("question is missing.")
        steps = 0

        async def report(message: str) -> None:
            nonlocal steps
            steps += 1
            await context.session.report_progress(steps, message=message)

        return await run_whole_turn(
            call,
            self._ui,
            trace_id=read_trace_argument(arguments),
            question=check_message(question),
            progress=report,
        )
