"""The reply of a model call, whatever provider or framework recorded it."""

import re
from typing import Any, NamedTuple

from app.analysis.recorded.finish_reason import FinishReason
from app.analysis.recorded.recorded_call import RecordedCall
from app.analysis.recorded.reply_reader import ReplyReader

_THINKING = re.compile(
    r"\s*<(think(?:ing)?|thought|reasoning|seed:think)>(.*?)(?:</\1>\s*|\Z)", re.DOTALL
)
"""How open models write their reasoning before the answer (DeepSeek, Qwen, GLM, MiniMax, Seed)."""


def split_thinking(text: str) -> tuple[str, str]:
    """What a model wrote to the user, and its reasoning before it between tags."""
    found = _THINKING.match(text) if text[:20].lstrip()[:1] == "<" else None
    return (text[found.end() :], found[2]) if found else (text, "")


class RecordedReply(NamedTuple):
    """What a model answered.

    `text` is what it wrote to the user, JSON included, without reasoning and calls. `finish` is
    None where no reason was recorded; `finish_word` is the provider's own word. `media` counts
    images, audio and files; `has_other` says that there is content of no known kind. `failure` is
    the provider's error inside a reply (Responses API, streams).
    """

    text: str = ""
    calls: tuple[RecordedCall, ...] = ()
    finish: FinishReason | None = None
    finish_word: str = ""
    refusal: str = ""
    reasoning: str = ""
    media: int = 0
    has_other: bool = False
    failure: str = ""

    @property
    def is_blank(self) -> bool:
        """Whether nothing but an envelope, and perhaps reasoning, was recorded."""
        return not (
            self.calls
            or self.media
            or self.has_other
            or self.refusal
            or self.failure
            or (self.text and not self.text.isspace())
        )


def read_reply(output: Any, *other_records: Any) -> RecordedReply:
    """The reply in an output. Where it has no finish reason, that of the other records (metadata)
    counts. Reads at most 2,000 values."""
    found = ReplyReader()
    found.read_output(output)
    for record in other_records:
        if not found.reasons:
            found.read_facts(record)
    finish, word = found.choose_reason()
    text, thought = split_thinking(found.join_text())
    return RecordedReply(
        text=text,
        calls=found.calls.finish(),
        finish=finish,
        finish_word=word,
        refusal=found.refusal or (text or word if word == "refusal" else ""),
        reasoning=found.join_reasoning() or thought,
        media=found.media,
        has_other=found.has_other,
        failure=found.failure,
    )
