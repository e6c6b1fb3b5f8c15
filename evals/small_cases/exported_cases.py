"""Errors in records of other tracing programs, and envelopes of services inside one another."""

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
    turn_with,
)

EXPORTED = CaseList("exported_error")
NESTED = CaseList("nested_envelope")
ENDING = CaseList("ending_tool")
ADDED_UP = CaseList("added_up")
HUNG_UP = CaseList("stopped_loop")
WORKERS = CaseList("named_workers")

_SOON = "Your berth will be confirmed soon."


def _export(name: str, metadata: Json, *, right: bool = True) -> None:
    """A step without a result whose metadata are the record of another program."""
    EXPORTED.add(
        name if right else f"{name}_healthy",
        model(calls("reserve_berth", {"ship": "N2"})),
        tool("load_ship", {"ship": "N2"}, {"ship": "N2", "length": 31}),
        span(
            "reserve_berth",
            input={"ship": "N2"},
            output=None if right else {"berth": 7},
            metadata=metadata,
            right=right,
        ),
        model(says(_SOON)),
        answer=_SOON,
    )


# Agents of Strands, and Haystack's component that runs tools: content inside of messages.
def _in_contents(name: str, used: SpanPlan, asked: Any) -> None:
    EXPORTED.add(
        name, model(asked), used, model(says(_SOON)), answer=_SOON, says="harbour office is closed"
    )


_CLOSED = "Error: the harbour office is closed"
_USE = {"toolUseId": "u4", "name": "reserve_berth", "input": {"ship": "N2"}}
_in_contents(
    "strands_tool_status",
    tool(
        "execute_tool reserve_berth",
        {"role": "tool", "content": '{"ship": "N2"}', "id": "u4"},
        {"message": json.dumps([{"text": _CLOSED}]), "id": "u4"},
        metadata={"gen_ai.tool.name": "reserve_berth", "gen_ai.tool.status": "error"},
        right=True,
    ),
    {"message": json.dumps([{"toolUse": _USE}]), "finish_reason": "tool_use"},
)
_CALL = {"id": "u4", "tool_name": "reserve_berth", "arguments": {"ship": "N2"}}
_RESULT = {"result": _CLOSED, "error": True, "origin": _CALL}
_in_contents(
    "haystack_tool_messages",
    tool(
        "tool_invoker",
        {"messages": [{"role": "assistant", "content": [{"tool_call": _CALL}]}]},
        {"tool_messages": [{"role": "tool", "content": [{"tool_call_result": _RESULT}]}]},
        right=True,
    ),
    {"replies": [{"role": "assistant", "content": [{"tool_call": _CALL}]}]},
)
_export("langfuse", {"level": "ERROR", "statusMessage": "harbour office closed the line"})
_export("langfuse_without_message", {"level": "ERROR", "status_message": None})
_export("phoenix", {"status_code": "ERROR", "status_message": "OSError: no pier"})
_export("mlflow", {"status": "ERROR", "span_type": "TOOL"})
_export("langsmith", {"error": "TimeoutError('harbour office')", "run_type": "tool"})
_export("braintrust", {"error": {"name": "PierError", "message": "no pier"}})
_export("weave", {"exception": "PierError: no pier"})
_export("jaeger", {"error": True, "component": "harbour"})
_export("jaeger_as_text", {"error": "true", "message": "no pier"})
_export("mlflow_attribute", {"mlflow.spanStatus": "ERROR"})
_export("genkit", {"genkit:state": "error", "genkit:error": "the pier is closed"})
_export("braintrust_attribute", {"braintrust.error": "the pier is closed"})
_export("logfire_level", {"logfire.level_num": 17, "logfire.msg": "reserving failed"})
_export("new_relic", {"error.class": "PierError", "error.message": "the pier is closed"})
_export("json_rpc", {"rpc.jsonrpc.error_code": -32602, "rpc.jsonrpc.error_message": "no pier"})
_export("attributes_in_an_object", {"attributes": {"error.type": "PierError"}})
_export("status_in_an_object", {"status": {"status_code": "ERROR", "description": "closed"}})
_export("message_alone", {"exception.message": "the pier is closed"})
_export("success_flag", {"success": "false", "tool_name": "reserve_berth"})
_EVENT = {"name": "exception", "attributes": {"exception.type": "PierError"}}
_export("events", {"events": [_EVENT]})
_export("events_as_text", {"opentelemetry.events": json.dumps([_EVENT])})
_export("state_of_a_thing", {"ship.state": "moored", "harbour.status": "closed"}, right=False)
_export("level_of_logfire", {"logfire.level_num": 9, "success": True}, right=False)
_export("other_events", {"events": [{"name": "gen_ai.choice", "attributes": {}}]}, right=False)
_export("level_of_a_log", {"level": "ERROR", "logger": "harbour"}, right=False)
_export("default_level", {"level": "DEFAULT", "statusMessage": None}, right=False)
_export("no_error", {"error": None, "status": "OK", "exception": "none"}, right=False)
_export("flag_down", {"error": False, "status": "success"}, right=False)


