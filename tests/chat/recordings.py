"""The recorded answers of chat proxies in tests/recordings, and the reply that each one means."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from app.messages import FinishReason, TokenUsage

FOLDER = Path(__file__).parent.parent / "recordings"
TOKENS = TokenUsage(prompt_tokens=10, completion_tokens=4)
DETAILED = TokenUsage(prompt_tokens=10, completion_tokens=4, cached_tokens=3, reasoning_tokens=2)


@dataclass(frozen=True)
class Meaning:
    """The reply of a recording; `calls` are (name, arguments, the provider's id)."""

    text: str = ""
    calls: tuple[tuple[str, str, str], ...] = ()
    usage: TokenUsage | None = None
    finish: FinishReason = "unknown"
    complete: bool = True


REPLIES = {
    "text.sse": Meaning(
        "Hello, I'm here to help with any creative writing project.",
        usage=TokenUsage(prompt_tokens=37, completion_tokens=14),
        finish="stop",
    ),
    "call-in-pieces.sse": Meaning(
        calls=(
            (
                "get_weather",
                '{"city": "Berlin", "unit": "c"}',
                "hzH2VxU51Qke5fwZRu3SAOcrQxriw6P9",
            ),
        ),
        usage=TokenUsage(prompt_tokens=465, completion_tokens=38, cached_tokens=464),
        finish="tool_calls",
    ),
    "two-calls.sse": Meaning(
        calls=(
            (
                "get_weather",
                '{"city":"Berlin","unit":"c",'
                '"note":"naïve 😀 text to be split over several deltas"}',
                "call_dX3Hy04IKysPR7Vs",
            ),
            ("get_time", '{"tz":"Europe/Berlin"}', "call_PyYjwW43p_VpWsNm"),
        ),
        finish="tool_calls",
    ),
    "oldest-backend.sse": Meaning("Hello", usage=TOKENS, finish="stop"),
    "anthropic.sse": Meaning("Hello", usage=TOKENS),
    "index-missing.sse": Meaning(
        calls=(("get_span", '{"id":1}', "a"), ("get_span", '{"id":2}', "b")), finish="tool_calls"
    ),
    "index-always-zero.sse": Meaning(
        calls=(("get_span", '{"id":1}', "a"), ("get_time", '{"zone":"UTC"}', "b")),
        finish="tool_calls",
    ),
    "index-zero-in-one-frame.sse": Meaning(
        calls=(("get_span", '{"id":1}', ""), ("get_span", '{"id":2}', "")), finish="stop"
    ),
    "index-from-one.sse": Meaning(
        calls=(("get_span", '{"id":1}', "a"), ("get_time", '{"zone":"UTC"}', "b")),
        finish="tool_calls",
    ),
    "id-and-name-repeated.sse": Meaning(
        calls=(("get_span", '{"id":1}', "a"),), finish="tool_calls"
    ),
    "new-id-in-every-frame.sse": Meaning(
        calls=(("get_span", '{"id":1}', "a"),), finish="tool_calls"
    ),
    "one-id-for-two-calls.sse": Meaning(
        calls=(("get_span", '{"id":1}', "get_span"), ("get_span", '{"id":2}', "")),
        finish="tool_calls",
    ),
    "arguments-of-other-types.sse": Meaning(
        calls=(
            ("one", "", "a"),
            ("two", "", "b"),
            ("three", "", "c"),
            ("four", '{"id": "é"}', "d"),
        ),
        finish="tool_calls",
    ),
    "arguments-never-closed.sse": Meaning(
        calls=(("get_span", '{"id":1', "a"),), usage=TOKENS, finish="tool_calls"
    ),
    "no-finish-reason.sse": Meaning("Hello"),
    "content-of-other-types.sse": Meaning("Hello", finish="stop"),
    "reasoning.sse": Meaning("Hello", finish="stop"),
    "refusal.sse": Meaning("I cannot do that.", finish="stop"),
    "emoji-in-halves.sse": Meaning("Fine 😀!🚀", finish="stop"),
    "half-an-emoji.sse": Meaning("a\ufffdb\ufffdc\ufffd", finish="stop"),
    "camel-case.sse": Meaning(
        calls=(("get_span", "{}", "a"),), usage=DETAILED, finish="tool_calls"
    ),
    "other-lines.sse": Meaning("Hello", finish="stop"),
    "whole-in-a-stream.sse": Meaning("Hello"),
    "usage-in-every-frame.sse": Meaning("Hello", usage=TOKENS, complete=False),
    "cut.sse": Meaning("Hello", complete=False),
    "cut-inside-a-frame.sse": Meaning("Hello", complete=False),
    "noise.sse": Meaning("Hello", finish="stop"),
    "broken-frame.sse": Meaning("Hello", finish="stop", complete=False),
    "whole-answer.json.txt": Meaning(
        calls=(("get_span", '{"id":1}', "a"),), usage=DETAILED, finish="tool_calls"
    ),
    "whole-answer-in-blocks.json.txt": Meaning("Hello", usage=TOKENS, finish="stop"),
}

# What these mean depends on the model that was asked, or on a second request.
OTHERS = {
    "oldest-backend-without-any-mark.sse",
    "calls-announced-but-lost.sse",
    "error-of-oldest-backend.sse",
    "error-of-older-backend.sse",
    "error-of-newer-backend.sse",
    "error-after-text.sse",
}


def body(name: str) -> bytes:
    """The recorded bytes, without the line that describes them."""
    return (FOLDER / name).read_bytes().partition(b"\n")[2]


def media_type(name: str) -> str:
    return "text/event-stream" if name.endswith(".sse") else "application/json"


def numbered() -> Callable[[], str]:
    """Ids for calls: call-1, call-2, ..."""
    numbers = count(1)
    return lambda: f"call-{next(numbers)}"
