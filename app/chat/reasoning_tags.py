"""How models mark their reasoning in the text of a reply, and the tokens of Harmony's channels.

Sources: chat templates of DeepSeek R1, QwQ and Qwen 3 (`<think>`, which newer ones open in the
prompt, so that only the end is in the reply), Seed-OSS, Magistral, Kimi-VL, Command A Reasoning,
OpenThinker, Gemma; Harmony is the format of gpt-oss.
"""

import re
from collections.abc import Mapping

_NAMES = ("think", "thinking", "thought", "reasoning", "seed:think")
CLOSING_TAGS: Mapping[str, str] = {
    **{f"<{name}>": f"</{name}>" for name in _NAMES},
    "[think]": "[/think]",
    "◁think▷": "◁/think▷",
    "<|start_thinking|>": "<|end_thinking|>",
    "<|begin_of_thought|>": "<|end_of_thought|>",
    "<|channel>thought": "<channel|>",
}
"""By the opening tag, both in lower case."""

HARMONY_TOKENS = tuple(
    f"<|{name}|>" for name in ("start", "end", "message", "channel", "constrain", "return", "call")
)
_TAGS = (*CLOSING_TAGS, *CLOSING_TAGS.values(), *HARMONY_TOKENS)
TAG = re.compile("|".join(map(re.escape, _TAGS)), re.IGNORECASE)
LONGEST_TAG = max(map(len, _TAGS))
TAG_STARTS = re.compile(r"[<\[◁]")
BEGUN_TAGS = frozenset(tag[:length] for tag in _TAGS for length in range(1, len(tag)))
"""Every beginning of a tag that is not yet a whole one."""

BIDI_CONTROLS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""They turn the direction of what follows, so that an answer reads other than it is."""

_QUOTES = {'"': '"', "'": "'", "`": "`", "“": "”", "„": "“", "‘": "’", "«": "»", "‹": "›"}


def is_quoted(before: str, after: str) -> bool:
    """Whether a tag between these two characters is mentioned rather than used."""
    return before != "" and _QUOTES.get(before) == after


def ends_reasoning(line_end: str, before: str, after: str) -> bool:
    """Whether a closing tag that nothing opened ends reasoning, rather than being mentioned.

    `line_end` is the end of its line so far without blanks, `before` and `after` are the characters
    beside it: "" before the first of a reply, and after the last one.
    """
    if not line_end or after in {"\n", "\r"}:
        return True
    if after == "" or after in ",.;:!?)":
        return False
    return line_end[-1] in ".!?…。！？" or not before.isspace()
