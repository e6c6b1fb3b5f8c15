"""The names that SDKs, providers and conventions use for the same thing.

Keys are compared by their last dotted part, without case, `_` and `-`: `finish_reason`,
`finishReason` and `gen_ai.response.finish_reason` are one. Sources: the API references of OpenAI
(Chat Completions, Responses), Anthropic (Messages), Gemini (GenerateContentResponse) and Bedrock
(Converse); OpenTelemetry's GenAI semantic conventions; OpenInference's semantic conventions; the
Vercel AI SDK's telemetry page; the integrations of the Opik SDK (opik/integrations).
"""

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache, wraps
from itertools import islice
from typing import Any

_LONGEST_KEY = 120  # characters: the names below are shorter, and keys of a map may be texts
_FEW_KEYS = 64  # keys of a body that may be like those of others: a map of records is like none
_KEY_SETS_KEPT = 1_024
MEMBERS_READ = 60  # of an object: reports of failures and what is put around results have few
_KEYS_KEPT = 8_192  # keys whose spelling is kept: programs use the same few hundred again and again


class _PlainKeys(dict[str, str]):
    """Spellings by key, filled as keys are asked for: a known one is found without a call."""

    def __missing__(self, key: str) -> str:
        plain = key[:_LONGEST_KEY].rpartition(".")[2].replace("_", "").replace("-", "").lower()
        if len(self) >= _KEYS_KEPT:
            self.clear()
        if len(key) <= _LONGEST_KEY:
            self[key] = plain
        return plain


PLAIN_KEYS = _PlainKeys()
"""The same as `plain_key` for keys that are texts: for loops over many of them."""


def plain_key(key: object) -> str:
    """A key as the tables here spell it."""
    return PLAIN_KEYS[key if isinstance(key, str) else str(key)]


