"""Every shape and wording of an error -> the reason and the message that the user reads."""

import json
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.chat.error_messages import ERROR_MESSAGES
from app.chat.model import OPTIONAL_PARAMETERS
from app.chat.provider_errors import (
    find_provider_error,
    find_refused_parameter,
    parse_error_response,
    to_model_failed,
)
from app.errors import ModelFailed
from app.settings import Settings
from testkit.case_tables import each_case

UNEXPLAINED = "Unexpected error calling LLM provider"
TOO_LONG = "maximum context length is 8192 tokens"
NESTED = {"error": {"message": TOO_LONG, "type": "invalid_request_error"}}


def explained(status: int, body: object) -> ModelFailed:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return to_model_failed(parse_error_response(status, data), model="gpt-4.1")


def explained_in_stream(frame: dict[str, Any], provider: str = "") -> ModelFailed:
    error = find_provider_error(frame)
    assert error is not None
    return to_model_failed(error, model="gpt-4.1", provider=provider)


@each_case(
    "status, body, reason",
    [
        (400, {"code": 400, "message": "model not supported gpt-9"}, "model_unknown"),
        (400, {"code": 400, "message": "messages cannot be empty"}, "provider_error"),
        (400, {"code": 400, "message": "maxCompletionTokens cannot be null"}, "provider_error"),
        (400, {"code": 400, "message": "Unable to process JSON", "details": "x"}, "provider_error"),
        (422, {"errors": ["model must not be blank"]}, "provider_error"),
        (401, {"code": 401, "message": "User not allowed to access workspace"}, "not_signed_in"),
        (401, {"code": 401, "message": "Incorrect API key provided: sk-abc"}, "bad_key"),
        (401, b"", "not_signed_in"),
        (403, {"code": 403, "message": "No permission"}, "not_allowed"),
        (403, b"<html>forbidden</html>", "not_allowed"),
        (404, {"code": 404, "message": "HTTP 404 Not Found"}, "unreachable"),
        (404, {"code": 404, "message": "The model `x` does not exist"}, "model_unknown"),
        (405, b"", "unreachable"),
        (302, b"", "unreachable"),
        (408, b"", "timeout"),
        (413, b"<html>Request Entity Too Large</html>", "context_too_long"),
        (429, {"errors": ["Too many requests"]}, "rate_limited"),
        (429, b"", "rate_limited"),
        (500, {"code": 500, "message": UNEXPLAINED}, "provider_error"),
        (500, b"", "provider_error"),
        (500, {"code": 500, "message": '{"error":{"code":429,"message":"x"}}'}, "rate_limited"),
        (502, b"<html>Bad Gateway</html>", "unreachable"),
        (502, {"message": "upstream broke"}, "provider_error"),
        (503, b"", "unreachable"),
        (504, b"<html>Gateway Time-out</html>", "timeout"),
        (529, {"code": 529, "message": "Overloaded"}, "provider_error"),
    ],
)
def test_an_http_status_has_its_reason(status: int, body: object, reason: str) -> None:
    assert explained(status, body).reason == reason


@each_case(
    "frame",
    [
        {"code": 400, "message": TOO_LONG},
        {"code": 500, "message": UNEXPLAINED, "details": "context_length_exceeded"},
        {"error": {"message": TOO_LONG, "type": "server_error", "code": "400"}},
        {"error": {"message": "No.", "type": "context_length_exceeded"}},
        {"error": TOO_LONG},
        {"errors": [TOO_LONG, "and more"]},
        {"errors": [{"message": TOO_LONG}]},
        {"detail": TOO_LONG},
        {"detail": {"error": TOO_LONG}},
        {"detail": [{"msg": TOO_LONG}]},
        {"message": TOO_LONG},
        {"code": 400, "message": json.dumps(NESTED)},
        {"code": 500, "message": f"BadRequest: {json.dumps(NESTED)}"},
        {"error": {"message": json.dumps({"error": json.dumps(NESTED)}), "code": "500"}},
        {
            "error": {
                "message": "Provider returned error",
                "code": 400,
                "metadata": {"raw": json.dumps(NESTED), "provider_name": "x"},
            },
            "choices": [],
        },
    ],
)
def test_every_shape_of_error_frame_gives_its_innermost_text(frame: dict[str, Any]) -> None:
    assert explained_in_stream(frame).reason == "context_too_long"


