"""Replies as each provider, framework and convention records them."""

import json
from typing import Any

from app.analysis.recorded.finish_reason import FinishReason
from app.analysis.recorded.reply import RecordedReply, read_reply
from testkit.case_tables import each_case

TEXT = "In Graz."
CALL = {"id": "c1", "type": "function", "function": {"name": "track", "arguments": '{"n": 7}'}}


def choice(message: Any, finish: str | None = "stop") -> dict[str, Any]:
    return {"choices": [{"index": 0, "message": message, "finish_reason": finish}]}


def candidate(*parts: Any, finish: Any = "STOP") -> dict[str, Any]:
    return {
        "candidates": [{"content": {"role": "model", "parts": [*parts]}, "finishReason": finish}]
    }


def chunk(delta: Any, finish: str | None = None) -> dict[str, Any]:
    return {
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }


def responses_events(name: str, delta: str, done: dict[str, Any], item: Any) -> list[Any]:
    """The events that OpenAI's Responses API streams for a reply of one item."""
    place = {"item_id": "i1", "output_index": 0}
    begun = {**item, **{key: "" for key in ("arguments",) if key in item}, "status": "in_progress"}
    pieces = [delta[:5], delta[5:]]
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": {"status": "in_progress", "output": []}},
        {"type": "response.output_item.added", "output_index": 0, "item": begun},
        *({"type": f"response.{name}.delta", **place, "delta": piece} for piece in pieces),
        {"type": f"response.{name}.done", **place, **done},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": {"status": "completed", "output": [item]}},
    ]
    return [{**event, "sequence_number": number} for number, event in enumerate(events)]


def converse_events(start: Any, *pieces: Any, stop: str = "end_turn") -> list[dict[str, Any]]:
    """The events that Bedrock's ConverseStream sends for a reply of one block."""
    begin = [{"contentBlockStart": {"start": start, "contentBlockIndex": 0}}] if start else []
    deltas = [{"contentBlockDelta": {"delta": each, "contentBlockIndex": 0}} for each in pieces]
    return [
        {"messageStart": {"role": "assistant"}},
        *begin,
        *deltas,
        {"contentBlockStop": {"contentBlockIndex": 0}},
        {"messageStop": {"stopReason": stop}},
        {"metadata": {"usage": {"inputTokens": 9}, "metrics": {"latencyMs": 812}}},
    ]


def constructor(name: str, **fields: Any) -> dict[str, Any]:
    """A message as LangChain serialises it."""
    way = ["langchain", "schema", "messages", name]
    return {"lc": 1, "type": "constructor", "id": way, "kwargs": fields}