def plain_members(value: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The first members of an object, their keys as `plain_key` spells them."""
    return ((plain_key(key), inner) for key, inner in islice(value.items(), MEMBERS_READ))


def kept_by_keys(
    compute: Callable[[frozenset[str]], frozenset[str]],
) -> Callable[[frozenset[str]], frozenset[str]]:
    """A function of the keys of a body whose answers are kept: bodies of one function have the
    same keys, so that most are found without looking at each key."""
    kept = lru_cache(_KEY_SETS_KEPT)(compute)

    @wraps(compute)
    def find(keys: frozenset[str]) -> frozenset[str]:
        return kept(keys) if len(keys) <= _FEW_KEYS else compute(keys)

    return find


def key_set(names: str) -> frozenset[str]:
    """The keys of a text with blanks between them, as `plain_key` spells them."""
    return frozenset(plain_key(name) for name in names.split())


def word_set(words: str) -> frozenset[str]:
    """The words of a text with blanks between them, as they are."""
    return frozenset(words.split())


ENVELOPE = key_set(
    "choices message messages output outputs candidates content contents parts generations kwargs"
    " data response result delta chunks additional_kwargs body completion lc_kwargs return_value"
    " output_messages value results raw outer assistant model_output reply blocks content_block"
    " message_content gen_ai llm ai entity traceloop generation predictions events event item"
    " replies meta llm_response response_data spanoutputs output_json genkit:output"
    " message_start message_stop content_block_start content_block_delta"
)
"""Keys whose values hold a reply somewhere below."""

TEXT = key_set(
    "content text output_text output answer response completion message result reply transcript"
    " generated_text completions return_value final_answer report summary generation text_delta"
    " final_result response_text combined_chunk_content"
)
"""Keys whose text is the text of a reply."""

STRUCTURED = key_set("parsed object output_parsed structured_response structured_output")
"""Keys of a reply that was parsed into an object; `object` with a text only names a type."""

REASONING = key_set(
    "reasoning reasoning_content reasoning_details thinking thought thoughts thinking_blocks"
    " reasoning_text redacted_thinking chain_of_thought reasoning_summary"
)
CALLS = key_set("tool_calls function_call tool_use tool_call function_calls tool_uses tool_request")
INVALID_CALLS = key_set("invalid_tool_calls")
CALL_TYPES = key_set(
    "tool_use tool_call function_call function server_tool_use mcp_call custom_tool_call"
    " web_search_call file_search_call code_interpreter_call computer_call image_generation_call"
    " local_shell_call shell_call apply_patch_call mcp_tool_use tool-call mcp_approval_request"
    " custom"
)
"""Values of `type` for which an object is a call."""

RESULT_TYPES = key_set(
    "tool_result tool_call_response tool-result web_search_tool_result web_fetch_tool_result"
    " code_execution_tool_result bash_code_execution_tool_result mcp_tool_result function_response"
    " text_editor_code_execution_tool_result function_call_output mcp_list_tools tool_response"
    " custom_tool_call_output computer_call_output local_shell_call_output"
)
"""Values of `type` for which an object is what a tool answered: no words of the model."""
RESULT_HOLDERS = key_set("tool_result function_response tool_response tool_call_result")
"""Keys of an object that describes what a tool answered: Bedrock, Gemini, Genkit, Haystack."""
RESULT_KEYS = key_set("tool_result tool_results function_response code_execution_result")

CALL_NAME = key_set("name tool_name function_name")
CALL_ARGUMENTS = key_set("arguments args input parameters tool_kwargs")
CALL_ID = key_set("id call_id tool_call_id tool_use_id ref")

FINISH = key_set(
    "finish_reason finish_reasons stop_reason stop_reasons done_reason native_finish_reason"
    " block_reason completion_reason stop_type"
)
# Parts of patterns for names of tools that search, for `match_names`: words, and what stands inside
# of words as well, since several languages join words and some programs do (`websearch`).
SEARCH_STARTS = r"quer(?:y|ies)\b|recall|rag\b|knn"
SEARCH_ANYWHERE = (
    r"(?<!re)search|research(?!er)|retriev|look ?up|vector|\bsuch|suche|busca|pesquis|cherch|zoek"
    "|szuka|cerca|sök|检索|搜索|查询|查找|検索|검색|조회|поиск"
)

RESULT_WRAPPERS = key_set("output outputs result return_value value response data")
"""Keys under which SDKs put the result of a function that returned no object."""

MEDIA = key_set(
    "inline_data image_url image audio b64_json file_data images video file_uri file media"
    " input_image source document files"
)
MEDIA_TYPES = key_set(
    "image image_url audio video file document input_image output_image media output_audio blob uri"
)

TOOLS = key_set(
    "tools functions available_tools tool_definitions toolspecs function_tools output_tools"
)
"""The last two: Pydantic AI's `model_request_parameters`; the first of them LiveKit's too."""

MESSAGE_LISTS = key_set(
    "messages contents input_messages chat_history prompts prompt input llm_request request_data"
    " body chat_ctx items value inputs spaninputs input_json genkit:input llm.prompts"
    " gen_ai.event.content"
)
"""Keys of messages, and of objects and texts of JSON that hold them: beside providers' own names
those of Google's ADK, Logfire, Bedrock, LiveKit, OpenInference, MLflow, Braintrust and Genkit."""
HISTORIES = key_set("chat_history")
"""Keys of messages to which the newest, a text beside them, does not belong (Cohere)."""
LISTED_EVENTS = key_set("events all_messages_events")
"""Keys of messages that Pydantic AI and Logfire list as events of OpenTelemetry."""
PROMPTS = key_set(
    "prompt prompts input contents message inputtext value new_context user_prompt user_input"
    " query_str genkit:input"
)
"""Keys of a text that is the whole request: Titan's `inputText`, Claude Code's `new_context`."""
SYSTEM = key_set(
    "system instructions system_instruction system_prompt system_instructions system_prompt_preview"
)
SYSTEM_BESIDE = key_set("instructions system_prompt system_instruction")
"""Keys of instructions in the metadata, where `system` names a provider."""
HOLDS_REPLY = key_set(
    "completion output outputs response reply response_data llm_response metadata usage"
)
"""Keys of objects beside a request in which its messages do not lie."""
HOLDS_REQUEST = key_set(
    "llm_request request_data body spaninputs input_json genkit:input value input"
)
"""Keys under which a whole request may stand as a text of JSON."""

SPAN_EVENTS = "opentelemetry.events"
"""The key of the metadata under which Opik keeps the events of an OpenTelemetry span."""
REPLY_EVENT = "gen_ai.choice"
EVENT_ROLES = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}
EVENTS_OF_PROMPTS = frozenset(
    ["gen_ai.content.prompt", "gen_ai.client.inference.operation.details"]
)
EVENTS_OF_REPLIES = frozenset(
    [REPLY_EVENT, "gen_ai.content.completion", "gen_ai.client.inference.operation.details"]
)
"""Events with messages, in older and newer versions of OpenTelemetry's GenAI conventions."""

