"""The tools that a model is offered."""

from app.agent.toolbox import Tool
from app.tools.comparing import compare
from app.tools.details import get_span_details
from app.tools.reading import get_trace_data
from app.tools.searching import search_trace
from app.tools.thread import get_thread

TOOLS: tuple[Tool, ...] = (get_trace_data, get_span_details, search_trace, compare, get_thread)
