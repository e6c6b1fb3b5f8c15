"""Whole runs of agents in several frameworks, with the noise of healthy ones, and one fault."""

import json
from typing import Any

from evals.small_cases.builder import (
    CaseList,
    Json,
    SpanPlan,
    calls,
    failed,
    model,
    says,
    span,
    tool,
)

PROGRAMS = CaseList("program")


# LangGraph: nodes of an agent that reads meters, with messages of LangChain.
def _meter_agent(
    readings: Any, answer: str, *, status: str = "success", right: bool = False
) -> Any:
    def call(text: str, uses: list[Json]) -> SpanPlan:
        kwargs = {"content": text, "type": "ai", "tool_calls": uses, "invalid_tool_calls": []}
        message = {"lc": 1, "type": "constructor", "id": ["AIMessage"], "kwargs": kwargs}
        output = {"generations": [[{"text": text, "message": message}]], "llm_output": None}
        return model(output, name="ChatOpenAI", asked={"messages": [[{"content": "?"}]]})

    use = {"name": "leser_av_maaler", "args": {"maaler": "M-71"}, "id": "c1"}
    content = readings if isinstance(readings, str) else json.dumps(readings)
    message = {"type": "tool", "name": use["name"], "content": content, "status": status}
    return (
        span("agent", call("", [use]), output={"messages": [{"type": "ai", "content": ""}]}),
        span(
            "tools",
            tool(use["name"], "{'maaler': 'M-71'}", {"output": message}, right=right),
            output={"messages": [message]},
            right=right,
        ),
        span("should_continue", input={"messages": 3}, output={"output": "agent"}, seconds=0.001),
        span("agent", call(answer, []), output={"messages": [{"type": "ai", "content": answer}]}),
    )


_KWH = "Måleren viser 4 211 kWh."
PROGRAMS.add("langgraph_healthy", *_meter_agent({"kwh": 4211}, _KWH), answer=_KWH)
PROGRAMS.add(
    "langgraph_tool_message_with_error",
    *_meter_agent("Error: meter gateway offline", _KWH, status="error", right=True),
    answer=_KWH,
)
PROGRAMS.add(
    "langgraph_recursion_limit",
    *[
        step
        for _ in range(6)
        for step in (
            span("agent", model(calls("leser", {"maaler": "M-71"}), right=True), right=True),
            span(
                "tools",
                tool("leser", {"maaler": "M-71"}, {"output": "ikke funnet"}, right=True),
                right=True,
            ),
        )
    ],
    answer="",
    error_info={
        "exception_type": "GraphRecursionError",
        "message": "Recursion limit of 25 reached without hitting a stop condition.",
    },
)
PROGRAMS.add(
    "langgraph_waits_for_approval_healthy",
    span("plan", model(says("I will pay the invoice after approval.")), output={"amount": 90}),
    span("approve", input={"amount": 90}, **failed("GraphInterrupt", "(Interrupt(value='ok?'),)")),
    span("approve", input={"amount": 90}, output={"approved": True}, at=900.0),
    span("pay", tool("pay_invoice", {"amount": 90}, {"receipt": "R-5"}), output={"paid": True}),
    answer="Paid, receipt R-5.",
)


# CrewAI: tasks and agents whose model writes the call of a tool as text.
def _crew(observation: str, answer: str, *, right: bool = False) -> SpanPlan:
    thought = 'Thought: I need the tide.\nAction: tide_table\nAction Input: {"harbour": "Bodø"}'
    return span(
        "kickoff",
        span(
            "Task: plan_trip",
            span(
                "Harbour clerk",
                model(says(thought), name="llm call"),
                tool("tide_table", {"harbour": "Bodø"}, observation, right=right),
                model(says(f"Thought: I know.\nFinal Answer: {answer}"), name="llm call"),
                input={"context": "", "agent": {"role": "Harbour clerk", "tools": ["tide_table"]}},
                output={"output": answer},
            ),
            input={"task": {"description": "Plan the trip"}},
            output={"raw": answer, "summary": "Plan the trip..."},
        ),
        input={"harbour": "Bodø"},
        output={"raw": answer, "pydantic": None, "json_dict": None, "tasks_output": []},
        metadata={"created_from": "crewai"},
    )


PROGRAMS.add("crewai_healthy", _crew("High tide at 19:00.", "Sail at 19:00."), answer="19:00")
PROGRAMS.add(
    "crewai_tool_failed",
    _crew(
        "Error executing tool: HTTPSConnectionPool: Max retries exceeded", "At noon.", right=True
    ),
    answer="At noon.",
)
PROGRAMS.add(
    "crewai_wrong_tool_name",
    _crew(
        "Action 'tides' don't exist, these are the only available Actions: tide_table",
        "At noon.",
        right=True,
    ),
    answer="At noon.",
)


