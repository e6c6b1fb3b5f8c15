"""Calls that a model wrote as text or with a broken name, and prompts that a server cut."""

from typing import Any

from evals.small_cases.builder import CaseList, Json, calls, failed, model, says, span, tool

WRITTEN = CaseList("written_call")
CUT_PROMPT = CaseList("cut_prompt")

_QUESTION = "Which berth does N2 have tonight?"


def _offered(question: str = _QUESTION) -> Json:
    functions = [{"type": "function", "function": {"name": name}} for name in ("berth_of", "moor")]
    return {"messages": [{"role": "user", "content": question}], "tools": functions}


def _write(name: str, text: str, *, asked: Any = None, right: bool = True) -> None:
    """A model whose text becomes the answer."""
    given = _offered() if asked is None else asked
    WRITTEN.add(
        name if right else f"{name}_healthy",
        span(
            "answer_question",
            model(says(text), asked=given, right=right),
            input={"q": _QUESTION},
            output={"text": text},
        ),
        question=_QUESTION,
        answer=text,
    )


_write("json", '{"name": "berth_of", "arguments": {"ship": "N2"}}')
_write("json_fenced", '```json\n{"tool": "berth_of", "args": {"ship": "N2"}}\n```')
_write(
    "json_of_llama", '{"type": "function", "function": "berth_of", "parameters": {"ship": "N2"}}'
)
_write("qwen", '<tool_call>\n{"name": "berth_of", "arguments": {"ship": "N2"}}\n</tool_call>')
_write(
    "qwen_after_a_sentence",
    'I look that up.\n<tool_call>{"name": "berth_of", "arguments": {}}</tool_call>',
)
_write("mistral", '[TOOL_CALLS][{"name": "berth_of", "arguments": {"ship": "N2"}}]')
_write("llama_tag", '<function=berth_of>{"ship": "N2"}</function>')
_write("harmony", '<|channel|>commentary to=functions.berth_of<|message|>{"ship":"N2"}')
_write("python", 'berth_of(ship="N2")')
_write("gemini_code", '```tool_code\nprint(default_api.berth_of(ship="N2"))\n```')
_write("react", 'Thought: I need the berth.\nAction: berth_of\nAction Input: {"ship": "N2"}')
_write(
    "tools_not_recorded",
    '<invoke name="berth_of"><parameter name="ship">N2</parameter></invoke>',
    asked=_QUESTION,
)
_write(
    "asked_for_as_json",
    '{"name": "berth_of", "arguments": {"ship": "N2"}}',
    asked=_offered("Answer with the call of berth_of as JSON only."),
    right=False,
)
_write("other_json", '{"name": "N2", "arguments": "none", "berth": 7}', right=False)
_write("explained", "Ask `berth_of(ship)` or write `<tool_call>` in the console.", right=False)
_write("named_in_a_sentence", "I used berth_of (ship N2): it has berth 7 tonight.", right=False)
WRITTEN.add(
    "read_by_the_program_healthy",
    model(says('Action: berth_of\nAction Input: {"ship": "N2"}'), asked=_offered()),
    tool("berth_of", {"ship": "N2"}, {"berth": 7}),
    model(says("N2 has berth 7.")),
    question=_QUESTION,
    answer="N2 has berth 7.",
)


# Names that no tool has.
_NO_TOOL = failed("ModelBehaviorError", "Tool berth_of<|call|> not found in agent Harbour")
WRITTEN.add_flat(
    "control_token_in_the_name",
    span(
        "run",
        span(
            "Harbour",
            model(calls("berth_of<|call|>", {"ship": "N2"}), asked=_QUESTION, right=True),
            **failed("SpanError", "Tool not found"),
        ),
        input={"q": _QUESTION},
        **_NO_TOOL,
    ),
    **_NO_TOOL,
)
WRITTEN.add_flat(
    "name_without_quotation_marks",
    span(
        "run",
        model(calls("berthOf", {"ship": "N2"}), asked=_QUESTION, right=True),
        span("dispatch", **failed("ToolError", "unknown tool: berthOf")),
        input={"q": _QUESTION},
        **failed("ToolError", "unknown tool: berthOf"),
    ),
    **failed("ToolError", "unknown tool: berthOf"),
)


# Prompts.
def _cut(name: str, tokens: int, options: Json, *, letters: int = 30_000, **reply: Any) -> None:
    text = "Which berth is free?\n" + "N2 moors at the long pier. " * (letters // 27)
    right = not name.endswith("_healthy")
    answer = "You sent a list. What shall I do?" if right else "Berth 7 is free."
    CUT_PROMPT.add(
        name,
        model(
            {"message": {"role": "assistant", "content": answer}, "done": True, **reply},
            asked={"messages": [{"role": "user", "content": text[:9_000]}], "options": options}
            if letters < 10_000
            else {"messages": [{"role": "user", "content": text}], "options": options},
            tokens=(tokens, 12),
            right=right,
        ),
        answer=answer,
    )


_cut("context_of_the_request", 1_100, {"num_ctx": 2_048}, letters=9_500)
_cut("size_of_a_default_context", 1_024 * 2, {}, letters=30_000)
_cut("said_by_the_server", 3_000, {}, letters=9_500, truncated=True)
_cut("fits_healthy", 2_000, {"num_ctx": 4_096}, letters=9_500)
_cut("read_from_a_cache_healthy", 40, {"num_ctx": 4_096}, letters=9_500)
_cut("whole_healthy", 3_000, {}, letters=9_500, truncated=False)