@each_case(
    "words",
    [
        "This model's maximum context length is 128000 tokens. However, your messages resulted in"
        " 130000 tokens. Please reduce the length of the messages.",
        "Your input exceeds the context window of this model.",
        "prompt is too long: 210000 tokens > 200000 maximum",
        "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000",
        "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
        "This endpoint's maximum context length is 131072 tokens. However, you requested 140000.",
        "The decoder prompt (length 5000) is longer than the maximum model length of 4096.",
        "the request exceeds the available context size (4096 tokens), try increasing it",
        "input length exceeds the context length",
        "prompt too long; exceeded max context length by 300 tokens",
        "This model's maximum prompt length is 131072 but the request contains 140000 tokens.",
        "Input is too long for requested model.",
    ],
)
def test_every_wording_of_a_too_long_context_is_known(words: str) -> None:
    assert explained_in_stream({"code": 400, "message": words}).reason == "context_too_long"


@each_case(
    "frame, reason",
    [
        ({"error": {"message": "Bad.", "code": "401"}}, "bad_key"),
        ({"error": {"message": "Bad.", "code": "403"}}, "bad_key"),
        ({"code": 500, "message": "No.", "details": "invalid_api_key"}, "bad_key"),
        ({"code": 401, "message": "invalid x-api-key"}, "bad_key"),
        ({"code": 400, "message": "API key not valid. Please pass a valid API key."}, "bad_key"),
        ({"error": {"message": "Slow down.", "code": "429"}}, "rate_limited"),
        ({"code": 500, "message": "You exceeded your current quota"}, "rate_limited"),
        ({"code": 500, "message": "Rate limit reached for gpt-4.1"}, "rate_limited"),
        ({"code": 400, "message": "Your credit balance is too low"}, "rate_limited"),
        ({"code": 402, "message": "Pay."}, "rate_limited"),
        ({"code": 404, "message": "None."}, "model_unknown"),
        ({"code": 400, "message": "x/y is not a valid model ID"}, "model_unknown"),
        ({"code": 404, "message": 'model "x" not found, try pulling it first'}, "model_unknown"),
        ({"code": 400, "message": "registry/x does not support tools"}, "model_unknown"),
        ({"code": 504, "message": "No."}, "timeout"),
        ({"code": 500, "message": "java.net.SocketTimeoutException: timeout"}, "timeout"),
        ({"code": 400, "message": "No.", "details": "content_filter"}, "content_filter"),
        ({"code": 529, "message": "overloaded_error"}, "provider_error"),
        ({"code": 400, "message": "unexpected role 'TOOL'"}, "provider_error"),
        ({"code": 500, "message": UNEXPLAINED}, "provider_error"),
        ({"error": True}, "provider_error"),
        ({"code": 429, "message": '{"error":{"code":500,"message":"x"}}'}, "rate_limited"),
        (
            {"code": 500, "message": json.dumps({"error": {"code": 429, "message": "x"}})},
            "rate_limited",
        ),
    ],
)
def test_an_error_frame_has_its_reason(frame: dict[str, Any], reason: str) -> None:
    assert explained_in_stream(frame).reason == reason


@each_case(
    "frame",
    [
        {"choices": []},
        {"choices": [], "usage": {"prompt_tokens": 1}, "error": None},
        {"choices": [], "message": "a note", "code": 7},
        {},
        {"ping": True},
    ],
)
def test_other_frames_are_no_errors(frame: dict[str, Any]) -> None:
    assert find_provider_error(frame) is None


@each_case(
    "message, name",
    [
        ("API key not configured for LLM. provider='openai', model='gpt-4.1'", "OpenAI"),
        ("API key not configured for LLM provider 'anthropic'", "Anthropic"),
        ("API key not configured for LLM. provider='openrouter', model='x'", "OpenRouter"),
        ("API key not configured for LLM. provider='vertex-ai', model='x'", "Vertex AI"),
        ("API key not configured for LLM. provider='brand-new', model='x'", "brand-new"),
        ("API key not configured for LLM", "the model's provider"),
    ],
)
def test_a_missing_key_message_names_the_provider_and_what_to_do(message: str, name: str) -> None:
    error = explained(400, {"code": 400, "message": message})
    assert error.reason == "no_key"
    assert error.message == (
        f"This workspace has no API key for {name}: add one under Configuration, AI Providers."
    )
    assert error.detail == message


def test_the_provider_of_the_answer_is_named() -> None:
    error = explained_in_stream({"error": {"message": "Bad.", "code": "401"}}, provider="gemini")
    assert error.message.startswith("Gemini refused this workspace's API key")


def test_the_providers_text_is_masked_and_short() -> None:
    text = "Incorrect API key provided: sk-proj-abcdef123456. See https://example.com/keys. " * 20
    error = explained_in_stream({"error": {"message": text, "code": "401"}})
    assert error.detail.startswith("Incorrect API key provided: [masked]")
    assert "https" not in error.detail
    assert "abcdef" not in error.detail
    assert len(error.detail) <= 300


def test_a_web_page_is_never_shown() -> None:
    assert explained(502, b"<!DOCTYPE html><html><title>secret host</title></html>").detail == ""


