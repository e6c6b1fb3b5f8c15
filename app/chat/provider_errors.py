"""Every form of error that the proxy sends -> one ModelFailed whose message says what to do.

An error comes as an HTTP status with a JSON, text or HTML body, or as a frame inside a stream
whose status is already 200: `{"code", "message", "details"}` of older backends, `{"error": {...}}`
of newer ones, `errors` of the backend's validation, `detail` of Python proxies. Providers' own
errors are often packed into `message` as JSON. Statuses alone mislead (old backends turn nearly
everything into 500), so the text is matched first.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.chat.error_messages import ERROR_MESSAGES, format_provider
from app.chat.frames import parse_json_object
from app.errors import ModelFailed
from app.masking import excerpt

_READ_CHARACTERS = 4_000
"""Of an error: bounds what the rules search, and less than a tenth of it is shown."""
_NESTING = 4
"""The proxy packs a router's error into its own, which packs the provider's, perhaps as a text."""


@dataclass(frozen=True, slots=True)
class ProviderError:
    """An error as the proxy sent it. `text` may hold secrets and must be masked before it is shown.

    `status` is the HTTP status, or the code in a frame (0 where it has none); `kind` holds the
    provider's codes and types, such as `context_length_exceeded`.
    """

    status: int
    text: str
    kind: str = ""
    in_stream: bool = False

    def masked(self, mask: Callable[[str], str]) -> "ProviderError":
        """The same with `mask` applied to its texts."""
        return replace(self, text=mask(self.text), kind=mask(self.kind))


def _make_rule(case: str, *patterns: str) -> tuple[str, re.Pattern[str]]:
    return case, re.compile("|".join(patterns), re.IGNORECASE)


# Error texts of OpenAI, Anthropic, Gemini, OpenRouter, Bedrock, Mistral, vLLM, llama.cpp and
# Ollama; the first rule that matches decides.
_RULES = (
    _make_rule("no_key", r"API key not configured for LLM", r"no API key (?:is )?configured"),
    _make_rule(
        "no_tools",
        r"does not support (?:tools?|functions?)\b",
        r"(?:tools?|functions?)(?: calls?| calling| use)? (?:is|are) not supported",
        r"no endpoints found that support tool",
        r"tool choice requires --enable-auto-tool-choice",
        r"tools param requires --jinja",
    ),
    _make_rule(
        "context_too_long",
        r"context_length_exceeded|exceed_context_size|context_window_exceeded",
        r"max(?:imum)? (?:context|prompt|model) length",
        r"exceed\w* .{0,40}context (?:window|length|size|limit)",
        r"(?:prompt|input) (?:is )?too long",
        r"input length .{0,60}exceed",
        r"input token count .{0,40}exceed",
        r"longer than the maximum model length",
        r"reduce the length of (?:the|your) (?:messages|prompt|input)",
    ),
    _make_rule(
        "content_filter",
        r"content[_ -]?filter|content[_ ]policy|content management policy|content_blocked",
        r"prohibited_content|blocked .{0,40}safety|safety system|flagged .{0,40}moderation",
    ),
    _make_rule(
        "quota",
        r"insufficient_quota|exceeded your current quota|credit balance|insufficient credits",
        r"requires more credits|payment required|billing (?:hard )?limit",
    ),
    _make_rule("rate_limited", r"rate[_ -]?limit|too many requests|resource_exhausted|quota"),
    _make_rule(
        "bad_key",
        r"(?:invalid|incorrect|missing|expired)[_ ](?:x-)?api[_ -]?key|invalid x-api-key",
        r"api[_ ]key[_ ](?:is )?(?:not valid|invalid|expired|not found)|authentication_error",
        r"no auth credentials|unauthenticated|permission_denied",
    ),
    _make_rule(
        "model_unknown",
        r"model not supported|model_not_found|unknown model|invalid model|not_found_error",
        r"models?\b.{0,120}(?:does not exist|not found|is not supported|not available)",
        r"not a valid model|no endpoints found|no allowed providers",
    ),
    _make_rule("overloaded", r"overloaded|server is busy|at capacity|no slot available"),
    _make_rule("timeout", r"timed? ?out|timeout|deadline[_ ]exceeded"),
    _make_rule("unexplained", r"Unexpected error calling LLM provider"),
)

_STATUSES: Mapping[int, str] = {
    402: "quota",
    404: "model_unknown",
    408: "timeout",
    413: "context_too_long",
    429: "rate_limited",
    504: "timeout",
    529: "overloaded",
}
_HTTP_STATUSES: Mapping[int, str] = {
    401: "not_signed_in",
    403: "not_allowed",
    404: "no_proxy",
    405: "no_proxy",
}
# How providers reject a message with the role `tool`, or one that only holds calls.
_TOOL_MESSAGES = re.compile(
    r"unexpected role|(?:invalid|unknown|unsupported) role|roles must alternate"
    r"|role.{0,40}\btool\b|content cannot be null or empty|content blocks must be non-empty"
    r"|toolConfig"
    r"|(?:unsupported|unknown|unrecognized|unexpected) .{0,40}\btool(?:s|_choice|_calls)\b",
    re.IGNORECASE,
)
_REFUSED_PARAMETER = re.compile(
    r"unsupported|not support|unrecognized|unknown|unexpected|not permitted|not allowed"
    r"|only the default|invalid (?:parameter|argument)",
    re.IGNORECASE,
)
# The output limit has as many names as there are providers behind the proxy.
_OUTPUT_LIMIT_TOO_LARGE = re.compile(
    r"(?:max_(?:completion_|output_)?tokens|maxOutputTokens|maximum tokens)\b.{0,80}"
    r"(?:too large|above maximum|which is the maximum|supported range|less than or equal"
    r"|exceeds (?:the )?model)"
    r"|range of max_tokens\b",
    re.IGNORECASE,
)


def find_provider_error(frame: Mapping[str, Any]) -> ProviderError | None:
    """The error that a frame (or a JSON body at status 200) is, or None for any other frame."""
    is_error = bool(frame.get("error") or frame.get("errors") or frame.get("detail")) or (
        "message" in frame and "choices" not in frame
    )
    if not is_error:
        return None
    text, kind, status = _parse_error(frame)
    return ProviderError(status=status, text=text, kind=kind, in_stream=True)


def parse_error_response(status: int, body: bytes) -> ProviderError:
    """The error in an HTTP response of 300 and above."""
    content = body.decode("utf-8", "replace").strip()
    data = parse_json_object(content)
    if data is None:
        return ProviderError(
            status=status, text="" if is_html(content) else content[:_READ_CHARACTERS]
        )
    text, kind, inner = _parse_error(data)
    generic = status in {0, 500} and 400 <= inner < 600
    return ProviderError(status=inner if generic else status, text=text, kind=kind)


def to_model_failed(error: ProviderError, *, model: str, provider: str = "") -> ModelFailed:
    """The error in our words, with the provider's masked excerpt as detail.

    `model` is the name on the wire; `provider` is the proxy's name of it, "" where unknown.
    """
    case = _classify_error(error)
    named = re.search(r"provider[ =]'([\w -]{1,60})'", error.text)
    name = format_provider(named[1] if named else provider)
    return build_model_failed(case, detail=error.text or error.kind, model=model, provider=name)


def build_model_failed(case: str, *, detail: str = "", **names: object) -> ModelFailed:
    """ModelFailed for a case of `ERROR_MESSAGES`; `names` fill the gaps of its text."""
    message = ERROR_MESSAGES[case]
    values = {"model": "the model", "provider": format_provider("")} | names
    text = message.text.format_map({name: excerpt(str(value)) for name, value in values.items()})
    return ModelFailed(
        text[:1].upper() + text[1:], detail=detail, reason=message.reason, setting=message.setting
    )


def find_refused_parameter(error: ProviderError, names: Collection[str]) -> str | None:
    """Which of `names` the provider does not accept, or only a smaller value of; None for an error
    of another kind.

    The status is not checked: old backends pass on such a 400 as 500, and streams have none.
    """
    if _OUTPUT_LIMIT_TOO_LARGE.search(error.text):
        return "max_completion_tokens" if "max_completion_tokens" in names else None
    if not _REFUSED_PARAMETER.search(error.text):
        return None
    return next((name for name in names if re.search(rf"\b{name}\b", error.text)), None)


def refuses_tools(error: ProviderError) -> bool:
    """Whether the provider refused native tools or the messages that come with them."""
    case = _classify_error(error)
    if case in {"refused", "provider_failed"}:
        return _TOOL_MESSAGES.search(error.text) is not None
    return case == "no_tools"


def is_html(text: str) -> bool:
    """Whether a text is the beginning of a web page."""
    return text.lstrip().lower().startswith(("<!doctype", "<html", "<head", "<?xml"))


def _classify_error(error: ProviderError) -> str:
    text = f"{error.text} {error.kind}"[:_READ_CHARACTERS]
    for case, pattern in _RULES:
        if pattern.search(text):
            return case
    if not error.in_stream:
        if error.status in _HTTP_STATUSES:
            return _HTTP_STATUSES[error.status]
        if error.status < 400:
            return "redirected"
        if error.status in {502, 503} and not text.strip():
            return "gateway"
    if error.status in _STATUSES:
        return _STATUSES[error.status]
    if error.status in {401, 403}:
        return "bad_key"
    return "refused" if 400 <= error.status < 500 else "provider_failed"


def _parse_error(value: object, depth: int = 0) -> tuple[str, str, int]:
    """Text, kind and status of an error, at whatever depth they are."""
    if depth > _NESTING:
        return "", "", 0
    if isinstance(value, list):
        texts = (_parse_error(item, depth + 1)[0] for item in value[:5])
        return "; ".join(text for text in texts if text), "", 0
    if isinstance(value, str):
        inner = parse_json_object(value[value.index("{") :]) if "{" in value else None
        packed = _parse_error(inner, depth + 1) if inner else ("", "", 0)
        return packed if packed[0] else (value[:_READ_CHARACTERS], "", 0)
    if not isinstance(value, dict):
        return "", "", 0
    return _parse_error_object(value, depth)


def _parse_error_object(value: Mapping[str, Any], depth: int) -> tuple[str, str, int]:
    metadata = value.get("metadata")
    # OpenRouter's own `message` only states that its provider failed.
    raw = metadata.get("raw") if isinstance(metadata, dict) else None
    members = (raw, value.get("error"), value.get("message"), value.get("errors"))
    parts = (
        _parse_error(member, depth + 1)
        for member in (*members, value.get("detail"), value.get("msg"))
    )
    text, kind, status = next((part for part in parts if part[0]), ("", "", 0))
    for name in ("code", "type", "status", "details"):
        label = value.get(name)
        number = _parse_status(label)
        if number is None:
            kind = f"{kind} {label}".strip() if isinstance(label, str) else kind
        elif not status or status == 500:
            status = number
    return text, kind[:_READ_CHARACTERS], status


def _parse_status(value: object) -> int | None:
    """An HTTP status, which newer backends write as a text."""
    if isinstance(value, str) and re.fullmatch(r"\d{3}", value):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