TEXT_REPLIES = {
    "plain text": TEXT,
    "a tracked function": {"output": TEXT},
    "OpenAI chat": choice({"role": "assistant", "content": TEXT, "refusal": None}),
    "OpenAI chat with parts": choice({"content": [{"type": "text", "text": TEXT}]}),
    "encoded as text": json.dumps(choice({"role": "assistant", "content": TEXT})),
    "encoded twice": json.dumps(json.dumps(choice({"role": "assistant", "content": TEXT}))),
    "encoded below a key": {"output": json.dumps(choice({"content": TEXT}))},
    "OpenAI text completion": {"choices": [{"text": TEXT, "finish_reason": "stop"}]},
    "OpenAI Responses": {
        "object": "response",
        "status": "completed",
        "instructions": "Be short.",
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tools": [{"type": "web_search"}],
        "output": [
            {"type": "reasoning", "summary": [], "encrypted_content": "gAAA"},
            {
                "type": "message",
                "role": "assistant",
                "status": "completed",
                "content": [{"type": "output_text", "text": TEXT, "annotations": []}],
            },
        ],
    },
    "Anthropic": {
        "role": "assistant",
        "type": "message",
        "content": [{"type": "text", "text": TEXT, "citations": None}],
        "stop_reason": "end_turn",
    },
    "Anthropic with thinking": {
        "content": [
            {"type": "thinking", "thinking": "Graz it is.", "signature": "Eq"},
            {"type": "text", "text": TEXT},
        ]
    },
    "Gemini": candidate({"text": TEXT}),
    "Gemini with a thought": candidate({"text": "Where? Graz.", "thought": True}, {"text": TEXT}),
    "Gemini with an older client": candidate({"text": TEXT}, finish=1),
    "Bedrock Converse": {
        "output": {"message": {"role": "assistant", "content": [{"text": TEXT}]}},
        "stopReason": "end_turn",
        "metrics": {"latencyMs": 900},
    },
    "Bedrock Titan": {"results": [{"outputText": TEXT, "completionReason": "FINISH"}]},
    "Bedrock Llama": {"generation": TEXT, "stop_reason": "stop", "generation_token_count": 4},
    "Ollama": {
        "message": {"role": "assistant", "content": TEXT},
        "done": True,
        "done_reason": "stop",
        "total_duration": 812,
    },
    "Cohere": {
        "message": {"role": "assistant", "content": [{"type": "text", "text": TEXT}]},
        "finish_reason": "COMPLETE",
    },
    "Hugging Face": [{"generated_text": TEXT}],
    "Vercel": {"text": TEXT, "finishReason": "stop"},
    "Vercel attributes": {"ai.response.text": TEXT, "ai.response.id": "r1"},
    "LangChain": {
        "generations": [
            [
                {
                    "text": TEXT,
                    "generation_info": {"finish_reason": "stop"},
                    "type": "ChatGeneration",
                    "message": {"content": TEXT, "type": "ai", "tool_calls": [], "id": "run-1"},
                }
            ]
        ],
        "llm_output": {"model_name": "m"},
        "run": None,
        "type": "LLMResult",
    },
    "LangChain serialised": {
        "lc": 1,
        "type": "constructor",
        "id": ["langchain", "schema", "AIMessage"],
        "kwargs": {"content": TEXT, "additional_kwargs": {}},
    },
    "LlamaIndex": {
        "output": {"role": "assistant", "blocks": [{"block_type": "text", "text": TEXT}]}
    },
    "OpenTelemetry messages": {
        "gen_ai.output.messages": [
            {"role": "assistant", "parts": [{"type": "text", "content": TEXT}]}
        ]
    },
    "OpenTelemetry messages as text": {
        "gen_ai.output.messages": json.dumps(
            [{"role": "assistant", "parts": [{"type": "text", "content": TEXT}]}]
        )
    },
    "OpenLLMetry": {"gen_ai.completion.0.role": "assistant", "gen_ai.completion.0.content": TEXT},
    "OpenInference": {
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.content": TEXT,
    },
    "OpenInference with contents": {
        "llm.output_messages.0.message.contents.0.message_content.type": "text",
        "llm.output_messages.0.message.contents.0.message_content.text": TEXT,
    },
    "OpenInference value": {"output.value": TEXT, "output.mime_type": "text/plain"},
    "a conversation": {
        "messages": [
            {"role": "user", "content": "Where is it?"},
            {"role": "assistant", "content": "I look it up."},
            {"role": "tool", "content": '{"city": "Graz"}'},
            {"role": "assistant", "content": TEXT},
        ]
    },
    "a conversation of LangChain": {
        "messages": [
            constructor("HumanMessage", content="Where is it?"),
            constructor("AIMessage", content="I look it up.", type="ai", tool_calls=[CALL]),
            constructor("ToolMessage", content="Graz", type="tool", tool_call_id="c1"),
            constructor("AIMessage", content=TEXT, type="ai"),
        ]
    },
    "an earlier question of LangChain": [
        constructor("AIMessage", content="Which parcel?"),
        constructor("HumanMessage", content="7"),
        constructor("AIMessage", content=TEXT),
    ],
    "OpenAI chunks": [
        chunk({"role": "assistant", "content": ""}),
        chunk({"content": "In"}),
        chunk({"content": " Graz."}),
        chunk({}, "stop"),
    ],
    "Anthropic events": [
        {"type": "message_start", "message": {"role": "assistant", "content": []}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "In"}},
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "text_delta", "text": " Graz."},
        },
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
    ],
    "Responses events": [
        {"type": "response.output_text.delta", "delta": "In", "output_index": 0},
        {"type": "response.output_text.delta", "delta": " Graz.", "output_index": 0},
        {
            "type": "response.completed",
            "response": {
                "output": [{"type": "message", "content": [{"type": "output_text", "text": TEXT}]}]
            },
        },
    ],
    "Bedrock events": converse_events(None, {"text": "In"}, {"text": " Graz."}),
    "Responses speech": [
        {"type": "response.output_audio_transcript.delta", "delta": "In"},
        {"type": "response.output_audio.delta", "delta": "UklGRg=="},
        {"type": "response.output_audio_transcript.delta", "delta": " Graz."},
    ],
    "Gemini chunks": [candidate({"text": "In"}, finish=None), candidate({"text": " Graz."})],
    "Ollama chunks": [
        {"message": {"content": "In"}, "done": False},
        {"message": {"content": " Graz."}, "done": True, "done_reason": "stop"},
    ],
    "LangChain chunks": [
        {"type": "AIMessageChunk", "content": "In"},
        {"type": "AIMessageChunk", "content": " Graz."},
    ],
}


