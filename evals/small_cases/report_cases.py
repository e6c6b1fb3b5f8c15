"""Reports of failed tools as coding agents, task protocols and services write them, and replies
whose reason to stop or reasoning stands where only one provider puts it."""

from typing import Any

from evals.small_cases.builder import CaseList, model, says, tool, turn_with

REPORTS = CaseList("tool_report")
ENDS = CaseList("end_of_reply")

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
