"""How models mark their reasoning in the text of a reply, and the tokens that end a reply.

Sources: chat templates of DeepSeek R1, QwQ and Qwen 3 (`<think>`, which newer ones open in the
prompt, so that only the end is in the reply), Seed-OSS, Magistral, Kimi-VL, Command A Reasoning,
OpenThinker, Gemma; Harmony is the format of gpt-oss. End tokens are the `eos_token`s and ends of
turns of the same templates, which servers let through where a model's list of them is incomplete.
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

ANSWER_TAGS: Mapping[str, str] = {
    "<answer>": "</answer>",  # R1-Zero and models trained alike, Hunyuan
    "<response>": "</response>",  # Granite
    "<|begin_of_solution|>": "<|end_of_solution|>",  # OpenThinker
    "<|start_response|>": "<|end_response|>",  # Command A
}
"""Around an answer that follows reasoning; the control tokens also around one without it."""

HARMONY_TOKENS = tuple(
    f"<|{name}|>" for name in ("start", "end", "message", "channel", "constrain", "return", "call")
)
_BARRED_ENDS = (
    "im_end",  # ChatML: Qwen, Yi, Hermes, Kimi, LFM
    "endoftext",  # GPT-2's, and with it Qwen, Phi, Falcon, GLM
    "eot_id",  # Llama 3
    "eom_id",
    "eot",  # Llama 4, DeepSeek Coder
    "eom",
    "end_of_text",  # Llama, Granite
    "end_of_role",
    "end_of_turn",
    "end_of_turn_token",  # Command R and A
    "end_response",
    "end_text",
    "end_action",
    "end_of_sentence",  # ERNIE
    "end_of_message",
    "endofturn",
    "endofprompt",
    "assistant_end",  # Apertus
    "role_end",  # Ling
    "eos",  # Hunyuan
    "user",  # GLM, Phi
    "observation",
    "flush",  # Solar
    "stop",
)
END_TOKENS = frozenset(
    [
        *(f"<|{name}|>" for name in _BARRED_ENDS),
        "<｜end▁of▁sentence｜>",  # DeepSeek
        "<｜end_of_sentence｜>",
        "<｜user｜>",
        "</s>",  # Llama 2, Mistral
        "<eos>",
        "<end_of_turn>",  # Gemma
        "<turn|>",
        "<end_of_utterance>",
        "<seed:eos>",
        "</longcat_s>",
        "[|endofturn|]",  # EXAONE
        "[e~[",  # MiniMax
        "[eos]",
    ]
)
"""In lower case: what may leak behind the last word of a reply."""

STRIKES = "<s>"
"""Opens struck text in HTML, which `</s>` closes."""

_PAIRS = {**CLOSING_TAGS, **ANSWER_TAGS}
_TAGS = (*_PAIRS, *_PAIRS.values(), *HARMONY_TOKENS, *sorted(END_TOKENS), STRIKES)
TAG = re.compile("|".join(map(re.escape, _TAGS)), re.IGNORECASE)
LONGEST_TAG = max(map(len, _TAGS))
TAG_STARTS = re.compile(r"[<\[◁]")
BEGUN_TAGS = frozenset(tag[:length] for tag in _TAGS for length in range(1, len(tag)))
"""Every beginning of a tag that is not yet a whole one."""

BIDI_CONTROLS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""They turn the direction of what follows, so that an answer reads other than it is."""

_QUOTES = {'"': '"', "'": "'", "`": "`", "“": "”", "„": "“", "‘": "’", "«": "»", "‹": "›"}


SENTENCE_ENDS = ".!?…。！？"


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
    return line_end[-1] in SENTENCE_ENDS or not before.isspace()


def is_first_word(blanks: str, text: str) -> bool:
    """Whether a tag that opens an answer is rather the answer's first word, by what follows it."""
    return text[0] in ",;:.!?)" if not blanks else blanks == " " and text[0].islower()


def ends_reply(line_end: str, before: str) -> bool:
    """Whether an end token that nothing follows ends the reply, rather than being its last word."""
    return not line_end or line_end[-1] in SENTENCE_ENDS or not before.isspace()
