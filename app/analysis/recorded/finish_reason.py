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


def _spell_reason(reason: FinishReason, words: str) -> dict[str, FinishReason]:
    return {plain_key(word): reason for word in words.split()}


# OpenAI: finish_reason, incomplete_details.reason. Anthropic: stop_reason. Gemini: FinishReason,
# BlockReason. Bedrock: stopReason, completionReason (Titan). Mistral: model_length. Cohere:
# finish_reason. Ollama: done_reason. Vercel: finishReason. llama.cpp: stop_type. DeepSeek:
# finish_reason. LM Studio: stopReason. GLM: sensitive, network_error. vLLM, SGLang: abort. watsonx:
# time_limit. ERNIE: normal.
_WORDS = {
    **_spell_reason(
        FinishReason.STOP,
        "stop end_turn stop_sequence complete completed eos eos_token finished finish done end"
        " success succeeded normal eos_found stop_string_found endoftext end_of_text word"
        " stop_criteria_met",
    ),
    **_spell_reason(
        FinishReason.LENGTH,
        "length max_tokens max_output_tokens model_length max_length token_limit"
        " model_context_window_exceeded context_length_exceeded context_window_exceeded"
        " max_completion_tokens max_new_tokens max_tokens_reached limit max_output"
        " max_predicted_tokens_reached context_length_reached incomplete",
    ),
    **_spell_reason(
        FinishReason.FILTERED,
        "content_filter content_filtered safety recitation blocklist prohibited_content spii"
        " refusal guardrail_intervened image_safety error_toxic language jailbreak model_armor"
        " image_prohibited_content image_recitation blocked content_policy_violation sensitive"
        " content_filter_stop moderation moderated",
    ),
    **_spell_reason(
        FinishReason.TOOL_CALLS, "tool_calls tool_use function_call tool_call tool_calls_required"
    ),
    **_spell_reason(
        FinishReason.MALFORMED_CALL,
        "malformed_function_call malformed_tool_use unexpected_tool_call too_many_tool_calls"
        " malformed_model_output invalid_tool_call tool_use_failed malformed_response"
        " missing_thought_signature",
    ),
    **_spell_reason(
        FinishReason.ERROR,
        "error failed failure server_error cancelled error_limit user_cancel no_image"
        " insufficient_system_resource timeout time_limit abort aborted network_error"
        " model_unloaded expired max_turns error_max_turns",
    ),
    **_spell_reason(FinishReason.PAUSED, "pause_turn compaction"),
}
# Gemini's enumeration as older clients serialise it (google.ai.generativelanguage FinishReason).
_NUMBERS = {
    1: "stop",
    2: "max_tokens",
    3: "safety",
    4: "recitation",
    6: "language",
    7: "blocklist",
    8: "prohibited_content",
    9: "spii",
    10: "malformed_function_call",
}

_LONGEST_WORD = 100  # characters


def read_finish_reason(word: str) -> FinishReason:
    """The reason that a provider's word stands for: `FinishReason.MAX_TOKENS` is LENGTH."""
    return _WORDS.get(plain_key(word.strip()[:_LONGEST_WORD]), FinishReason.UNKNOWN)


def read_finish_number(number: int) -> str:
    """The word for a number of Gemini's enumeration; empty for others."""
    return _NUMBERS.get(number, "")
