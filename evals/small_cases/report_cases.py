"""Reports of failed tools as coding agents, task protocols and services write them, and replies
whose reason to stop or reasoning stands where only one provider puts it. Failures of tools that a
provider runs itself, and those that began inside a step or in a reply that was cut."""

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

REPORTS = CaseList("tool_report")
ENDS = CaseList("end_of_reply")
HOSTED = CaseList("hosted_tool")
ORIGINS = CaseList("origin_inside")
TALKS = CaseList("talk_in_turn")

_DONE = "The mooring list is up to date."


def _fails(name: str, result: Any, expected: str = "") -> None:
    used = tool("mooring", {"ship": "N2"}, result, right=True)
    REPORTS.add(name, *turn_with(used, _DONE, "Moor N2."), answer=_DONE, says=expected)


def _works(name: str, result: Any) -> None:
    used = tool("mooring", {"ship": "N2"}, result)
    REPORTS.add(f"{name}_healthy", *turn_with(used, _DONE, "Moor N2."), answer=_DONE)


_fails("edit_without_match", "String to replace not found in file.\nString: N2: 7")
_fails("edit_of_openhands", "No replacement was performed, old_str `N2` did not appear verbatim.")
_fails("edit_of_gemini", "Failed to edit, 0 occurrences found for old_string in moorings.yaml.")
_fails("patch", "apply_patch verification failed: Failed to find expected lines in moorings.yaml")
_fails("too_large", "File content (900KB) exceeds maximum allowed size (256KB).")
_fails("arguments", "Tool call arguments for mooring were invalid: 1 validation error")
_fails("observation", {"observation": "error", "content": "the pier is closed", "extras": {}})
_fails("retry_prompt", {"part_kind": "retry-prompt", "tool_name": "moor", "content": "no ship"})
_fails(
    "task_state",
    {"state": "TASK_STATE_FAILED", "message": {"parts": [{"text": "the pier is closed"}]}},
)
_fails(
    "task_refused",
    {
        "kind": "task",
        "status": {"state": "rejected", "message": {"parts": [{"text": "not my pier"}]}},
    },
    "not my pier",
)
_fails("error_object", {"name": "TypeError", "message": "berth is undefined", "stack": "at x"})
_fails("node_code", {"message": "socket hang up", "code": "ERR_STREAM_CLOSED"})
_fails("negative_code", {"ret": -4, "msg": "系统异常"})
_fails("return_code", {"return_code": "FAIL", "return_msg": "签名错误"})
_fails("validation_list", {"detail": [{"loc": ["body", "ship"], "msg": "field required"}]})
_fails("detail_object", {"detail": {"error": "Unauthorized: the key is missing"}})
_fails("credentials", {"detail": "Authentication credentials were not provided."})
_fails("response_object", "<Response [503]>")
_fails("rust", 'Err(Error { kind: NotFound, message: "no pier" })')
_fails("driver", '(psycopg2.errors.UndefinedColumn) column "pier" does not exist\nLINE 1: SELECT')
_fails("soap", "<s:Envelope><s:Body><s:Fault><faultstring>closed</faultstring></s:Fault></s:Body>")
_fails("japanese_state", {"結果": "エラー", "メッセージ": "港に接続できません"})
_fails("agent_run", {"type": "result", "subtype": "error_max_turns", "num_turns": 9})

_works("edited", "The file moorings.yaml has been updated. 1 string replaced.")
_works("task_completed", {"kind": "task", "status": {"state": "completed"}, "artifacts": []})
_works("task_waits", {"kind": "task", "status": {"state": "working", "message": None}, "id": "t"})
_works("return_code_fine", {"return_code": "SUCCESS", "result_code": "SUCCESS", "berth": 4})
_works("ret_zero", {"ret": 0, "msg": "", "data": [{"berth": 4}]})
_works("named_thing", {"name": "Error Island", "message": "Moor on the left side."})
_works("soap_result", "<s:Envelope><s:Body><berth>4</berth></s:Body></s:Envelope>")
_works("size_limits", "Ships whose length exceeds the pier moor at buoy 2.")
_works("observation", {"observation": "read", "content": "berth 4", "extras": {}})


