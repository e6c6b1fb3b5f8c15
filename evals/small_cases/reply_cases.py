"""Replies in every spelling: whole, blank, cut, filtered, malformed, and not recorded at all."""

from typing import Any

from evals.small_cases.attribute_replies import ATTRIBUTE_SPELLINGS
from evals.small_cases.builder import CaseList, Json, SpanPlan, calls, model, says, span, tool
from evals.small_cases.exchange import Exchange, Finish
from evals.small_cases.left_replies import LEFT_SPELLINGS, LEFT_WITHOUT_FINISH
from evals.small_cases.provider_replies import PROVIDER_SPELLINGS, WITHOUT_FINISH

REPLIES = CaseList("reply_spelling")
FINISHES = CaseList("finish_reason")
ABSENT = CaseList("absent_body")

_SPELLINGS = PROVIDER_SPELLINGS | ATTRIBUTE_SPELLINGS | LEFT_SPELLINGS
_WITHOUT_FINISH = WITHOUT_FINISH | LEFT_WITHOUT_FINISH
_QUESTION = "Which platform does the night train to Bergen leave from?"
_CALL = ("departure_board", {"station": "Oslo S", "train": "605"})
_BOARD = {"train": "605", "platform": "4", "leaves": "23:05"}
_ANSWER = "It leaves from platform 4 at 23:05."
_CUT = (
    "The night train leaves at 23:05 from platform 4, and for your journey you should note that the"
)


def _reply(
    spelling: str,
    text: str = "",
    finish: Finish = "stop",
    *,
    call: tuple[str, Json] | None = None,
    tokens: tuple[int, int] = (410, 31),
    right: bool = False,
) -> SpanPlan:
    """A model call that records its reply in this spelling."""
    fields = _SPELLINGS[spelling](Exchange(_QUESTION, text, finish, call))
    return model(
        fields.pop("output", None),
        asked=fields.pop("input"),
        tokens=tokens,
        right=right,
        **fields,
    )


def _in_each_spelling() -> None:
    called = tool(_CALL[0], _CALL[1], _BOARD)
    for spelling in _SPELLINGS:
        asking = _reply(spelling, finish="tool", call=_CALL)
        whole = {"question": _QUESTION, "answer": _ANSWER}
        REPLIES.add(f"{spelling}_healthy", asking, called, _reply(spelling, _ANSWER), **whole)
        blank = _reply(spelling, tokens=(455, 0), right=True)
        REPLIES.add(f"{spelling}_blank", asking, called, blank, question=_QUESTION, answer="")
        if spelling in _WITHOUT_FINISH:
            continue
        cut = _reply(spelling, _CUT, "length", tokens=(455, 256), right=True)
        FINISHES.add(f"{spelling}_length", asking, called, cut, question=_QUESTION, answer=_CUT)
        filtered = _reply(spelling, "", "filter", tokens=(455, 0), right=True)
        FINISHES.add(f"{spelling}_filtered", filtered, question=_QUESTION, answer="")


_in_each_spelling()


