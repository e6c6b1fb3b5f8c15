"""One exchange with a model: a question, and a text or a tool call, in no spelling yet."""

import json
from dataclasses import dataclass
from typing import Any, Literal

Json = dict[str, Any]
Finish = Literal["stop", "tool", "length", "filter"]


@dataclass(frozen=True)
class Exchange:
    """What is to be recorded; `call` is the name of a tool with its arguments."""

    question: str
    text: str
    finish: Finish
    call: tuple[str, Json] | None = None

    def pick(self, stop: str, tool: str, length: str, filtered: str) -> str:
        """The provider's word for the finish reason."""
        return {"stop": stop, "tool": tool, "length": length, "filter": filtered}[self.finish]

    @property
    def chat_messages(self) -> list[Json]:
        return [{"role": "user", "content": self.question}]

    @property
    def call_name(self) -> str:
        return self.call[0] if self.call else ""

    @property
    def call_arguments(self) -> Json:
        return self.call[1] if self.call else {}

    @property
    def call_json(self) -> str:
        return json.dumps(self.call_arguments, ensure_ascii=False)