def _ends(name: str, output: Any, *, right: bool = True) -> None:
    answer = "" if right else "Berth 4."
    ENDS.add(
        name if right else f"{name}_healthy",
        tool("load_pier", {"pier": "N2"}, {"berths": 14, "side": "left"}),
        model(output, right=right),
        answer=answer,
    )


_ends("reasoning_in_tags_only", says("<think>Berth 4 is free, I should say so.</think>\n"))
_ends("reasoning_never_closed", says("<think>Berth 4 or 5? Let me count again"))
_ends("lm_studio", {"content": "Berth", "stats": {"stopReason": "contextLengthReached"}})
_ends("ai21", {"completions": [{"data": {"text": "Ber"}, "finishReason": {"reason": "length"}}]})
_ends("llama_cpp", {"content": "Berth", "stopped_limit": True, "stopped_eos": False})
_ends("text_generation", {"generated_text": "Berth", "details": {"finish_reason": "length"}})
_ends(
    "realtime",
    {
        "response": {
            "status": "incomplete",
            "status_details": {"type": "incomplete", "reason": "max_output_tokens"},
            "output": [],
        }
    },
)
_ends("autogen", {"finish_reason": "stop", "content": "", "cached": False})
_ends("glm_filter", {"choices": [{"message": {"content": ""}, "finish_reason": "sensitive"}]})
_ends("vllm_aborted", {"choices": [{"message": {"content": "B"}, "finish_reason": "abort"}]})
_ends("reasoning_before_text", says("<think>Berth 4 is free.</think>Berth 4."), right=False)
_ends("tags_in_text", says("Write <think> before your reasoning."), right=False)
_ends("eos_of_lm_studio", {"content": "Berth 4", "stats": {"stopReason": "eosFound"}}, right=False)


# Tools that a provider runs itself are parts of the reply.
def _hosts(name: str, *parts: Json, key: str = "output", right: bool = True) -> None:
    text = {"type": "output_text", "text": _DONE} if key == "output" else {}
    last = {"type": "message", "role": "assistant", "content": [text]}
    told = last if text else {"type": "text", "text": _DONE}
    HOSTED.add(
        name if right else f"{name}_healthy",
        tool("load_pier", {"pier": "N2"}, {"berths": 14, "side": "left"}),
        model({key: [*parts, told]}, right=right),
        answer=_DONE,
    )


def _runs(call_id: str, tool_name: str, content: Any, **more: Any) -> tuple[Json, Json]:
    given = {"type": "server_tool_use", "id": call_id, "name": tool_name, "input": {"pier": "N2"}}
    result = {"type": f"{tool_name}_tool_result", "tool_use_id": call_id, "content": content}
    return given, result | more


_BUSY = {"type": "web_search_tool_result_error", "error_code": "unavailable"}
_PAGE = {"type": "web_search_result", "title": "Error: page moved", "url": "https://e.org/n2"}
_LOST = {"type": "mcp_call", "name": "tide_table", "error": "gateway closed", "output": None}
_READ = {"type": "mcp_call", "name": "tide_table", "error": None, "output": "low at 4:10"}
_hosts("mcp_call", _LOST)
_hosts("mcp_list", {"type": "mcp_list_tools", "tools": [], "error": "424: no such host"})
_hosts("search_status", {"type": "web_search_call", "id": "ws_1", "status": "failed"})
_hosts("search_error", *_runs("s1", "web_search", _BUSY), key="content")
_hosts("mcp_result", *_runs("m1", "mcp", "no tides", is_error=True), key="content")
_hosts("mcp_call_again", _LOST, _READ, right=False)
_hosts("mcp_call_worked", _READ, right=False)
_hosts("search_status", {"type": "web_search_call", "status": "completed"}, right=False)
_hosts("search_pages", *_runs("s1", "web_search", [_PAGE]), key="content", right=False)
_hosts(
    "search_again",
    *_runs("s1", "web_search", _BUSY),
    *_runs("s2", "web_search", [_PAGE]),
    key="content",
    right=False,
)

# Envelopes in envelopes, and errors by field.
_LATE = {"pier": "the pier is closed at night"}