RESPONSE_FORMAT = key_set(
    "response_format response_mime_type output_format format json_schema response_schema"
    " structured_output"
)
JSON_FORMATS = key_set("json_object json_schema json application/json")

ENVELOPE_FACTS = key_set(
    "id created created_at completed_at model model_name index logprobs role type block_type"
    " system_fingerprint service_tier usage usage_metadata token_usage llm_output run lc"
    " generation_info response_metadata safety_ratings citation_metadata annotations stop_sequence"
    " name status previous_response_id store temperature top_p top_k truncation user metadata"
    " avg_logprobs model_version response_id prompt_feedback parallel_tool_calls tool_choice tools"
    " incomplete_details error max_output_tokens max_tool_calls background metrics stop_details"
    " container provider example timestamp latency latency_ms request_id finish_details"
    " conversation tool_plan citations obfuscation lc_serializable text_format format verbosity"
    " prompt_cache_key prompt_cache_retention safety_identifier instructions include top_logprobs"
    " done total_duration load_duration prompt_eval_count prompt_eval_duration eval_count"
    " eval_duration context provider_metadata provider_options warnings thought_signature signature"
    " encrypted_content phase sequence_number event step num_tokens token_count inputtexttokencount"
    " item_id output_index content_index content_block_stop"
    " grounding_metadata url_context_metadata search_results sources prompt_logprobs"
    " additional_model_request_fields trace performance_config kv_transfer_params"
    " automatic_function_calling_history"
    " sdk_http_response create_time turn_complete partial interrupted operation_id settings request"
    " prompt telemetry chat_history cost moderation content_filter_results prompt_filter_results"
    " ms_to_first_chunk ms_to_finish avg_output_tokens_per_second ms_to_first_token kind"
    " generation_id finish_message object mime_type generation_token_count prompt_token_count"
    " additional_response_fields stop_details_type details stats status_details cached label"
    " subtype num_turns session_id uuid total_cost_usd duration_ms duration_api_ms is_error"
    " stopped_limit stopped_eos stopped_word truncated tokens_evaluated tokens_predicted timings"
)
"""Keys that say something about a reply but hold none of it."""

PROMPT_TOKENS = key_set(
    "prompt_tokens input_tokens prompt_token_count prompt_eval_count input_token_count"
    " inputtokens prompttokens llm.token_count.prompt input"
)
COMPLETION_TOKENS = key_set(
    "completion_tokens output_tokens candidates_token_count eval_count completion_token_count"
    " output_token_count generated_tokens llm.token_count.completion output"
)
TOTAL_TOKENS = key_set("total_tokens total_token_count llm.token_count.total")
CACHED_TOKENS = key_set(
    "cached_tokens cache_read_input_tokens cached_content_token_count cache_read_input_token_count"
    " cached_input_tokens cache_read prompt_cache_hit_tokens prompt_tokens_cached"
    " cache_read_tokens"
)
CREATED_CACHE_TOKENS = key_set(
    "cache_creation_input_tokens cache_write_input_tokens cache_creation cache_write"
    " cache_write_tokens"
)
REASONING_TOKENS = key_set("reasoning_tokens thoughts_token_count reasoning_token_count reasoning")