def test_a_timeout_names_the_limits_of_the_backend_to_operators() -> None:
    setting = explained(504, b"").setting
    assert "LLM_PROVIDER_CLIENT_*_TIMEOUT" in setting
    assert "SERVER_IDLE_TIMEOUT" in setting


@each_case(
    "text, name",
    [
        ("Unsupported value: 'temperature' does not support 0.2 with this model.", "temperature"),
        ("Unsupported parameter: 'reasoning_effort' is not supported.", "reasoning_effort"),
        ("Unrecognized request argument supplied: reasoning_effort", "reasoning_effort"),
        ("stream_options: Extra inputs are not permitted", "stream_options"),
        ("temperature must be between 0 and 2", None),
        ("maxCompletionTokens cannot be null", None),
        ("Unsupported parameter: 'top_k'", None),
    ],
)
def test_a_refused_parameter_is_known_by_its_name(text: str, name: str | None) -> None:
    assert find_refused(text) == name


@each_case(
    "words",
    [
        # OpenAI and Azure
        "max_tokens is too large: 8192. This model supports at most 4096 completion tokens, whereas"
        " you provided 8192.",
        "Invalid 'max_output_tokens': integer above maximum value. Expected a value <= 4096, but"
        " got 8192 instead.",
        # Anthropic
        "max_tokens: 8192 > 4096, which is the maximum allowed number of output tokens for"
        " claude-3-haiku-20240307",
        # Gemini and Vertex AI
        "Unable to submit request because it has a maxOutputTokens value of 8192 but the supported"
        " range is from 1 (inclusive) to 4097 (exclusive). Update the value and try again.",
        # Bedrock
        "The maximum tokens you requested exceeds the model limit of 4096. Try again with a"
        " maximum tokens value that is lower than 4096.",
        # vLLM
        "'max_tokens' or 'max_completion_tokens' is too large: 8192. This model's maximum context"
        " length is 8192 tokens and your request has 3000 input tokens (8192 > 8192 - 3000).",
        # Groq
        "`max_tokens` must be less than or equal to `4096`, the maximum value for `max_tokens` is"
        " less than the `context_window` for this model",
        # DeepSeek, Qwen, Volcengine, Ollama's cloud
        "Invalid max_tokens value, the valid range of max_tokens is [1, 4096]",
        "<400> InternalError.Algo.InvalidParameter: Range of max_tokens should be [1, 4096]",
        "The parameter `max_completion_tokens` specified in the request are not valid: integer"
        " above maximum value, expected a value <= 4096, but got 8192 instead.",
        "max_tokens (8192) exceeds model's maximum output tokens (4096) for model kimi",
    ],
)
def test_every_wording_of_a_too_large_output_limit_is_known(words: str) -> None:
    assert find_refused(words) == "max_completion_tokens"


@each_case(
    "words",
    [
        "This request requires more credits, or fewer max_tokens. You requested up to 8192 tokens,"
        " but can only afford 2000.",
        "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000, decrease"
        " input length or `max_tokens` and try again",
        "Prompt contains 45000 tokens and 0 draft tokens, too large for model with 32768 maximum"
        " context length",
        "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
        "Could not finish the message because max_tokens or model output limit was reached."
        " Please try again with higher max_tokens.",
        "Range of input length should be [1, 30720]",
    ],
)
def test_other_limits_of_tokens_are_not_taken_for_the_output_limit(words: str) -> None:
    assert find_refused(words) is None


def find_refused(text: str) -> str | None:
    error = parse_error_response(400, json.dumps({"code": 400, "message": text}).encode())
    return find_refused_parameter(error, OPTIONAL_PARAMETERS)


@each_case("case", ERROR_MESSAGES)
def test_every_message_has_a_documented_reason_and_names_no_setting(case: str) -> None:
    message = ERROR_MESSAGES[case]
    assert message.reason in (ModelFailed.__doc__ or "")
    assert message.text.endswith(".")
    assert not re.search(r"[A-Z]_[A-Z]", message.text)
    ours = re.findall(r"AGENT_\w+", message.setting)
    assert {each.lower() for each in ours} <= set(Settings.model_fields)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(
    st.dictionaries(
        st.sampled_from(["error", "errors", "message", "code", "detail", "details", "metadata"]),
        _json,
    )
)
def test_errors_of_any_shape_have_a_message(frame: dict[str, Any]) -> None:
    error = find_provider_error(frame)
    if error is not None:
        assert to_model_failed(error, model="x").message


@given(st.integers(300, 599), st.binary())
def test_error_bodies_of_any_kind_have_a_message(status: int, body: bytes) -> None:
    assert to_model_failed(parse_error_response(status, body), model="x").message
