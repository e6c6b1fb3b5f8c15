"""The tools that a model is offered."""

from app.agent.toolbox import Tool
from app.tools.comparing import compare
from app.tools.details import get_span_details
from app.tools.reading import get_trace_data
from app.tools.runs import compare_traces, find_similar_traces
from app.tools.searching import search_trace
from app.tools.thread import get_thread
from app.tools.usual import compare_with_project

TOOLS: tuple[Tool, ...] = (
    get_trace_data,
    get_span_details,
    search_trace,
    compare,
    get_thread,
    compare_with_project,
    find_similar_traces,
    compare_traces,
)
