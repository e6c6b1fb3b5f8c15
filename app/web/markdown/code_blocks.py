"""Where fenced code certainly begins and ends in a Markdown text, line by line.

Parsers agree about most fences, but not about all: where a list item ends, what a tab is worth,
which line closes. From the first line on about which they might disagree the text counts as
uncertain, and nothing is taken for fenced code any more. The rules are those of CommonMark 0.31:
sections 4.5 (fences), 5.2 (list items) and 4.7 (definitions).
"""

import re
from dataclasses import dataclass, field

LINE_HEAD_CHARACTERS = 300
"""Characters of a line that are waited for before it is shown: fences are shorter."""

_PREFIX = re.compile("(?:[^\\S\r\n]|[>*+\\-0-9.):\ufeff\0])*")
_RUN = re.compile(r"`{3,}|~{3,}")
_INFO = re.compile(r"[ \t]*[\w+#.:,={}\"'/ -]*")
_ITEM = re.compile(r"( *)([-+*]|(\d{1,9})[.)])( {1,4})(?:\*\*|__|[`\[\"(])?[^\W\d_]")
_LINE_END = re.compile(r"[\r\n]")


@dataclass(frozen=True, slots=True)
class _Fence:
    character: str
    length: int
    indent: int


@dataclass(slots=True)
class CodeBlocks:
    """Reads the lines of a text; the members tell about the line that was read last."""

    fenced: bool = field(default=False, init=False)
    """Whether the line is certainly part of fenced code, or one of its fences."""
    perhaps_code: bool = field(default=False, init=False)
    """Whether many parsers take the line for code, though not certainly all."""
    open_run: bool = field(default=False, init=False)
    """Whether its paragraph holds backticks that a later line might close."""
    open_label: bool = field(default=False, init=False)
    """Whether its paragraph may be the definition of a link."""
    spanning_label: bool = field(default=False, init=False)
    """Whether a label may go on from an earlier line: some parsers let it run into a fence."""
    _uncertain: bool = field(default=False, init=False)
    _fence: _Fence | None = field(default=None, init=False)
    _likely_fence: _Fence | None = field(default=None, init=False)
    _items: list[tuple[int, int]] = field(default_factory=list, init=False)
    _after_blank: bool = field(default=True, init=False)

    def read_line_head(self, head: str, *, complete: bool) -> bool:
        """Reads the first characters of a line, LINE_HEAD_CHARACTERS at most.

        `complete` is True where the whole text ends here. Returns False, and changes nothing,
        where more of the line is needed.
        """
        line = _LINE_END.split(head, maxsplit=1)[0]
        ended = len(line) < len(head) or (complete and len(head) < LINE_HEAD_CHARACTERS)
        known = ended or len(head) >= LINE_HEAD_CHARACTERS
        if self._fence is not None:
            return self._read_code_line(self._fence, line, known=known, ended=ended)
        prefix = _PREFIX.match(line)
        assert prefix is not None
        rest = line[prefix.end() :]
        if not known and (len(rest) < 3 or _RUN.match(rest)):
            return False
        self.fenced = False
        run = _RUN.match(rest)
        if run is None or (run[0][0] == "`" and "`" in rest[run.end() :]):
            self._read_text_line(line, rest, ended=ended)
        else:
            self._read_opening_fence(prefix[0], run[0], rest[run.end() :], ended=ended)
        return True

    def _read_code_line(self, fence: _Fence, line: str, *, known: bool, ended: bool) -> bool:
        rest = line.lstrip(" \t")
        spaces = len(line) - len(line.lstrip(" "))
        run = len(rest) - len(rest.lstrip(fence.character))
        near = spaces < fence.indent + 4
        if not known and (not rest or (near and (run == len(rest) or run >= fence.length))):
            return False
        self.fenced = True
        if not rest:
            return True
        if spaces < fence.indent:
            self._lose_certainty()
        elif near and run >= fence.length and not rest.strip("`~ \t"):
            exact = line == " " * spaces + fence.character * run + " " * (len(rest) - run)
            if exact and ended and (not fence.indent or spaces == fence.indent):
                self._fence = None
                self._after_blank = True
            else:
                self._lose_certainty()
        return True

    def _lose_certainty(self) -> None:
        """From here on no fence is certain; what was open may still be open."""
        self._likely_fence, self._fence = self._fence, None
        self.fenced = False
        self._uncertain = self.perhaps_code = self.open_run = self.open_label = True

    def _read_opening_fence(self, prefix: str, run: str, info: str, *, ended: bool) -> None:
        fence = _Fence(run[0], len(run), len(prefix))
        simple = ended and not prefix.strip(" ") and _INFO.fullmatch(info) is not None
        certain = simple and (len(prefix) <= 3 or self._belongs_to_item(len(prefix)))
        if certain and not (self._uncertain or self.spanning_label):
            self._leave_items(len(prefix))
            self._fence = fence
            self.fenced = True
            self.open_run = self.open_label = self.perhaps_code = False
            return
        self._uncertain = self.open_run = self.perhaps_code = True
        likely = self._likely_fence
        if likely is None:
            self._likely_fence = fence
        elif run[0] == likely.character and len(run) >= likely.length and not info.strip():
            self._likely_fence = None

    def _read_text_line(self, line: str, rest: str, *, ended: bool) -> None:
        if not rest and not ended:
            self._lose_certainty()
            return
        if not line.strip(" \t"):
            self.open_run = self.open_label = self.spanning_label = False
            self._after_blank = True
            return
        self.open_label = self.open_label or rest.startswith("[")
        column = len(line) - len(line.lstrip(" "))
        item = _ITEM.match(line)
        begins = item is not None and self._begins_item(column, item[3])
        self._leave_items(column)
        if item is not None and begins:
            self._items.append((column, item.end(4)))
        elif "\t" in line[: len(line) - len(rest)]:
            self._items.clear()
        indented = column >= 4 or line[column : column + 1] == "\t"
        in_item = bool(self._items) and column - self._items[-1][1] <= 3
        self.perhaps_code = self._likely_fence is not None or (indented and not in_item)
        self._after_blank = False

    def _begins_item(self, column: int, number: str | None) -> bool:
        """Whether a line that looks like a list item is one, for every parser."""
        outer = max((content for _, content in self._items if content <= column), default=0)
        interrupts = number is None or int(number) == 1
        has_sibling = any(marker == column for marker, _ in self._items)
        return column - outer <= 3 and (interrupts or has_sibling or self._after_blank)

    def _belongs_to_item(self, column: int) -> bool:
        self._leave_items(column)
        return bool(self._items) and column - self._items[-1][1] <= 3

    def _leave_items(self, column: int) -> None:
        self._items = [item for item in self._items if item[1] <= column]
