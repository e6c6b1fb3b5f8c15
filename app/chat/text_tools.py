"""Tools in plain text, for providers whose native tools do not survive the chat proxy.

The model asks for a tool by ending its reply with a request between two tags whose name carries a
token of the conversation:

    <call-5f1c…>
    {"name": "get_span_details", "arguments": {"span_id": "s3"}}
    </call-5f1c…>

The token is the one that is broken wherever it occurs inside trace content, so nothing that was
recorded can be such a request. The results go back as user messages. Earlier calls are written
into the history in the same form, whichever protocol they were made in.
"""

import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from app.chat.native_tools import repair_arguments
from app.chat.reply_text import ReadingOptions, ReplyTextReader
from app.chat.text_tool_parser import TextToolParser
from app.messages import Assistant, Message, System, ToolCall, ToolResult, ToolSpec, User

_EMPTY = "(empty)"

_INSTRUCTIONS = """\
How to call tools
You may ask for the tools below. To ask, end your reply with a request in exactly this form, as \
plain text and outside of any code block:

{opening}
{{"name": "name_of_the_tool", "arguments": {{"parameter": "value"}}}}
{closing}

- The request is the very last thing of the reply: after it, stop. One short sentence for the user \
may stand before it. The user does not see the request.
- For several tools at once write several requests, one after the other.
- The results come in the next message, each between <{result} …> and </{result}>. Never write \
results yourself.
- When you know enough, answer without a request.

The tools, each with the JSON Schema of its arguments
"""

_CORRECTION = (
    "[This reply held a tool request that could not be read: {fault} Write the request again in "
    "the form of your instructions and nothing else, or answer without one.]"
)

_OTHER_FORM = "it is not in the form of your instructions."


class TextTools:
    """System, user and assistant messages only; tools described and called in their text."""

    def __init__(self, token: str) -> None:
        """`token` must be one that content of traces cannot hold, in letters and digits."""
        self._call = f"call-{token}"
        self._result = f"result-{token}"

    def build_request(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec]
    ) -> dict[str, Any]:
        """The `messages` member of a request: roles alternate and no text is blank."""
        lines = [each for each in self._write_messages(messages, tools) if each[1].strip()]
        return {
            "messages": [
                {"role": role, "content": "\n\n".join(text for _, text in group)}
                for role, group in groupby(lines, key=lambda each: each[0])
            ]
        }

    def open_reader(self, options: ReadingOptions) -> "TextReplyReader":
        """A reader that separates text and requests of one reply."""
        return TextReplyReader(self._call, options)

    def ask_for_correction(
        self, messages: Sequence[Message], raw: str, *, fault: str
    ) -> list[Message]:
        """The conversation that asks the model to correct its reply `raw`."""
        return [*messages, Assistant(raw), User(_CORRECTION.format(fault=fault))]

    def _write_messages(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec]
    ) -> Iterator[tuple[str, str]]:
        described = not tools
        for message in messages:
            match message:
                case System(text) if not described:
                    described = True
                    yield "system", f"{text}\n\n{self._describe_tools(tools)}"
                case System(text):
                    yield "system", text
                case User(text):
                    yield "user", text if text.strip() else _EMPTY
                case Assistant(text, calls):
                    requests = "\n".join(self._write_call(call) for call in calls)
                    parts = (part for part in (text, requests) if part.strip())
                    yield "assistant", "\n\n".join(parts)
                case ToolResult(call, text):
                    yield "user", self._write_result(call, text)
        if not described:
            yield "user", self._describe_tools(tools)

    def _describe_tools(self, tools: Sequence[ToolSpec]) -> str:
        how = _INSTRUCTIONS.format(
            opening=f"<{self._call}>", closing=f"</{self._call}>", result=self._result
        )
        return how + "\n".join(
            f"- {tool.name}: {tool.description}\n  {json.dumps(dict(tool.parameters))}"
            for tool in tools
        )

    def _write_call(self, call: ToolCall) -> str:
        request = {"name": call.name, "arguments": json.loads(repair_arguments(call.arguments))}
        content = json.dumps(request, ensure_ascii=False)
        return f"<{self._call}>\n{content}\n</{self._call}>"

    def _write_result(self, call: ToolCall, text: str) -> str:
        name = json.dumps(call.name, ensure_ascii=False)
        return f"<{self._result} name={name}>\n{text.strip() or _EMPTY}\n</{self._result}>"


class TextReplyReader(ReplyTextReader):
    """Reads one reply whose calls are requests between tags.

    `raw` is the model's text with its requests, without reasoning; known after `end`.
    """

    def __init__(self, tag: str, options: ReadingOptions) -> None:
        super().__init__(options)
        self._tag = tag
        self._parser = TextToolParser(tag)
        self._raw: list[str] = []

    @property
    def raw(self) -> str:
        return "".join(self._raw)

    @property
    def fault(self) -> str:
        """What is wrong with a request in this reply, as a sentence; "" where nothing is."""
        return self._parser.fault or (_OTHER_FORM if self._written.is_malformed else "")

    def feed(self, piece: str) -> str:
        """The text that can be shown now: no reasoning, and never a part of a request."""
        text = self._reasoning.feed(piece)
        self._raw.append(text)
        shown = self._parser.feed(text)
        if shown and (self._written.holds or "<" in shown or "[" in shown):
            shown = self._read_calls(shown)
        if shown:
            self._shown.append(shown)
        return shown

    def end(self) -> str:
        text = self._reasoning.end()
        self._raw.append(text)
        shown = self._read_calls(self._parser.feed(text) + self._parser.end())
        shown += self._written.end()
        self._shown.append(shown)
        return shown

    def _find_calls(self) -> list[tuple[str, str]]:
        return [*super()._find_calls(), *self._parser.calls]

    def _restart(self) -> None:
        self._parser = TextToolParser(self._tag)
        self._raw = []
        super()._restart()
