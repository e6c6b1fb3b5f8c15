"""Shows the frames of answers: as Markdown in a terminal, as plain text, or as JSON lines."""

import json
import re
from collections.abc import Mapping
from typing import Any, Protocol

import click
from rich.console import Console, Group
from rich.live import Live
from rich.markdown import Markdown
from rich.spinner import Spinner
from rich.text import Text

from app.web.panel import PLACEHOLDER, PanelFrame

REFRESHES_PER_SECOND = 8
"""More cannot be read, and rendering Markdown takes milliseconds."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""What could move the cursor or write into the clipboard; line ends and tabs stay."""


class AnswerView(Protocol):
    """Shows one answer after the other; `failed` says whether the last one ended in an error."""

    failed: bool

    def __enter__(self) -> "AnswerView":
        """Begins an answer."""
        ...

    def __exit__(self, *_: object) -> None:
        """Ends it, also where it was cut short."""
        ...

    def show(self, frame: PanelFrame) -> None:
        """Shows one frame."""
        ...


def clean(text: str) -> str:
    """The text without control characters."""
    return _CONTROL.sub("", text)


class JsonView:
    """One frame a line, as the service sends them."""

    def __init__(self) -> None:
        self.failed = False

    def __enter__(self) -> "JsonView":
        self.failed = False
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def show(self, frame: PanelFrame) -> None:
        """Prints it at once, so that a reader can follow."""
        self.failed = self.failed or "error" in frame
        click.echo(json.dumps(frame))


class PlainView:
    """The text as it comes, for pipes and files; steps go to standard error."""

    def __init__(self) -> None:
        self.failed = False
        self._streamed = False

    def __enter__(self) -> "PlainView":
        self.failed = self._streamed = False
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def show(self, frame: PanelFrame) -> None:
        """Prints its text."""
        kind = frame.get("message_type")
        if "error" in frame:
            self.failed = True
            click.echo(clean(frame["error"]), err=True)
        elif kind == "response" and frame["partial"]:
            if self._streamed or _read_text(frame) != PLACEHOLDER:
                self._streamed = True
                click.echo(clean(_read_text(frame)), nl=False)
        elif kind == "response":
            click.echo("\n" if self._streamed else clean(_read_text(frame)) + "\n")
            self._streamed = False
        elif kind == "tool_call":
            click.echo(f"  {clean(frame['tool_call']['display_name'])}", err=True)
        elif kind == "suggestions":
            for question in frame["suggestions"]:
                click.echo(f"- {clean(question)}", err=True)


class RichView:
    """Markdown with links, tool rows with a spinner, the answer as it grows."""

    def __init__(self, console: Console) -> None:
        self.failed = False
        self._console = console
        self._text = ""
        self._rows: dict[str, str] = {}
        self._live: Live | None = None

    def __enter__(self) -> "RichView":
        self.failed, self._text, self._rows = False, "", {}
        self._live = Live(
            console=self._console, refresh_per_second=REFRESHES_PER_SECOND, transient=True
        )
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()
        if self._text:
            self._console.print(Markdown(self._text))
        self._text = ""

    def show(self, frame: PanelFrame) -> None:
        """Adds it to what is shown."""
        kind = frame.get("message_type")
        if "error" in frame:
            self.failed = True
            if self._text == PLACEHOLDER:
                self._text = ""
            self._console.print(Text(clean(frame["error"]), style="bold red"))
        elif kind == "response":
            self._show_text(clean(_read_text(frame)), partial=frame["partial"])
        elif kind == "tool_call":
            self._rows[frame["id"]] = clean(frame["tool_call"]["display_name"])
        elif kind == "tool_complete" and (row := self._rows.pop(frame["id"], None)) is not None:
            self._console.print(Text(f"✓ {row}", style="dim"))
        elif kind == "suggestions":
            for question in frame["suggestions"]:
                self._console.print(Text(f"› {clean(question)}", style="italic"))
        elif kind == "usage":
            self._console.print(Text(_describe_usage(frame["turn"]), style="dim"))
        self._refresh()

    def _show_text(self, text: str, *, partial: bool) -> None:
        if partial:
            self._text += text
            return
        self._text = ""
        self._console.print(Markdown(text))

    def _refresh(self) -> None:
        if self._live is not None:
            rows = [Spinner("dots", Text(each, style="dim")) for each in self._rows.values()]
            growing = [Markdown(self._text)] if self._text else []
            self._live.update(Group(*growing, *rows))


def _read_text(frame: PanelFrame) -> str:
    text: str = frame["content"]["parts"][0]["text"]
    return text


def _describe_usage(usage: Mapping[str, Any]) -> str:
    about = "~" if usage.get("estimated") else ""
    cost = f", ${usage['cost']:.4f}" if "cost" in usage else ""
    return f"{about}{usage['total_tokens']:,} tokens{cost}"