@each_case("output", TEXT_REPLIES.values())
def test_text_of_each_shape_is_read_once_and_nothing_else(output: Any) -> None:
    reply = read_reply(output)
    assert reply.text == TEXT
    assert (reply.calls, reply.media, reply.has_other, reply.failure) == ((), 0, False, "")
    assert reply.finish in (None, FinishReason.STOP)
    assert not reply.is_blank


CALL_REPLIES = {
    "OpenAI chat": choice({"content": None, "tool_calls": [CALL]}, "tool_calls"),
    "OpenAI chat, one function": choice(
        {"function_call": {"name": "track", "arguments": '{"n": 7}'}}, "function_call"
    ),
    "Responses": {
        "output": [
            {"type": "reasoning", "summary": []},
            {"type": "function_call", "name": "track", "arguments": '{"n": 7}', "call_id": "c1"},
        ]
    },
    "Anthropic": {
        "content": [{"type": "tool_use", "id": "c1", "name": "track", "input": {"n": 7}}]
    },
    "Gemini": candidate({"functionCall": {"name": "track", "args": {"n": 7}}}),
    "Gemini in Python": {
        "candidates": [
            {"content": {"parts": [{"function_call": {"name": "track", "args": {"n": 7}}}]}}
        ]
    },
    "Bedrock": {
        "output": {
            "message": {
                "content": [{"toolUse": {"toolUseId": "c1", "name": "track", "input": {"n": 7}}}]
            }
        },
        "stopReason": "tool_use",
    },
    "Vercel": {
        "text": "",
        "toolCalls": [{"toolCallId": "c1", "toolName": "track", "args": {"n": 7}}],
    },
    "Vercel as text": {
        "toolCalls": json.dumps([{"toolCallId": "c1", "toolName": "track", "input": '{"n": 7}'}])
    },
    "Vercel attributes": {
        "ai.response.toolCalls": json.dumps([{"toolName": "track", "args": '{"n": 7}'}])
    },
    "LangChain": {
        "generations": [
            [
                {
                    "text": "",
                    "message": {
                        "content": "",
                        "additional_kwargs": {"tool_calls": [CALL]},
                        "tool_calls": [
                            {"name": "track", "args": {"n": 7}, "id": "c1", "type": "tool_call"}
                        ],
                        "invalid_tool_calls": [],
                    },
                }
            ]
        ]
    },
    "LangChain with blocks": {
        "content": [{"type": "tool_use", "id": "c1", "name": "track", "input": {"n": 7}}],
        "tool_calls": [{"name": "track", "args": {"n": 7}, "id": "c1", "type": "tool_call"}],
        "type": "ai",
    },
    "OpenTelemetry": {
        "gen_ai.output.messages": [
            {
                "role": "assistant",
                "parts": [
                    {"type": "reasoning", "content": {"text": "", "protected": "AA"}},
                    {"type": "tool_call", "id": "c1", "name": "track", "arguments": {"n": 7}},
                ],
                "finish_reason": "tool_calls",
            }
        ]
    },
    "OpenLLMetry": {
        "gen_ai.completion.0.finish_reason": "tool_calls",
        "gen_ai.completion.0.tool_calls.0.id": "c1",
        "gen_ai.completion.0.tool_calls.0.name": "track",
        "gen_ai.completion.0.tool_calls.0.arguments": '{"n": 7}',
    },
    "OpenInference": {
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "track",
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": '{"n": 7}',
    },
    "OpenAI chunks": [
        chunk(
            {
                "tool_calls": [
                    {"index": 0, "id": "c1", "function": {"name": "track", "arguments": ""}}
                ]
            }
        ),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"n"'}}]}),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": ": 7}"}}]}),
        chunk({}, "tool_calls"),
    ],
    "Anthropic events": [
        {
            "type": "content_block_start",
            "index": 1,
            "content_block": {"type": "tool_use", "id": "c1", "name": "track", "input": {}},
        },
        {
            "type": "content_block_delta",
            "index": 1,
            "delta": {"type": "input_json_delta", "partial_json": '{"n": '},
        },
        {
            "type": "content_block_delta",
            "index": 1,
            "delta": {"type": "input_json_delta", "partial_json": "7}"},
        },
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}},
    ],
    "Bedrock events": converse_events(
        {"toolUse": {"toolUseId": "c1", "name": "track"}},
        {"toolUse": {"input": '{"n"'}},
        {"toolUse": {"input": ": 7}"}},
        stop="tool_use",
    ),
    "Responses events": responses_events(
        "function_call_arguments",
        '{"n": 7}',
        {"name": "track", "arguments": '{"n": 7}'},
        {"type": "function_call", "call_id": "c1", "name": "track", "arguments": '{"n": 7}'},
    ),
}