def _enveloped(errors: Json) -> Json:
    result = {"berth": None, "response": {"errorMessages": [], "errors": errors}}
    part = {"type": "text", "text": json.dumps({"result": result})}
    return {"output": {"content": [part], "tool_call_id": "c"}}


def _item(held: Json) -> Json:
    return {"executionStatus": "success", "data": {"main": [[{"json": held}]]}}


_fails("envelope_of_the_service", _enveloped(_LATE), "closed at night")
_fails("item_of_a_workflow", _item({"error": "403 - no key"}), "no key")
_works("envelope_of_the_service", _enveloped({}))
_works("item_of_a_workflow", _item({"berth": 4}))
_works("errors_by_code", {"errors": {"404": "12", "500": "3"}})
_works("errors_of_a_check", {"score": 4, "errors": _LATE})

# Failures that began further inside, or in the call that a model did not finish.
_TIDES = "When is low tide at pier N2?"


def _searches(name: str, *inside: SpanPlan, right: bool, answer: str = "At about 4:10.") -> None:
    ORIGINS.add(
        name if right else f"{name}_healthy",
        span("TideRetriever", *inside, input={"query": _TIDES}, output={"documents": []}),
        model(says(answer), asked=_TIDES),
        question=_TIDES,
        answer=answer,
    )


_search = span("POST", right=True, **failed("HTTPError", "502 Bad Gateway"))
_searches("request_of_an_empty_search", _search, right=True)
_unread = span("POST", **failed("HTTPError", "502 Bad Gateway"))
ORIGINS.add(
    "second_request_of_a_search_healthy",
    span(
        "TideRetriever",
        _unread,
        span("POST", input={"try": 2}, output={"hits": 1}),
        input={"query": _TIDES},
        output={"documents": [{"text": "Low tide at N2 is at 4:10."}]},
    ),
    model(says("Low tide is at 4:10."), asked=_TIDES),
    question=_TIDES,
    answer="Low tide is at 4:10.",
)
for _finish, _right in (("length", True), ("tool_calls", False)):
    _asked = calls("write_log", {"path": "n2.log"})
    _asked["choices"][0]["finish_reason"] = _finish
    _report = {"is_error": True, "content": "InputError: the field `text` is missing"}
    ORIGINS.add(
        "cut_call_of_a_tool" if _right else "whole_call_of_a_tool",
        model(_asked, right=_right),
        tool("write_log", {"path": "n2.log"}, _report, right=not _right),
        model(says("The log of pier N2 is not written.")),
        answer="The log of pier N2 is not written.",
    )
_PROGRAM = "I read the table.\n<code>\nimport tidetable\nprint(tidetable.low('N2'))\n</code>"
for _line, _by_model in (("import tidetable", True), ("None", False)):
    _told = f"Error:\nexecution failed at line '{_line}': InterpreterError: it is not allowed"
    ORIGINS.add(
        "code_of_a_step" if _by_model else "step_that_quotes_nothing",
        span(
            "Step 1",
            model(says(_PROGRAM), right=_by_model),
            output={"observations": _told},
            right=not _by_model,
        ),
        model(says("Low tide is at 4:10.")),
        answer="Low tide is at 4:10.",
    )


# Replies that differ in their counts of tokens only.
def _talks(name: str, second: str, third: str, *, right: bool) -> None:
    """Two agents that talk in turn; `second` and `third` are what they say from then on."""
    texts = ["Moor at berth 4, left side.", "Good, clear and short."]
    texts += [f"{second} {third}" if right else f"{second} {number}" for number in range(7)]
    if right:
        texts[3::2] = [third] * 3
    talk = [
        model(
            {"message": {"content": text, "prompt_tokens": 120 + 24 * turn}},
            asked=texts[turn - 1] if turn else "Where does MF Ida moor?",
            name=f"{'harbour' if turn % 2 == 0 else 'bridge'}_agent",
            tokens=(120 + 24 * turn, 18),
            right=right and turn >= 2,
        )
        for turn, text in enumerate(texts)
    ]
    TALKS.add(name, *talk, question="Where does MF Ida moor?", answer=texts[0])


_talks("thanks_again_and_again", "Thank you, good watch!", "Gladly, good watch to you.", right=True)
_talks("other_words_healthy", "Checked point number", "", right=False)
