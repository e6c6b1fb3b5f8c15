"""Code within a line, `so`, when it is certain where it ends, and what no frame may cut.

By CommonMark 0.31, section 6.1, code ends at the next run of as many backticks, even lines later;
only what ends in its own line is taken for certain here.
"""

import json
import re
from collections.abc import Iterator
from typing import Literal

CODE_CHARACTERS = 500
"""Code is shorter than this, its backticks included: an identifier or a line, not a document."""

FRAME_JSON_BYTES = 600
"""Of code, of a link's end or of a URL as JSON: it has to fit into one frame of the panel
(`panel.PIECE_BYTES`), since half of it may lead elsewhere."""

_RUN = re.compile(r"`+")
_RUN_OR_LINE_END = re.compile(r"`+|[\r\n]")
_UNBREAKABLE = re.compile(
    rf"(`+)(?!`)[^\r\n]{{0,{CODE_CHARACTERS}}}?(?<!`)\1(?!`)|`+"
    rf"|\]\( *[^\s()`]{{1,{FRAME_JSON_BYTES}}}(?: +\"[^\"\r\n`]{{0,{FRAME_JSON_BYTES}}}\")? *\)"
    rf"|(?:https?://|ftp://|www\.)[^\s()`]{{1,{FRAME_JSON_BYTES}}}|[^`]",
    re.IGNORECASE,
)


def count_backticks(text: str, at: int, *, complete: bool) -> int | None:
    """The length of the run of backticks at a place; None when more of the text is needed.

    A run is cut after CODE_CHARACTERS. `complete` says that nothing follows the text.
    """
    run = _RUN.match(text, at, at + CODE_CHARACTERS)
    length = len(run[0]) if run else 0
    return (
        None if at + length == len(text) and length < CODE_CHARACTERS and not complete else length
    )


def find_code(text: str, at: int, length: int, *, complete: bool) -> str | Literal[False] | None:
    """The code that a run of this length opens, with its backticks.

    False when it is not certain where it ends; None when more of the text is needed.
    """
    limit = at + CODE_CHARACTERS
    growing = len(text) < limit and not complete
    for found in _RUN_OR_LINE_END.finditer(text, at + length, limit):
        if found[0] in {"\r", "\n"}:
            return False
        if len(found[0]) == length:
            if growing and found.end() == len(text):
                return None
            return text[at : found.end()] if found.end() < limit else False
    return None if growing else False


def is_certainly_code(code: str, *, may_define: bool, may_end_label: bool) -> bool:
    """Whether every parser takes closed code for code.

    Cells, and the labels of definitions where one may stand (`may_define`), are cut out before
    code is looked for. About a backslash before the end parsers disagree, and about the end of a
    link's label in code where labels are nested (`may_end_label`) or backticks come in numbers.
    Longer code would not fit into one frame.
    """
    inside = code.strip("`")
    if "|" in inside or inside.endswith("\\") or (may_define and "]:" in inside):
        return False
    if "]" in inside and (may_end_label or "`" in inside or code.startswith("``")):
        return False
    return fits_frame(code)


def fits_frame(part: str) -> bool:
    """Whether a part that must be shown whole or not at all fits into one frame."""
    return len(json.dumps(part)) <= FRAME_JSON_BYTES


def split_unbreakable(text: str) -> Iterator[str]:
    """Cuts a filtered text into parts that must be shown whole or not at all.

    Half of a piece of code is no code: shown without its end it could load what it holds. Half of
    a URL leads elsewhere, joined to the other half of another one where a frame was lost. As JSON
    a part has some 600 bytes at most, except in fenced code.
    """
    return (part[0] for part in _UNBREAKABLE.finditer(text))
