"""The marks by which models tell a call from text: tags, control tokens and fences.

Tags may have a namespace before their name (`minimax:`, `antml:`, `steptml:`, `seed:`, `｜DSML｜`).
Sources: the chat templates and the tool parsers of vLLM, SGLang and llama.cpp for Qwen 3 Coder,
GLM, DeepSeek, Kimi K2, MiniMax M2, Mistral, Llama 3 and 4, Command A, Granite, Nemotron, Hunyuan,
Seed-OSS, Step, LFM 2, Olmo 3, Gemma, Apertus, InternLM and LongCat; Harmony; Claude's tags as
proxies let them through.
"""

import re

from app.chat.reasoning_tags import END_TOKENS, SENTENCE_ENDS

_SPACE = r"(?:longcat_|[A-Za-z]\w{0,20}:|[|｜]{1,2} ?[A-Za-z]\w{0,20} ?[|｜]{1,2} ?)?"
"""A namespace."""
_GROUPS = r"(?:tool_?calls?|function_?calls?|tool_use|tool_code|invoke|function)"
_NAME = r"[\"']?([\w.:-]{1,100})[\"']?"

_LITERALS = (
    "<|tool",
    "<|python_",
    "<|start_action|>",
    "<|action_start|>",
    "<start_function_call>",
    "<｜tool",
    "[tool_calls]",
    "[tool_request]",
    "commentary to=",
    "assistantcommentary to=",
    "to=functions.",
    "functools[",
    "tool_code\n",
    "```tool_code",
    "```tool_call",
    "```function_call",
)
"""In lower case."""

_TAG = rf"<{_SPACE}{_GROUPS}(?![\w-])"
_MARK = re.compile("|".join([_TAG, *map(re.escape, _LITERALS)]), re.IGNORECASE)
_BEGUN_TAG = r"<(?:(?:\w{1,21}:)?\w{0,20}|[|｜]{1,2} ?\w{0,21} ?[|｜]{0,2} ?\w{0,20})"
_BEGUN_MARK = re.compile(_BEGUN_TAG)
_MARK_IN_TEXT = re.compile(
    "|".join(
        [
            _TAG,
            *(re.escape(each) for each in _LITERALS if each[0] in "<["),
            rf"{_BEGUN_TAG}\Z|\[[A-Z_]{{0,13}}\Z",
        ]
    ),
    re.IGNORECASE,
)
_TOKEN_START = re.compile(r"<[|｜]|\[")
_MARK_START = re.compile(r"<|\[(?:[Tt]|\Z)")
_WORD_AFTER_TAG = re.compile(
    rf"<{_SPACE}{_GROUPS}>\s*(?=[^<{{\[\s`])([\w.:-]{{0,120}})(.?)", re.DOTALL | re.IGNORECASE
)

SEPARATOR = re.compile(
    r"[\s,;()]+|```(?:[\w+-]{0,20}(?=\s))?|>\s*(?=</)"
    rf"|</{_SPACE}(?P<ends>invoke|function|tool_?call|tool_use|call)\s*>"
    rf"|</?{_SPACE}(?:{_GROUPS}|call|arguments|parameters|input)\s*>"
    r"|<\|/?[^|<>]{1,40}\|>|<｜[^｜<>]{1,40}｜>|<\|tool_call>|<tool_call\|>|<tool_sep>"
    r"|<(?:start|end)_function_call>"
    r"|\[/?(?:TOOL_CALLS|TOOL_REQUEST|END_TOOL_REQUEST|ARGS)\]|\[CALL_ID\][\w-]{0,60}"
    rf"|{'|'.join(map(re.escape, sorted(END_TOKENS)))}"
    r"|(?:assistant|commentary|json|function|code)(?=[\s<｜{]|commentary)|to=|functools(?=\[)"
    r"|tool_code(?=\n)|[\]}]+(?=\s*(?:</|<[|｜]|```|\Z))",
    re.IGNORECASE,
)
"""What stands between the parts of calls; `ends` is set where a call ends."""

NAMED_TAG = re.compile(
    rf"<{_SPACE}(?:{_GROUPS}|tool|call)(?:=|\s+name=){_NAME}(?:\s[^<>{{}}]{{0,80}})?"
    r"\s*(?:/?>|(?=[\s,(]*\{))"
    r"|<(?:tool_)?name>\s*([\w.:-]{1,100})\s*</(?:tool_)?name>",
    re.IGNORECASE,
)
PARAMETER = re.compile(
    rf"<{_SPACE}parameter(?:=|\s+name=)[\"']?(?P<key>[\w.-]{{1,100}})[\"']?(?P<form>[^<>]{{0,80}})>"
    rf"(?P<value>.*?)(?:</{_SPACE}parameter>|(?=<{_SPACE}parameter[=\s])"
    rf"|(?=</{_SPACE}(?:function|invoke)>))"
    rf"|<{_SPACE}arg_key>\s*(?P<glm_key>[\w.-]{{1,100}})\s*</{_SPACE}arg_key>\s*"
    rf"<{_SPACE}arg_value>(?P<glm_value>.*?)</{_SPACE}arg_value>",
    re.DOTALL,
)
RESULT = re.compile(
    r"(?:<\|im_start\|>\s*(?:user|tool)\s*)?"
    rf"<{_SPACE}(?:tool|function)_(?:call_)?(?:response|result|output)s?>"
    r"|<[|｜](?:start_)?tool[_▁](?:response|result|output)s?(?:[_▁]begin)?[|｜]>"
    r"|<\|observation\|>|<\|start_header_id\|>ipython|\[TOOL_RESULTS\]",
    re.IGNORECASE,
)
"""Opens what a tool returned: a model that goes on to write it invents it."""
CHILD = re.compile(r"<([A-Za-z_][\w-]{0,60})>([^<]*)</\1>")
"""A parameter as an element of its own name."""


def begins_call(text: str) -> bool:
    """Whether a text begins with a mark that nothing but calls have."""
    return _MARK.match(text) is not None


def may_begin_call(text: str) -> bool:
    """Whether a text that is not whole yet begins with such a mark, or may still do so."""
    if _BEGUN_MARK.fullmatch(text):
        return True
    lower = text.lower()
    return begins_call(text) or any(each.startswith(lower) for each in _LITERALS)


def may_hold_mark(text: str) -> bool:
    """Whether a mark that may follow a sentence can begin in a text, or at its very end."""
    return _MARK_START.search(text) is not None


def may_follow(text: str, line_end: str, before: str) -> bool:
    """Whether a mark, of which `text` is the first two characters, may stand behind other text.

    `line_end` is the end of that line without blanks, `before` the character before the mark.
    A tag must stand directly behind a sentence, a control token at least behind a word. A piece
    does not end with `<` alone: the reasoning filter holds it.
    """
    if not line_end:
        return True
    is_glued = not before.isspace()
    is_token = _TOKEN_START.match(text) is not None
    if line_end[-1] in SENTENCE_ENDS:
        return is_glued or is_token
    return is_token and is_glued and (before.isalnum() or before in ":：")


def find_mark(text: str, at: int) -> int:
    """Where the next mark stands that may follow a sentence, or what may become one; -1."""
    found = _MARK_IN_TEXT.search(text, at)
    return found.start() if found else -1


def find_word_after_tag(text: str) -> tuple[str, bool] | None:
    """The word behind a plain tag such as `<tool_call>`, and whether it is whole; None for other
    text there."""
    found = _WORD_AFTER_TAG.match(text)
    return (found[1], bool(found[2])) if found else None
