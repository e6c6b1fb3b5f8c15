"""The names that SDKs, providers and conventions use for the same thing.

Keys are compared by their last dotted part, without case, `_` and `-`: `finish_reason`,
`finishReason` and `gen_ai.response.finish_reason` are one. Sources: the API references of OpenAI
(Chat Completions, Responses), Anthropic (Messages), Gemini (GenerateContentResponse) and Bedrock
(Converse); OpenTelemetry's GenAI semantic conventions; OpenInference's semantic conventions; the
Vercel AI SDK's telemetry page; the integrations of the Opik SDK (opik/integrations).
"""

from functools import lru_cache

_LONGEST_KEY = 120  # characters: the names below are shorter, and keys of a map may be texts


@lru_cache(maxsize=8_192)
def _plain(key: str) -> str:
    return key.rpartition(".")[2].replace("_", "").replace("-", "").lower()


def plain_key(key: object) -> str:
    """A key as the tables here spell it."""
    return _plain(str(key)[:_LONGEST_KEY])


def key_set(names: str) -> frozenset[str]:
    """The keys of a text with blanks between them, as `plain_key` spells them."""
    return frozenset(plain_key(name) for name in names.split())


def word_set(words: str) -> frozenset[str]:
    """The words of a text with blanks between them, as they are."""
    return frozenset(words.split())


ENVELOPE = key_set(
    "choices message messages output outputs candidates content contents parts generations kwargs"
    " data response result delta chunks additional_kwargs body completion lc_kwargs return_value"
    " output_messages value results raw outer assistant model_output reply"
)
"""Keys whose values hold a reply somewhere below."""

TEXT = key_set(
    "content text output_text output answer response completion message result reply transcript"
    " parsed generated_text completions return_value final_answer report summary"
)
"""Keys whose text is the text of a reply."""

REASONING = key_set(
    "reasoning reasoning_content reasoning_details thinking thought thoughts thinking_blocks"
    " reasoning_text redacted_thinking chain_of_thought"
)
CALLS = key_set("tool_calls function_call tool_use tool_call function_calls tool_uses")
INVALID_CALLS = key_set("invalid_tool_calls")
CALL_TYPES = key_set(
    "tool_use tool_call function_call function server_tool_use mcp_call custom_tool_call"
    " web_search_call file_search_call code_interpreter_call computer_call image_generation_call"
    " local_shell_call mcp_tool_use tool-call"
)
"""Values of `type` for which an object is a call."""

CALL_NAME = key_set("name tool_name function_name")
CALL_ARGUMENTS = key_set("arguments args input parameters")
CALL_ID = key_set("id call_id tool_call_id tool_use_id")

FINISH = key_set(
    "finish_reason finish_reasons stop_reason stop_reasons done_reason native_finish_reason"
    " block_reason"
)
MEDIA = key_set(
    "inline_data image_url image audio b64_json file_data images video file_uri file media"
    " input_image source"
)
MEDIA_TYPES = key_set("image image_url audio video file document input_image output_image media")

TOOLS = key_set("tools functions available_tools tool_definitions toolspecs")
MESSAGES = key_set("messages contents input_messages chat_history prompts prompt input")
SYSTEM = key_set("system instructions system_instruction system_prompt system_instructions")
RESPONSE_FORMAT = key_set(
    "response_format response_mime_type output_format format json_schema response_schema"
    " structured_output"
)
JSON_FORMATS = key_set("json_object json_schema json application/json")

ENVELOPE_FACTS = key_set(
    "id object created created_at model model_name index logprobs role type system_fingerprint"
    " service_tier usage usage_metadata token_usage llm_output run lc generation_info"
    " response_metadata safety_ratings citation_metadata annotations stop_sequence name status"
    " previous_response_id store temperature top_p truncation user metadata avg_logprobs"
    " model_version response_id prompt_feedback parallel_tool_calls tool_choice incomplete_details"
    " error max_output_tokens reasoning_effort background metrics stop_details container"
    " provider example timestamp latency latency_ms request_id finish_details conversation"
    " tool_plan citations obfuscation lc_serializable text_format verbosity prompt_cache_key"
)
"""Keys that say something about a reply but hold none of it."""

PROMPT_TOKENS = key_set(
    "prompt_tokens input_tokens prompt_token_count prompt_eval_count input_token_count"
    " inputtokens prompttokens llm.token_count.prompt"
)
COMPLETION_TOKENS = key_set(
    "completion_tokens output_tokens candidates_token_count eval_count completion_token_count"
    " output_token_count generated_tokens"
)
TOTAL_TOKENS = key_set("total_tokens total_token_count")
CACHED_TOKENS = key_set(
    "cached_tokens cache_read_input_tokens cached_content_token_count cache_read_input_token_count"
    " cached_input_tokens cache_read prompt_cache_hit_tokens prompt_tokens_cached"
)
REASONING_TOKENS = key_set("reasoning_tokens thoughts_token_count reasoning_token_count")
