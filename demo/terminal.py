"""Asks one question over the panel's own interface and shows the stream as it comes."""

import json
import re
from collections.abc import Mapping
from typing import Any, TextIO

import httpx

_LINK = re.compile(r"\[((?:\\.|[^\]\\\n])*)\]\(http[^)\s]*\)")
_BEGUN = re.compile(r"\[[^\n]{0,600}$")
_SPAN = re.compile(r"\{span:([^}]*)\}")
_PLACEHOLDER = "…"
"""Stands before an error, for panels that would write the error over the last text."""
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")


class Terminal:
    """Shows frames: text as it arrives, a tool row when it begins and its tick when it is done."""

    def __init__(self, out: TextIO, names: Mapping[str, str]) -> None:
        """`names` are those of the trace's spans, by id."""
        self._out = out
        self._names = names
        self._rows: dict[str, str] = {}
        self._partial = False
        self._held = ""
        self.failed = False

    def show(self, frame: dict[str, Any]) -> None:
        """Shows one frame; unknown kinds are ignored."""
        if frame.get("error"):
            self.failed = True
            self._write_text(f"\n! {frame['error']}\n")
        elif frame.get("message_type") == "response":
            self._print_response(frame)
        elif frame.get("message_type") == "tool_call":
            call = frame["tool_call"]
            row = _SPAN.sub(lambda span: self._names.get(span[1], span[1]), call["display_name"])
            self._rows[call["id"]] = row
            self._write_text(f"  … {row}\n")
        elif frame.get("message_type") == "tool_complete":
            name = self._rows.get(frame["tool_response"]["id"], "done")
            self._write_text(f"  ✓ {name}\n")

    def _print_response(self, frame: dict[str, Any]) -> None:
        text = frame["content"]["parts"][0]["text"]
        if text == _PLACEHOLDER and not self._partial:
            return
        if frame["partial"]:
            self._write_text(self._format_links(text))
            self._partial = True
        else:
            rest, self._held = self._held, ""
            self._write_text(f"{rest}\n\n" if self._partial else f"{_replace_links(text)}\n\n")
            self._partial = False

    def _format_links(self, text: str) -> str:
        """The text with links as their names; a link that is not whole yet is held back."""
        text = _replace_links(self._held + text)
        begun = _BEGUN.search(text)
        self._held = begun[0] if begun else ""
        return text.removesuffix(self._held) if begun else text

    def _write_text(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()


def ask(url: str, question: str, *, names: Mapping[str, str], out: TextIO) -> bool:
    """Asks at a session's URL; True when an answer came, and the history holds it.

    `names` are those of the trace's spans, by id.
    """
    terminal = Terminal(out, names)
    body = {"message": question, "streaming": True}
    with httpx.Client(timeout=130) as http:
        with http.stream("POST", url, json=body) as response:
            if response.status_code != 200:
                out.write(f"! {response.read().decode()}\n")
                return False
            for line in response.iter_lines():
                if line.startswith("data: "):
                    terminal.show(json.loads(line.removeprefix("data: ")))
        history = http.get(url)
    last = history.json()["content"][-1] if history.status_code == 200 else {}
    return not terminal.failed and last.get("role") == "assistant"


def _replace_links(text: str) -> str:
    return _LINK.sub(lambda link: _ESCAPE.sub(r"\1", link[1]), text)