# Replies without a text that are whole all the same.
REPLIES.add(
    "audio_transcript_healthy",
    model(
        {
            "choices": [
                {
                    "message": {
                        "role": "assistant",
                        "content": None,
                        "audio": {"id": "audio_9", "transcript": _ANSWER, "data": "[audio]"},
                    },
                    "finish_reason": "stop",
                }
            ]
        },
        asked=_QUESTION,
    ),
    question=_QUESTION,
    answer=_ANSWER,
)
REPLIES.add(
    "responses_image_generation_healthy",
    model(
        {
            "object": "response",
            "status": "completed",
            "output": [
                {"type": "image_generation_call", "status": "completed", "result": "[image]"}
            ],
        },
        asked="Draw the route of the ferry.",
    ),
    question="Draw the route of the ferry.",
    answer={"image": "[image]"},
)
REPLIES.add(
    "gemini_executable_code_healthy",
    model(
        {
            "candidates": [
                {
                    "content": {
                        "role": "model",
                        "parts": [
                            {"executableCode": {"language": "PYTHON", "code": "print(14)"}},
                            {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "14"}},
                        ],
                    },
                    "finishReason": "STOP",
                }
            ]
        }
    ),
)
REPLIES.add(
    "structured_output_healthy",
    model({"parsed": {"platform": "4", "time": "23:05"}, "content": None}, asked=_QUESTION),
    question=_QUESTION,
    answer={"platform": "4", "time": "23:05"},
)
REPLIES.add(
    "streamed_events_healthy",
    model(
        {
            "events": [
                {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "Platf"}},
                {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "orm 4."}},
                {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
            ]
        },
        asked=_QUESTION,
    ),
    question=_QUESTION,
    answer="Platform 4.",
)
REPLIES.add(
    "rerank_scores_healthy",
    model({"results": [{"index": 2, "relevance_score": 0.91}]}, name="rerank", tokens=(200, 0)),
)
REPLIES.add(
    "embedding_vectors_healthy",
    model({"embeddings": [[0.02, -0.4, 0.11]], "texts": None}, name="embed", tokens=(16, 0)),
)
REPLIES.add(
    "classifier_label_healthy",
    model({"label": "timetable", "score": 0.97}, name="route_question", tokens=(80, 1)),
)
REPLIES.add(
    "plain_text_healthy",
    model(_ANSWER, asked={"prompt": _QUESTION}),
    question=_QUESTION,
    answer=_ANSWER,
)
REPLIES.add(
    "server_side_search_paused_healthy",
    model(
        {
            "role": "assistant",
            "content": [{"type": "server_tool_use", "name": "web_search", "input": {"q": "605"}}],
            "stop_reason": "pause_turn",
        }
    ),
    model({"content": [{"type": "text", "text": _ANSWER}], "stop_reason": "end_turn"}),
    answer=_ANSWER,
)
REPLIES.add(
    "whitespace_only",
    model(says("\n\n  \n"), asked=_QUESTION, tokens=(410, 2), right=True),
    question=_QUESTION,
    answer="",
)
REPLIES.add(
    "no_choices",
    model({"choices": [], "object": "chat.completion"}, tokens=(410, 0), right=True),
    answer="",
)


# Finish reasons outside the usual fields, and words for them that differ.
def _finish(
    name: str, output: Json, *, right: bool = True, answer: str = _CUT, **more: Any
) -> None:
    plan = model(output, asked=_QUESTION, tokens=(455, 256), right=right, **more)
    FINISHES.add(name, plan, question=_QUESTION, answer=answer)


