"""Where a streamed Markdown text is: in code, in a quotation, or where a model's own tags count."""

import re

_FENCE = re.compile(r"[\s>]*(?:(?:[-*+]|\d{1,9}[.)])\s+)*(`{3,}|~{3,})(.*)", re.DOTALL)
"""A line that opens or closes fenced code for any parser, so that nothing in code is a tag.

`web/markdown/code_blocks` asks the opposite, what is code for every parser: there a doubt means
text, here it means code."""

_LINE_PIECES = 80
"""Of a line's pieces, and of each one's characters, as many are read: a line may be endless."""

_QUOTED_OR_INDENTED = re.compile(r"\s*>|\t| {4}")


class MarkdownPlace:
    """The place in a Markdown text that has been reached."""

    def __init__(self) -> None:
        self._line: list[str] = []
        self._backticks = 0
        self._fence = ""
        self._last_line = ""

    @property
    def is_free(self) -> bool:
        """Whether a tag counts here: outside of code and quotations."""
        if self._fence or self._backticks % 2:
            return False
        # The first characters of a line decide, and each piece of it holds at least one.
        first = "".join(piece[:_LINE_PIECES] for piece in self._line[:_LINE_PIECES])
        return _QUOTED_OR_INDENTED.match(first) is None

    @property
    def closes_fence(self) -> bool:
        """Whether fenced code ends with the current line as it is so far."""
        if not self._fence or len(self._line) > _LINE_PIECES:
            return False
        found = _FENCE.match("".join(piece[:_LINE_PIECES] for piece in self._line))
        return found is not None and found[1].startswith(self._fence) and not found[2].strip()

    @property
    def is_introduced(self) -> bool:
        """Whether what stands here begins a line below one that ends with a colon."""
        return not self.line_end and self._last_line.endswith((":", "："))

    @property
    def line_end(self) -> str:
        """The last characters of the current line, without blanks at its end; "" on a blank one."""
        pieces = self._line[-_LINE_PIECES:]
        return "".join(piece[-_LINE_PIECES:] for piece in pieces).rstrip()[-_LINE_PIECES:]

    @property
    def before(self) -> str:
        """The last character of the current line; "" at its beginning."""
        return self._line[-1][-1] if self._line else ""

    def move_over(self, text: str) -> None:
        """Moves to the end of `text`, which begins here."""
        *lines, rest = text.split("\n")
        for line in lines:
            self._line.append(line)
            self._end_line("".join(self._line))
            self._line, self._backticks = [], 0
        if rest:
            self._line.append(rest)
            self._backticks += rest.count("`")

    def _end_line(self, line: str) -> None:
        if not line.isspace() and line:
            self._last_line = line[-_LINE_PIECES:].rstrip()
        found = _FENCE.match(line)
        if found is None:
            return
        marks, rest = found[1], found[2]
        if not self._fence:
            if "`" not in rest:
                self._fence = marks
        elif marks.startswith(self._fence) and not rest.strip():
            self._fence = ""