def _nest(name: str, result: Any, *, right: bool = True) -> None:
    used = tool("berths_of_month", {"month": "2026-05"}, result, right=right)
    answer = "May was quiet in the harbour." if right else "Ship N2 came on five days in May."
    NESTED.add(name if right else f"{name}_healthy", *turn_with(used, answer), answer=answer)


_DENIED_CODE = json.dumps({"code": 50113, "msg": "no access to this harbour", "data": None})
_FINE = json.dumps({"code": 0, "msg": "success", "data": [{"ship": "N2", "days": 5}]})
_nest("parts_in_a_text", {"tool.call.result": json.dumps([{"text": _DENIED_CODE}])})
_nest("mcp_in_a_text", json.dumps({"content": [{"type": "text", "text": _DENIED_CODE}]}))
_nest("body_in_a_text", json.dumps({"statusCode": 200, "body": _DENIED_CODE}))
_nest("parts_in_a_text", json.dumps([{"text": _FINE}]), right=False)
_nest("mcp_in_a_text", json.dumps({"content": [{"type": "text", "text": _FINE}]}), right=False)


# Tools by which an agent ends its run.
def _end(name: str, ending: str, answer: Any, *, right: bool) -> None:
    ENDING.add(
        name if right else f"{name}_healthy",
        model(says("I look the fare up.")),
        tool("fare", {"pier": "B"}, "3.10"),
        model(says("I have the answer.")),
        tool(
            ending,
            {"answer": "3.10"},
            None,
            right=right,
            **failed("TypeError", f"{ending} takes no answer"),
        ),
        span("extract", model(says("3.10")), output={"answer": answer}),
        answer=answer,
    )


_end("finish_with_an_argument", "finish", "3.10", right=False)
_end("final_answer_refused", "final_answer", "3.10", right=False)
_end("order_not_sent", "send_order", "3.10", right=True)


# Sums over pages.
def _pages(name: str, text: str, *, right: bool) -> None:
    pages = [[64.5, 18.25], [77.1, 9.95], [40.2]]
    spans = [
        tool(
            "list_tolls",
            {"pier": "N2", "page": number},
            {"tolls": [{"ship": f"N{toll:g}", "paid": toll} for toll in page], "status": 200},
        )
        for number, page in enumerate(pages)
    ]
    writer = model(says(text), asked="Sum up the tolls of pier N2.", right=right)
    ADDED_UP.add(name if right else f"{name}_healthy", *spans, writer, answer=text)


_pages("sum_of_pages", "Pier N2: 210.00 in all.", right=False)
_pages("mean_of_pages", "Pier N2: 42.00 a ship.", right=False)
_pages("figure_from_nowhere", "Pier N2: 913.40 in all.", right=True)


# A state that is asked for until a limit ends the run.
def _ask_for_state(name: str, *, right: bool) -> None:
    rounds = [
        step
        for _ in range(4)
        for step in (
            model(calls("permit_status", {"permit": "P7"}), right=right),
            tool("permit_status", {"permit": "P7"}, {"state": "waiting for a person"}, right=right),
        )
    ]
    if right:
        error = failed("GraphRecursionError", "Recursion limit of 8 reached")
        HUNG_UP.add(name, *rounds, answer=None, output=None, **error)
    else:
        done = tool("permit_status", {"permit": "P7"}, {"state": "granted", "until": "May"})
        HUNG_UP.add(f"{name}_healthy", *rounds, done, answer="The permit is granted.")


_ask_for_state("limit_of_turns", right=True)
_ask_for_state("granted_in_the_end", right=False)


# Two workers of different names that are given one task.
def _worker(name: str, query: str, result: Any, *, right: bool) -> Any:
    asked = "Find out which piers are closed."
    hit = tool("search_news", {"query": query}, result, seconds=3.0, right=right)
    return span(
        name,
        model(calls("search_news", {"query": query}), asked=asked, right=right),
        hit,
        model(says("Pier 4 is closed until May."), asked=f"{asked} {result}"),
        input={"task": asked},
        output={"text": "Pier 4 is closed until May."},
        right=right,
    )


_HITS = [{"title": "Pier 4 closed", "url": "https://harbour.example/4"}]
_OTHER = [{"title": "Works at pier 4", "url": "https://paper.example/pier"}]
WORKERS.add(
    "same_task_twice",
    _worker("press_reader", "closed piers 2026", _HITS, right=True),
    _worker("site_reader", "closed piers 2026", _HITS, right=True),
    answer="Pier 4 is closed until May.",
)
WORKERS.add(
    "other_sources_healthy",
    _worker("press_reader", "closed piers newspaper", _OTHER, right=False),
    _worker("site_reader", "closed piers harbour site", _HITS, right=False),
    answer="Pier 4 is closed until May.",
)