_finish("enum_text_max_tokens", {"content": _CUT, "finish_reason": "FinishReason.MAX_TOKENS"})
_finish(
    "context_window_exceeded",
    {
        "content": [{"type": "text", "text": _CUT}],
        "stop_reason": "model_context_window_exceeded",
    },
)
_finish("model_length", says(_CUT, "model_length"))
FINISHES.add(
    "tight_limit_cuts_a_sentence",
    model(
        says("The ferry to Hvar still has seats on the", "length"),
        input={"messages": [{"role": "user", "content": _QUESTION}], "max_tokens": 12},
        tokens=(410, 12),
        right=True,
    ),
    question=_QUESTION,
    answer="The ferry to Hvar still has seats on the",
)
FINISHES.add(
    "tight_limit_asks_for_a_label_healthy",
    model(
        says("upper deck", "length"),
        input={"messages": [{"role": "user", "content": "Which deck?"}], "max_tokens": 2},
        tokens=(410, 2),
    ),
    question="Which deck?",
    answer="upper deck",
)
_finish("stopped_at_limit", {"content": _CUT, "stop_type": "limit", "truncated": True})
_finish("only_in_metadata", {"content": _CUT}, metadata={"finish_reason": "length"})
_finish(
    "only_in_response_metadata",
    {"content": _CUT, "response_metadata": {"done_reason": "length", "model": "qwen3"}},
)
_finish(
    "gemini_prompt_blocked",
    {"candidates": [], "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}},
    answer="",
)
_finish(
    "gemini_malformed_call",
    {
        "candidates": [
            {
                "content": {"role": "model"},
                "finishReason": "MALFORMED_FUNCTION_CALL",
                "finishMessage": "Malformed function call: departure_board(station=Oslo",
            }
        ]
    },
    answer="",
)
_finish("gemini_recitation", {"candidates": [{"finishReason": "RECITATION"}]}, answer="")
_finish("vercel_error", {"text": "", "finishReason": "error"}, answer="")
_finish("insufficient_system_resource", says(_CUT, "insufficient_system_resource"))
_finish("stop_sequence_healthy", {"content": _ANSWER, "stop_reason": "stop_sequence"}, right=False)
_finish("eos_healthy", {"generated_text": _ANSWER, "finish_reason": "eos_token"}, right=False)
_finish("finish_reason_null_healthy", says(_ANSWER, ""), right=False)
_finish("finish_unspecified_healthy", says(_ANSWER, "FINISH_REASON_UNSPECIFIED"), right=False)
_finish("function_call_legacy_healthy", calls(*_CALL), right=False, answer=_ANSWER)
FINISHES.add(
    "length_is_a_word_of_the_data_healthy",
    tool("measure_pier", {"pier": 3}, {"length": 240, "unit": "m", "reason": "length"}),
    model(says("Pier 3 is 240 m long.")),
    answer="Pier 3 is 240 m long.",
)


# Bodies that were not recorded say nothing.
def _absent(name: str, body: Json, *, metadata: Json | None = None) -> None:
    """Three model calls and three tool calls whose bodies are all recorded in the same way."""
    quiet = {"metadata": metadata} if metadata else {}
    spans = [
        step
        for _ in range(3)
        for step in (
            span(
                "chat",
                type="llm",
                model="gpt-4.1-mini",
                usage={"prompt_tokens": 410, "completion_tokens": 31, "total_tokens": 441},
                **body,
                **quiet,
            ),
            span("departure_board", type="tool", **body, **quiet),
        )
    ]
    ABSENT.add_flat(f"{name}_healthy", span("assistant", *spans, **body), **body)


_absent("nothing_recorded", {})
_absent("nulls", {"input": None, "output": None})
_absent("empty_objects", {"input": {}, "output": {}})
_absent("nulls_by_name", {"input": {"kwargs": None}, "output": {"output": None}})
_absent("redacted", {"input": "[REDACTED]", "output": "[REDACTED]"})
_absent("redacted_by_key", {"input": {"messages": "***"}, "output": {"content": "***"}})
_absent("masked_texts", {"input": {"text": "<masked>"}, "output": {"text": "<masked>"}})
_absent("redaction_note", {"input": "Content redacted by policy", "output": "Content redacted"})
_absent(
    "attributes_only",
    {"input": {"gen_ai.request.max_tokens": 512}},
    metadata={"gen_ai.operation.name": "chat"},
)
_absent("empty_texts", {"input": {"inputs": ""}, "output": {"outputs": ""}})

ABSENT.add(
    "bookkeeping_without_output_healthy",
    span("load_session", input={"session": "f-88"}, output=None),
    span("set_language", input={"language": "nb"}, output={}),
    model(says("There are 14 seats left.")),
    span("save_session", input={"session": "f-88"}, output=None),
)
ABSENT.add(
    "langgraph_command_update_healthy",
    span("route", input={"messages": ["hi"]}, output={"update": None, "goto": "desk"}),
    span("desk", model(says("There are 14 seats left.")), output={"messages": ["14 seats"]}),
    span("remember", output=None, metadata={"langgraph_node": "remember"}),
)
ABSENT.add(
    "agents_sdk_hand_off_healthy",
    span("Desk agent", span("Handoff", metadata={"type": "handoff", "to_agent": "Seat agent"})),
    span("Seat agent", model(says("There are 14 seats left."))),
)
ABSENT.add(
    "tool_that_returns_nothing_healthy",
    tool("set_reminder", {"at": "18:00"}, None),
    tool("log_event", {"event": "asked"}, {}),
    model(says("I set a reminder for 18:00.")),
    answer="I set a reminder for 18:00.",
)
ABSENT.add(
    "one_of_its_peers_has_no_text",
    *[
        model(says(f"Section {part} is about the harbour."), name="write_section", asked=str(part))
        for part in range(4)
    ],
    model(says(""), name="write_section", asked="4", tokens=(640, 0), right=True),
    answer="Section 0 ... Section 3 ...",
)