@each_case("output", CALL_REPLIES.values())
def test_call_of_each_shape_is_read_once_with_its_arguments(output: Any) -> None:
    reply = read_reply(output)
    assert [(call.name, call.arguments, call.broken) for call in reply.calls] == [
        ("track", {"n": 7}, False)
    ]
    assert (reply.text, reply.has_other) == ("", False)
    assert not reply.is_blank


def test_two_equal_calls_with_ids_of_their_own_are_two() -> None:
    calls = [CALL, {**CALL, "id": "c2"}]
    assert len(read_reply(choice({"tool_calls": calls})).calls) == 2


def test_equal_calls_without_ids_are_two_in_one_list_and_one_in_two() -> None:
    part = {"functionCall": {"name": "track", "args": {"n": 7}}}
    assert len(read_reply(candidate(part, part)).calls) == 2
    listed = {"tool_calls": [{"name": "track", "args": {"n": 7}}] * 2}
    assert len(read_reply({**listed, "content": [part, part]}).calls) == 2


@each_case(
    "output, name",
    [
        (
            {"output": [{"type": "web_search_call", "id": "w", "action": {"query": "x"}}]},
            "web_search",
        ),
        (
            {"content": [{"type": "server_tool_use", "name": "web_search", "input": {}}]},
            "web_search",
        ),
        (
            {"output": [{"type": "mcp_call", "name": "ask", "arguments": "{}", "error": "no"}]},
            "ask",
        ),
        ({"output": [{"type": "custom_tool_call", "name": "sh", "input": "ls -l"}]}, "sh"),
    ],
)
def test_tools_that_the_provider_runs_count_as_whole_calls(output: Any, name: str) -> None:
    reply = read_reply(output)
    assert [(call.name, call.broken) for call in reply.calls] == [(name, False)]
    assert reply.failure == ""