# LlamaIndex: a query engine.
def _query_engine(nodes: list[str], answer: str, *, right: bool = False) -> SpanPlan:
    embedded = span(
        "embedding", type="general", output={"num_embeddings": 1}, input={"number_of_chunks": 1}
    )
    retrieved = span(
        "retrieve",
        embedded,
        type="tool",
        input={"query_str": "Hvor er hundene?"},
        output={"output": {"nodes": [{"node": {"text": text}, "score": 0.7} for text in nodes]}},
        right=right,
    )
    written = (
        [model({"output": {"role": "assistant", "blocks": [{"text": answer}]}}, name="llm")]
        if nodes
        else []
    )
    return span(
        "query",
        retrieved,
        span("synthesize", *written, output={"output": answer}),
        input={"query_str": "Hvor er hundene?"},
        output={"output": answer},
    )


PROGRAMS.add("llama_index_healthy", _query_engine(["Dekk 2"], "På dekk 2."), answer="På dekk 2.")
PROGRAMS.add(
    "llama_index_empty_response",
    _query_engine([], "Empty Response", right=True),
    answer="Empty Response",
)


# Vercel AI SDK: every span is typed llm.
def _vercel(result: Json, last: Json, *, right: bool = False, cut: bool = False) -> list[SpanPlan]:
    call = {"toolCallId": "c1", "toolName": "getTide", "args": '{"harbour":"Bodø"}'}
    return [
        span(
            "ai.streamText",
            model({"toolCalls": [call]}, name="ai.streamText.doStream"),
            span(
                "ai.toolCall",
                type="llm",
                input={"toolName": "getTide", "args": '{"harbour":"Bodø"}'},
                output={"result": json.dumps(result)},
                right=right,
            ),
            model(last, name="ai.streamText.doStream", right=cut),
            type="llm",
            input={"prompt": "When is high tide?"},
            output=last,
        )
    ]


_TIDE = {"text": "High tide is at 19:00.", "finishReason": "stop"}
PROGRAMS.add("vercel_healthy", *_vercel({"high": "19:00", "warnings": []}, _TIDE), answer="19:00")
PROGRAMS.add(
    "vercel_tool_error",
    *_vercel({"error": {"code": "ETIMEDOUT", "message": "tide service"}}, _TIDE, right=True),
    answer="19:00",
)
PROGRAMS.add(
    "vercel_cut",
    *_vercel({"high": "19:00"}, {"text": "High tide is", "finishReason": "length"}, cut=True),
    answer="High tide is",
)


# OpenAI Agents SDK: responses, functions and hand-offs.
def _agents(result: str, *, right: bool = False) -> list[SpanPlan]:
    used = {"type": "function_call", "name": "find_berth", "arguments": '{"m":200}'}
    told = {"type": "message", "content": [{"type": "output_text", "text": "Berth 4 is free."}]}
    whole = {"metadata": {"status": "completed", "object": "response"}}
    return [
        span(
            "Triage agent",
            model({"output": [used | {"name": "transfer_to_berths"}]}, name="Response", **whole),
            span("Handoff", metadata={"type": "handoff", "to_agent": "Berth agent"}),
            metadata={"type": "agent", "handoffs": ["Berth agent"]},
        ),
        span(
            "Berth agent",
            model({"output": [used]}, name="Response", **whole),
            tool("find_berth", {"input": '{"m":200}'}, {"output": result}, right=right),
            model({"output": [told]}, name="Response", **whole),
            metadata={"type": "agent", "tools": ["find_berth"]},
        ),
    ]


PROGRAMS.add("agents_sdk_healthy", *_agents("{'berth': 4, 'free': True}"), answer="Berth 4.")
PROGRAMS.add(
    "agents_sdk_function_failed",
    *_agents("An error occurred while running the tool. Error: berth map locked", right=True),
    answer="Berth 4.",
)


# Semantic Kernel over OpenTelemetry.
def _kernel(*events: Json, answer: str, right: bool = False, result: Any = None) -> list[SpanPlan]:
    part = [{"role": "assistant", "parts": [{"type": "text", "content": answer}]}]
    called = {"type": "tool_call", "name": "Crew-Count", "arguments": {"deck": 2}}
    asked = {"gen_ai.input.messages": [{"role": "user", "parts": [{"content": "How many?"}]}]}
    metadata: Json = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "Crew-Count"}
    if events:
        metadata["opentelemetry.events"] = list(events)
    return [
        span(
            "invoke_agent CrewAgent",
            model(
                {"gen_ai.output.messages": [{"role": "assistant", "parts": [called]}]},
                name="chat gpt-4.1-mini",
                asked=asked,
            ),
            span(
                "execute_tool Crew-Count",
                input={"gen_ai.tool.call.arguments": {"deck": 2}},
                output=result and {"gen_ai.tool.call.result": result},
                metadata=metadata,
                right=right,
            ),
            model({"gen_ai.output.messages": part}, name="chat gpt-4.1-mini", asked=asked),
            metadata={"gen_ai.operation.name": "invoke_agent"},
        )
    ]


_RAISED = {
    "name": "exception",
    "attributes": {
        "exception.type": "System.TimeoutException",
        "exception.message": "The roster did not answer",
    },
}
PROGRAMS.add("semantic_kernel_healthy", *_kernel(answer="12", result={"crew": 12}), answer="12")
PROGRAMS.add(
    "semantic_kernel_exception_event",
    *_kernel(_RAISED, answer="About ten.", right=True),
    answer="About ten.",
    says="roster did not answer",
)
