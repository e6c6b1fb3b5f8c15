"""Why a model stopped, under one set of names."""

from enum import StrEnum

from app.analysis.recorded.spellings import plain_key


class FinishReason(StrEnum):
    STOP = "stop"
    LENGTH = "length"
    FILTERED = "filtered"
    TOOL_CALLS = "tool calls"
    MALFORMED_CALL = "malformed call"
    ERROR = "error"
    PAUSED = "paused"
    UNKNOWN = "unknown"


def _spelled(reason: FinishReason, words: str) -> dict[str, FinishReason]:
    return {plain_key(word): reason for word in words.split()}


# OpenAI: finish_reason, incomplete_details.reason. Anthropic: stop_reason. Gemini: FinishReason,
# BlockReason. Bedrock: stopReason. Mistral: model_length. Cohere: finish_reason. Ollama:
# done_reason. Vercel: finishReason.
_WORDS = {
    **_spelled(
        FinishReason.STOP,
        "stop end_turn stop_sequence complete completed eos eos_token"
        " finished done end success succeeded",
    ),
    **_spelled(
        FinishReason.LENGTH,
        "length max_tokens max_output_tokens model_length max_length"
        " model_context_window_exceeded context_length_exceeded token_limit"
        " max_completion_tokens max_new_tokens context_window_exceeded",
    ),
    **_spelled(
        FinishReason.FILTERED,
        "content_filter content_filtered content-filter safety"
        " recitation blocklist prohibited_content spii refusal guardrail_intervened"
        " image_safety error_toxic language jailbreak model_armor"
        " image_prohibited_content image_recitation",
    ),
    **_spelled(FinishReason.TOOL_CALLS, "tool_calls tool_use function_call tool-calls tool_call"),
    **_spelled(
        FinishReason.MALFORMED_CALL,
        "malformed_function_call malformed_tool_use"
        " unexpected_tool_call too_many_tool_calls malformed_model_output"
        " invalid_tool_call tool_use_failed",
    ),
    **_spelled(
        FinishReason.ERROR,
        "error failed failure server_error cancelled error_limit user_cancel no_image",
    ),
    **_spelled(FinishReason.PAUSED, "pause_turn compaction"),
}


def read_finish_reason(word: str) -> FinishReason:
    """The reason that a provider's word stands for: `FinishReason.MAX_TOKENS` is LENGTH."""
    return _WORDS.get(plain_key(word.strip()[:100]), FinishReason.UNKNOWN)