@each_case(
    "given",
    [
        {"type": "web_search_call", "action": {"type": "search", "query": "Graz"}},
        {"type": "file_search_call", "queries": ["Graz"], "results": None},
        {"type": "code_interpreter_call", "code": "print(7)", "container_id": "c", "outputs": []},
        {"type": "local_shell_call", "action": {"type": "exec", "command": ["ls"]}},
        {"type": "apply_patch_call", "operation": {"type": "delete_file", "path": "a.py"}},
    ],
)
def test_call_of_a_tool_of_the_provider_has_what_it_did(given: dict[str, Any]) -> None:
    (call,) = read_reply({"output": [{**given, "id": "i1", "status": "completed"}]}).calls
    done = next(given[key] for key in ("action", "queries", "code", "operation") if key in given)
    assert (call.arguments, call.broken) == (done, False)


@each_case(
    "message",
    [
        {"tool_calls": [{"function": {"name": "track", "arguments": '{"n": 7'}}]},
        {"invalid_tool_calls": [{"name": "track", "args": '{"n": 7', "error": "no JSON"}]},
    ],
)
def test_call_whose_arguments_cannot_be_parsed_is_broken(message: Any) -> None:
    assert [call.broken for call in read_reply(choice(message)).calls] == [True]


@each_case(
    "output",
    [
        choice({"role": "assistant", "content": '{"city": "Graz"}'}),
        {"content": [{"type": "text", "text": '{"city": "Graz"}'}]},
        {"output": '{"city": "Graz"}'},
        '{"city": "Graz"}',
    ],
)
def test_reply_that_is_json_keeps_its_text(output: Any) -> None:
    assert read_reply(output).text == '{"city": "Graz"}'


