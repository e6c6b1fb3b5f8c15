"""What the model may do."""

from app.agent.toolbox import Tool
from app.tools.compare_spans import compare
from app.tools.compare_with_project import compare_with_project
from app.tools.follow_value import follow_value
from app.tools.get_span_details import get_span_details
from app.tools.get_thread import get_thread
from app.tools.get_trace_data import get_trace_data
from app.tools.search_trace import search_trace
from app.tools.similar_traces import compare_traces, find_similar_traces

TOOLS: tuple[Tool, ...] = (
    get_trace_data,
    get_span_details,
    search_trace,
    follow_value,
    compare,
    get_thread,
    compare_with_project,
    find_similar_traces,
    compare_traces,
)
