"""A stand-in for a language model, for a demo without one: it says so in every answer.

It works by simple rules on the text of the request, as a model does on the same text: it picks
lines of the outline by the words of the question, calls the offered tools on the spans that those
lines name, or those that look beyond the trace where the question does, and composes its answer
from the lines and from what the tools returned. It knows nothing about any trace.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from standin.chat import Chunk, finish, text, tool_arguments, tool_call, usage
from standin.offline_answer import Outline, format_facts, format_result

LABEL = "*Offline stand-in model (rules, not a language model):*"
_ENDING = "A real language model can be set with `DEMO_LLM_BASE_URL`."
SPANS_LOOKED_AT = 3
SHOWN_FACTS = 4

_ALIAS = re.compile(r"\bs\d+\b")
_TREE_LINE = re.compile(r"^\s*(s\d+)\b")
_TOPICS = {
    "slow": re.compile(r"slow|fast|latency|time|long|wait|parallel|critical", re.IGNORECASE),
    "cost": re.compile(r"cost|expens|cheap|token|price|reduce|spend|\$", re.IGNORECASE),
    "error": re.compile(r"err|fail|wrong|crash|exception|cause|broke|bug", re.IGNORECASE),
}
_MARKS = {
    "slow": re.compile(r"critical path|slow|serial|idle|outlier|retries| \* .* s \d\d"),
    "cost": re.compile(r"\$|cost|tokens|loop|repeat|growth"),
    "error": re.compile(r"cause_|error|ERROR|fail|empty|cut|invalid|guardrail|score|unfinished"),
}
_BEYOND: Sequence[tuple[re.Pattern[str], str, dict[str, str]]] = (
    (
        re.compile(r"conversation|thread|session|so far|earlier|when did", re.IGNORECASE),
        "get_thread",
        {},
    ),
    (
        re.compile(r"healthy|good run|other runs|differ", re.IGNORECASE),
        "find_similar_traces",
        {"outcome": "healthy"},
    ),
    (
        re.compile(r"usual|normal|typical|than (?:the )?others", re.IGNORECASE),
        "compare_with_project",
        {},
    ),
)
_NEXT_CALL = re.compile(r'(compare_traces)\(trace="(t\d+)"\)')
_SHOWN_LINES = 40


@dataclass(frozen=True)
class _Talk:
    """What the rules look at: the question, the outline's lines, this turn's tool results."""

    question: str
    outline: Sequence[str]
    results: Sequence[str]
    tools: Sequence[dict[str, Any]]

    @property
    def topic(self) -> str:
        for name, words in _TOPICS.items():
            if words.search(self.question):
                return name
        return "error"


class OfflineModel:
    """Answers as a provider behind the chat proxy would; `delay` is seconds between pieces."""

    def __init__(self, delay: float = 0.02) -> None:
        self._delay = delay

    async def reply(self, request: dict[str, Any], /) -> AsyncIterator[Chunk]:
        """Streams a reply: tool calls first, an answer once their results are there."""
        talk = _parse_request(request)
        calls = _further_calls(talk) if talk.results else _choose_calls(talk)
        reply_text = _announce_calls(talk, calls) if calls else _compose_answer(talk)
        for piece in re.findall(r"\S+\s*|\s+", reply_text):
            yield text(piece)
            await asyncio.sleep(self._delay)
        for index, (name, arguments) in enumerate(calls):
            yield tool_call(index, f"call_{index}_{name}", name)
            half = len(arguments) // 2
            yield tool_arguments(index, arguments[:half])
            yield tool_arguments(index, arguments[half:])
        yield finish("tool_calls" if calls else "stop")
        asked = sum(len(str(message.get("content"))) for message in request["messages"])
        yield usage(asked // 4, (len(reply_text) + sum(len(call[1]) for call in calls)) // 4)


def _parse_request(request: dict[str, Any]) -> _Talk:
    messages = request["messages"]
    users = [at for at, message in enumerate(messages) if message["role"] == "user"]
    last = users[-1] if users else 0
    question = str(messages[last].get("content") or "") if users else ""
    outline = str(messages[users[0]].get("content") or "") if len(users) > 1 else ""
    results = [str(each["content"]) for each in messages[last:] if each["role"] == "tool"]
    tools = [each["function"] for each in request.get("tools") or []]
    return _Talk(question, _read_fenced_lines(outline), results, tools)


def _read_fenced_lines(fenced: str) -> list[str]:
    """The lines between the marker lines."""
    lines = fenced.splitlines()
    start = next((at for at, line in enumerate(lines) if line.startswith("<<<")), -1)
    return [line for line in lines[start + 1 :] if not line.endswith(">>>")]


def _lines_naming_spans(talk: _Talk) -> list[str]:
    """The outline's lines that name spans, those about the question's topic first."""
    named = [line for line in talk.outline if _ALIAS.search(line)]
    mark = _MARKS[talk.topic]
    return sorted(named, key=lambda line: (mark.search(line) is None, _is_tree(line)))


def _is_tree(line: str) -> bool:
    return _TREE_LINE.match(line) is not None


def _choose_spans(talk: _Talk) -> list[str]:
    """The spans to look at, in the order in which the relevant lines name them."""
    found: dict[str, None] = {}
    for alias in _ALIAS.findall(talk.question) + _ALIAS.findall(
        "\n".join(_lines_naming_spans(talk))
    ):
        found.setdefault(alias)
    return list(found)[:SPANS_LOOKED_AT]


def _choose_calls(talk: _Talk) -> list[tuple[str, str]]:
    """Calls of the tool that takes a span, by its own schema; else of one that needs nothing."""
    offered = {tool["name"] for tool in talk.tools}
    for words, name, arguments in _BEYOND:
        if name in offered and words.search(talk.question):
            return [(name, json.dumps(arguments))]
    spans = _choose_spans(talk)
    for tool in talk.tools:
        parameters = tool.get("parameters") or {}
        required = parameters.get("required") or []
        if spans and len(required) == 1 and "span" in required[0]:
            flags = {
                name: True
                for name in parameters["properties"]
                if name in {"include_input", "include_output"}
            }
            return [(tool["name"], json.dumps({required[0]: span, **flags})) for span in spans]
    return [(tool["name"], "{}") for tool in talk.tools if not _required_parameters(tool)][:1]


def _further_calls(talk: _Talk) -> list[tuple[str, str]]:
    """The call that the only result so far names for going on."""
    found = _NEXT_CALL.search(talk.results[0]) if len(talk.results) == 1 else None
    offered = {tool["name"] for tool in talk.tools}
    return [(found[1], json.dumps({"trace": found[2]}))] if found and found[1] in offered else []


def _looks_beyond(talk: _Talk) -> bool:
    return any(words.search(talk.question) for words, _, _ in _BEYOND)


def _required_parameters(tool: dict[str, Any]) -> list[str]:
    required: list[str] = (tool.get("parameters") or {}).get("required") or []
    return required


def _announce_calls(talk: _Talk, calls: Sequence[tuple[str, str]]) -> str:
    if any(calls[0][0] == name for _, name, _ in _BEYOND) or talk.results:
        return "I look beyond this trace. " if not talk.results else "I compare with one of them. "
    spans = ", ".join(f"[{span}]" for span in _choose_spans(talk)) or "the trace"
    return f"I look closer at {spans}. "


def _compose_answer(talk: _Talk) -> str:
    """What the outline holds about the question, then facts of the spans looked at; of what lies
    beyond the trace the last result's lines."""
    outline = Outline(talk.outline)
    if talk.results and _looks_beyond(talk):
        lines = _read_fenced_lines(talk.results[-1])
        return _join_answer(format_result(lines, outline.names, most=_SHOWN_LINES))
    sentences = outline.sentences(_MARKS[talk.topic])
    if not sentences:
        return f"{LABEL} the outline names no spans, so there is nothing to point at."
    facts = [fact for result in talk.results if (fact := _read_facts(result))]
    if facts:
        facts = ["Recorded in these spans:", "\n".join(facts)]
    others = "\n".join(f"- {each}" for each in sentences[1:])
    return _join_answer([f"**{sentences[0]}**", others, *facts])


def _join_answer(blocks: Sequence[str]) -> str:
    return "\n\n".join([LABEL, *filter(None, blocks), _ENDING])


def _read_facts(result: str) -> str:
    return format_facts(_read_fenced_lines(result), most=SHOWN_FACTS)