BLANK_REPLIES = {
    "OpenAI chat": choice({"role": "assistant", "content": "", "tool_calls": None}),
    "null content": choice({"role": "assistant", "content": None, "refusal": None}),
    "blank text": choice({"content": " \n "}),
    "no choices": {"choices": []},
    "OpenAI chat in full": {
        **choice({"role": "assistant", "content": "", "annotations": []}),
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "usage": {"prompt_tokens": 9, "completion_tokens": 0},
        "system_fingerprint": "fp",
        "service_tier": "default",
    },
    "Responses": {"object": "response", "status": "completed", "output": [], "model": "m"},
    "Anthropic": {"content": [], "stop_reason": "end_turn", "role": "assistant", "type": "message"},
    "Gemini": {
        "candidates": [{"content": {"role": "model"}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {"promptTokenCount": 9},
        "modelVersion": "m",
        "responseId": "r",
    },
    "Bedrock": {"output": {"message": {"content": []}}, "stopReason": "end_turn"},
    "Ollama": {"message": {"role": "assistant", "content": ""}, "done": True, "eval_count": 0},
    "Vercel": {"text": "", "finishReason": "stop", "usage": {"promptTokens": 9}},
    "LangChain": {
        "generations": [[{"text": "", "message": {"content": "", "type": "ai", "id": "run-1"}}]],
        "llm_output": {"token_usage": {}},
        "type": "LLMResult",
    },
    "OpenTelemetry": {"gen_ai.output.messages": [{"role": "assistant", "parts": []}]},
    "only reasoning": {"content": [{"type": "thinking", "thinking": "Hm."}]},
    "only reasoning, chat": choice({"content": "", "reasoning_content": "Hm."}, "length"),
}


@each_case("output", BLANK_REPLIES.values())
def test_reply_that_is_only_an_envelope_is_blank(output: Any) -> None:
    assert read_reply(output).is_blank


OTHER_REPLIES = {
    "audio": choice({"content": None, "audio": {"id": "a", "data": "UklG", "transcript": TEXT}}),
    "image": choice({"content": "", "images": [{"image_url": {"url": "data:image/png;base64,i"}}]}),
    "image generation": {"output": [{"type": "image_generation_call", "result": "iVBO"}]},
    "Gemini image": candidate({"inlineData": {"mimeType": "image/png", "data": "iVBO"}}),
    "parsed": choice({"content": None, "parsed": {"city": "Graz"}}),
    "Vercel object": {"object": {"city": "Graz"}},
    "a tracked function's object": {"verdict": {"score": 0}},
    "a score of a judge": {"score": 0.0, "reason": ""},
    "a flag": {"output": False},
    "embeddings": {"object": "list", "data": [{"index": 0, "embedding": [0.1, 0.2]}]},
    "moderation": {"results": [{"flagged": False, "categories": {"violence": False}}]},
    "code that ran": candidate({"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "4"}}),
    "server tool result": {
        "content": [{"type": "web_search_tool_result", "tool_use_id": "t", "content": []}]
    },
    "refusal": choice({"content": None, "refusal": "I cannot help with that."}),
    "text of a library's object": "ChatCompletion(id='x', choices=[Choice(message=None)])",
}


@each_case("output", OTHER_REPLIES.values())
def test_reply_with_anything_but_text_is_not_blank(output: Any) -> None:
    assert not read_reply(output).is_blank


@each_case(
    "output, metadata, finish",
    [
        (choice({"content": TEXT}, "length"), None, FinishReason.LENGTH),
        (candidate({"text": TEXT}, finish="MAX_TOKENS"), None, FinishReason.LENGTH),
        (candidate({"text": TEXT}, finish="FinishReason.MAX_TOKENS"), None, FinishReason.LENGTH),
        (candidate({"text": TEXT}, finish=2), None, FinishReason.LENGTH),
        (converse_events(None, {"text": TEXT}, stop="max_tokens"), None, FinishReason.LENGTH),
        ({"content": TEXT, "stop_reason": "max_tokens"}, None, FinishReason.LENGTH),
        (TEXT, {"stop_reason": "model_context_window_exceeded"}, FinishReason.LENGTH),
        (TEXT, {"gen_ai.response.finish_reasons": ["length"]}, FinishReason.LENGTH),
        (TEXT, {"gen_ai.response.finish_reasons": '["length"]'}, FinishReason.LENGTH),
        (
            {"output": [], "status": "incomplete"},
            {"incomplete_details": {"reason": "max_output_tokens"}},
            FinishReason.LENGTH,
        ),
        (
            {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}},
            None,
            FinishReason.FILTERED,
        ),
        (
            {"results": [{"outputText": TEXT, "completionReason": "LENGTH"}]},
            None,
            FinishReason.LENGTH,
        ),
        (TEXT, {"ai.response.finishReason": "content-filter"}, FinishReason.FILTERED),
        (
            {"text": TEXT, "finishReason": {"unified": "length", "raw": "max_tokens"}},
            None,
            FinishReason.LENGTH,
        ),
        ({"promptFeedback": {"blockReason": "SAFETY"}}, None, FinishReason.FILTERED),
        ({"promptFeedback": {"blockReason": "OTHER"}}, None, FinishReason.FILTERED),
        (
            candidate({"text": ""}, finish="MALFORMED_FUNCTION_CALL"),
            None,
            FinishReason.MALFORMED_CALL,
        ),
        (candidate(finish="FINISH_REASON_UNSPECIFIED"), None, None),
        ({"content": [], "stop_reason": "pause_turn"}, None, FinishReason.PAUSED),
        ({"content": [], "stop_reason": "refusal"}, None, FinishReason.FILTERED),
        (
            {"output": {"message": {}}, "stopReason": "guardrail_intervened"},
            None,
            FinishReason.FILTERED,
        ),
        (choice({"content": TEXT}, "eos"), None, FinishReason.STOP),
        (
            {"results": [{"outputText": TEXT, "completionReason": "STOP_CRITERIA_MET"}]},
            None,
            FinishReason.STOP,
        ),
        (TEXT, {"gen_ai.response.finish_reasons": ["incomplete"]}, FinishReason.LENGTH),
        ({"result": TEXT, "stop_reason": "max_turns"}, None, FinishReason.ERROR),
        (TEXT, {"finish_reason": "error_max_turns"}, FinishReason.ERROR),
        (choice({"content": TEXT}, "something_new"), None, FinishReason.UNKNOWN),
        (TEXT, {"note": "finish"}, None),
    ],
)
def test_finish_reason_has_one_name_for_each_spelling(
    output: Any, metadata: Any, finish: FinishReason | None
) -> None:
    assert read_reply(output, metadata).finish == finish


@each_case(
    "output, reasoning",
    [
        ({"content": [{"type": "thinking", "thinking": "Hm."}]}, "Hm."),
        (choice({"content": "", "reasoning_content": "Hm."}), "Hm."),
        (choice({"content": "", "reasoning_details": [{"type": "t", "text": "Hm."}]}), "Hm."),
        (candidate({"text": "Hm.", "thought": True}), "Hm."),
        (
            {
                "output": [
                    {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]}
                ]
            },
            "Hm.",
        ),
        (
            {
                "output": {
                    "message": {
                        "content": [{"reasoningContent": {"reasoningText": {"text": "Hm."}}}]
                    }
                }
            },
            "Hm.",
        ),
        ({"message": {"role": "assistant", "content": "", "thinking": "Hm."}}, "Hm."),
        (
            converse_events(
                None,
                {"reasoningContent": {"text": "H"}},
                {"reasoningContent": {"text": "m."}},
                {"reasoningContent": {"signature": "Eq"}},
            ),
            "Hm.",
        ),
        (
            [
                {
                    "type": "content_block_delta",
                    "index": 0,
                    "delta": {"type": "thinking_delta", "thinking": piece},
                }
                for piece in ("H", "m.")
            ],
            "Hm.",
        ),
        ([chunk({"reasoning_content": "H"}), chunk({"reasoning_content": "m."})], "Hm."),
        (
            responses_events(
                "reasoning_summary_text",
                "Hm. Graz.",
                {"text": "Hm. Graz."},
                {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm. Graz."}]},
            ),
            "Hm. Graz.",
        ),
    ],
)
def test_reasoning_is_kept_apart_from_the_text(output: Any, reasoning: str) -> None:
    reply = read_reply(output)
    assert (reply.reasoning, reply.text) == (reasoning, "")


def test_refusal_that_is_streamed_is_no_text() -> None:
    no = "I cannot help."
    item = {"type": "message", "content": [{"type": "refusal", "refusal": no}]}
    reply = read_reply(responses_events("refusal", no, {"refusal": no}, item))
    assert (reply.refusal, reply.text) == (no, "")


@each_case(
    "output, failure",
    [
        ({"status": "failed", "error": {"code": "e", "message": "overloaded"}}, "overloaded"),
        ({"error": {"type": "x"}}, "{'type': 'x'}"),
        ({"choices": [], "error": None}, ""),
    ],
)
def test_error_of_the_provider_inside_a_reply_is_its_failure(output: Any, failure: str) -> None:
    assert read_reply(output).failure == failure


def test_reply_of_many_values_is_read_in_part() -> None:
    reply = read_reply({"content": [{"type": "text", "text": str(n)} for n in range(100_000)]})
    assert reply.text.startswith("0\n1\n")
    assert reply.text.count("\n") < 2_000


def test_reply_nested_deeply_is_read_without_recursion() -> None:
    output: Any = TEXT
    for _ in range(1_500):
        output = {"output": output}
    assert read_reply(output).text == TEXT


def test_nothing_recorded_is_blank() -> None:
    assert read_reply(None) == RecordedReply()
