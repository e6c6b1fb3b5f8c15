"""Makes a Markdown text inert while it streams: see the docstring of `app.web.markdown`."""

import html
import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping

from app.citation_tokens import Citation, split_citations
from app.web.markdown.allowed_links import (
    BREAK,
    CITATION_PLACE,
    URL_CHARACTERS,
    AllowedLinks,
    clean_name,
    escape_name,
    find_linkable_url,
    find_showable_url,
)
from app.web.markdown.code_blocks import LINE_HEAD_CHARACTERS, CodeBlocks
from app.web.markdown.inline_code import (
    FRAME_JSON_BYTES,
    count_backticks,
    find_code,
    fits_frame,
    is_certainly_code,
)

_SPECIAL = re.compile(
    rf"[`<!|\[\]@&\\\n{CITATION_PLACE}]|\r\n?|(?:https?|ftp)://|www\.", re.IGNORECASE
)
_SPECIAL_BEGUN = re.compile(r"(?:ht{0,2}|https?:?/?|ft?|ftp:?/?|w{1,3})\Z", re.IGNORECASE)
_SPECIAL_LENGTH = 8
"""Characters of the longest thing that `_SPECIAL` finds, `https://`."""

_HEADING_BEGUN = re.compile(r"#{1,6}[^\S\r\n]*")
_LINE_END = re.compile(r"\r\n?|\n")
_ESCAPABLE = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
_APART = re.compile(rf"[\s(\"*_|>{BREAK}]\Z")
_ENDS_NAME = " \t\r\n,;!?)*_\"'|"
_ENTITY = re.compile(r"&(?:#\d+|#x[0-9a-f]+|[a-z][a-z0-9]*);", re.IGNORECASE)
_ENTITY_BEGUN = re.compile(r"&#?[0-9a-z]*\Z", re.IGNORECASE)
_ENTITY_LIMIT = 40
"""Characters of a reference that is waited for; the longest named one has 33."""

_TITLE = r"[\w .,:;/-]*"
_LINK = re.compile(rf'\]\( *({URL_CHARACTERS}+)(?: +"{_TITLE}")? *\)')
_LINK_BEGUN = re.compile(rf'\]\( *{URL_CHARACTERS}*(?: +(?:"{_TITLE}(?:" *)?)?)?\Z')
_URL_LIMIT = FRAME_JSON_BYTES
"""Characters of a URL that is waited for; a longer one is broken, since no frame could hold it."""

_URL_REACH = re.compile(r"[^ \t\r\n]*")
_ADDRESSEE = r"[^\s()\[\]<>|]"
_ADDRESSED = re.compile(rf"{_ADDRESSEE}\Z")
_ESCAPED_LINK = re.compile(
    rf"(?:(?:https?|ftp)\\:|:/?\\/|www\\\.|{_ADDRESSEE}\\@)\Z", re.IGNORECASE
)


class MarkdownFilter:
    """Makes the text of one bubble inert as it comes.

    Any split of a text gives the same joined output; at most some 600 characters are held back.
    Citations become links, or names, and vanish where there is no name.
    """

    def __init__(self, links: AllowedLinks) -> None:
        self._links = links
        self._text = ""
        self._position = 0
        self._taken_characters = 0
        # Citations and their positions, counted from the beginning of the bubble's text: each has
        # the place of one character, CITATION_PLACE.
        self._citations: deque[tuple[int, Citation]] = deque()
        self._blocks = CodeBlocks()
        self._in_line = False
        self._at_head = False
        self._labels = 0
        self._out: list[str] = []
        self._last = ""
        self._handlers: dict[str, Callable[[bool], bool]] = {
            "<": self._read_angle_bracket,
            "!": self._read_exclamation_mark,
            "@": self._read_at_sign,
            "\\": self._read_backslash,
            "&": self._read_ampersand,
            "[": self._read_opening_bracket,
            "]": self._read_closing_bracket,
            "|": self._read_cell_border,
            "`": self._read_code,
            CITATION_PLACE: self._read_citation,
        }

    def feed(self, parts: Iterable[str | Citation]) -> str:
        """What can be shown, now that these parts of the text have come."""
        for part in parts:
            if isinstance(part, str):
                self._text += part
            elif part.name is not None:
                self._citations.append((self._taken_characters + len(self._text), part))
                self._text += CITATION_PLACE
        return self._show_certain(complete=False)

    def end(self) -> str:
        """The rest of the text."""
        return self._show_certain(complete=True)

    def _show_certain(self, *, complete: bool) -> str:
        while self._position < len(self._text) and self._show_next(complete):
            pass
        self._text = self._text[self._position :]
        self._taken_characters += self._position
        self._position = 0
        shown = "".join(self._out)
        self._out.clear()
        return shown

    def _show_next(self, complete: bool) -> bool:
        """Shows the next of the text; False when more of the text is needed for that."""
        text, at = self._text, self._position
        if not self._in_line:
            self._in_line = self._at_head = self._blocks.read_line_head(
                text[at : at + LINE_HEAD_CHARACTERS], complete=complete
            )
            return self._in_line
        if self._at_head and not self._blocks.fenced:
            return self._read_heading(complete)
        special = (_LINE_END if self._blocks.fenced else _SPECIAL).search(text, at)
        if special is None:
            begun = None
            if not complete and not self._blocks.fenced:
                begun = _SPECIAL_BEGUN.search(text, max(at, len(text) - _SPECIAL_LENGTH))
            self._take(begun.start() - at if begun else len(text) - at)
            return begun is None
        self._take(special.start() - at)
        if special[0] in {"\r", "\n", "\r\n"}:
            return self._read_line_end(special[0], complete)
        handler = self._handlers.get(special[0])
        return handler(complete) if handler else self._read_url(special[0], complete)

    def _read_heading(self, complete: bool) -> bool:
        """Breaks a heading that the panel would close, with all that follows it inside."""
        begun = _HEADING_BEGUN.match(
            self._text, self._position, self._position + LINE_HEAD_CHARACTERS
        )
        if begun is not None:
            limited = len(begun[0]) >= LINE_HEAD_CHARACTERS
            if begun.end() == len(self._text) and not limited and not complete:
                return False
            closed = self._text.startswith(">", begun.end())
            self._take(len(begun[0]), begun[0] + BREAK if closed or limited else None)
        self._at_head = False
        return True

    def _take(self, length: int, shown: str | None = None) -> None:
        """Moves over `length` characters and shows them, or `shown` in their place."""
        if shown is None:
            shown = self._text[self._position : self._position + length]
            if CITATION_PLACE in shown:
                shown = "".join(map(self._name_at, range(self._position, self._position + length)))
        self._position += length
        self._out.append(shown)
        self._last = (self._last + shown)[-_SPECIAL_LENGTH:]

    def _take_citation(self, at: int) -> Citation | None:
        """Removes and returns the citation at this position, None where a character stands."""
        if self._citations and self._citations[0][0] == self._taken_characters + at:
            return self._citations.popleft()[1]
        return None

    def _name_at(self, at: int) -> str:
        """The character at this position, or the name of the citation that stands there."""
        citation = self._take_citation(at)
        return self._text[at] if citation is None else clean_name(citation.name or "")

    def _next_character(self, complete: bool) -> str | None:
        """The character after the present one: "" after the last, None when it is not known."""
        following = self._text[self._position + 1 : self._position + 2]
        return following if following or complete else None

    def _read_line_end(self, ending: str, complete: bool) -> bool:
        if ending == "\r" and self._next_character(complete) is None:
            return False
        self._take(len(ending))
        self._in_line = False
        self._leave_labels()
        return True

    def _leave_labels(self) -> None:
        """Forgets open labels: links are certain only within one cell of one line."""
        self._blocks.spanning_label = self._blocks.spanning_label or self._labels > 0
        self._labels = 0

    def _read_angle_bracket(self, complete: bool) -> bool:
        following = self._next_character(complete)
        if following is None:
            return False
        opens = following in {"/", "!", "?", CITATION_PLACE} or (
            following.isascii() and following.isalpha()
        )
        self._take(1, f"<{BREAK}" if opens else "<")
        return True

    def _read_exclamation_mark(self, complete: bool) -> bool:
        following = self._next_character(complete)
        if following is None:
            return False
        self._take(1, f"!{BREAK}" if following == "[" else "!")
        return True

    def _read_at_sign(self, complete: bool) -> bool:
        following = self._next_character(complete)
        if following is None:
            return False
        address = following and not following.isspace() and _ADDRESSED.search(self._last)
        self._take(1, f"{BREAK}@" if address else "@")
        return True

    def _read_backslash(self, complete: bool) -> bool:
        following = self._next_character(complete)
        if following is None:
            return False
        if not following or following not in _ESCAPABLE:
            self._take(1)
            return True
        pair = f"\\{following}"
        self._blocks.open_run = self._blocks.open_run or following == "`"
        linking = _ESCAPED_LINK.search(self._last + pair)
        self._take(2, f"{BREAK}{pair}" if linking else pair)
        return True

    def _read_ampersand(self, complete: bool) -> bool:
        entity = _ENTITY.match(self._text, self._position)
        waiting = len(self._text) - self._position
        growing = entity is None and waiting <= _ENTITY_LIMIT and not complete
        if growing and _ENTITY_BEGUN.match(self._text, self._position):
            return False
        begins = self._text.startswith("&#", self._position)
        harmless = (
            _is_harmless(entity[0]) if entity and len(entity[0]) <= _ENTITY_LIMIT else not begins
        )
        self._take(1, "&" if harmless else f"&{BREAK}")
        return True

    def _read_opening_bracket(self, _: bool) -> bool:
        self._labels += 1
        self._take(1)
        return True

    def _read_cell_border(self, _: bool) -> bool:
        self._leave_labels()
        self._take(1)
        return True

    def _read_closing_bracket(self, complete: bool) -> bool:
        following = self._next_character(complete)
        if following is None:
            return False
        if following == "(":
            return self._read_link(complete)
        broken = following == ":" and self._blocks.open_label
        self._take(1, f"]{BREAK}" if broken else "]")
        self._labels = max(0, self._labels - 1)
        return True

    def _read_link(self, complete: bool) -> bool:
        link = _LINK.match(self._text, self._position, self._position + _URL_LIMIT)
        waiting = len(self._text) - self._position
        growing = link is None and waiting < _URL_LIMIT and not complete
        if growing and _LINK_BEGUN.match(self._text, self._position):
            return False
        url = link[1] if link and 0 < self._labels <= 2 and "://" in link[1] else ""
        certain = url in self._links.allowed and not self._blocks.open_run
        allowed = certain or self._links.goes_to_ui(url)
        if link and url and allowed and fits_frame(link[0]):
            self._take(len(link[0]))
            self._labels = 0
        else:
            self._take(2, "] (")
            self._labels = max(0, self._labels - 1)
        return True

    def _read_code(self, complete: bool) -> bool:
        """Shows code within a line unchanged where its end is certain, else its backticks."""
        length = count_backticks(self._text, self._position, complete=complete)
        if length is None:
            return False
        if not self._blocks.open_run:
            code = find_code(self._text, self._position, length, complete=complete)
            if code is None:
                return False
            nested = self._labels > 1 or self._blocks.spanning_label
            may_define = self._blocks.open_label
            if code and is_certainly_code(code, may_define=may_define, may_end_label=nested):
                self._take(len(code))
                return True
            self._blocks.open_run = True
        self._take(length)
        return True

    def _read_url(self, beginning: str, complete: bool) -> bool:
        """Shows a bare URL as it is where it may be a link, else as code or broken."""
        reach = _URL_REACH.match(self._text, self._position, self._position + _URL_LIMIT)
        assert reach is not None
        whole = reach[0]
        if reach.end() == len(self._text) and len(whole) < _URL_LIMIT and not complete:
            return False
        ends = len(whole) < _URL_LIMIT and fits_frame(whole)
        emphasised = self._last.endswith("*")
        linked = find_linkable_url(whole, self._links, emphasised=emphasised) if ends else ""
        shown = find_showable_url(whole) if ends else ""
        certain = not (self._blocks.perhaps_code or self._blocks.open_run)
        if linked:
            self._take(len(linked))
        elif certain and shown and self._last[-1:] not in {"`", "\\"}:
            self._take(len(shown), f"`{shown}`")
        else:
            self._take(len(beginning.rstrip("/.")), beginning.rstrip("/.") + BREAK)
        return True

    def _read_citation(self, complete: bool) -> bool:
        following = self._next_character(complete)
        if following is None:
            return False
        citation = self._take_citation(self._position)
        if citation is None:
            self._take(1)
            return True
        name, in_code = citation.name or "", self._blocks.perhaps_code
        link = None if in_code else self._links.format_link(citation.kind, citation.id, name)
        if link is not None:
            before = BREAK if self._last[-1:] in {"!", "\\"} else ""
            self._take(1, before + link)
            self._labels = 0
            return True
        shown = clean_name(name) if in_code else escape_name(name)
        before = BREAK if self._last and not _APART.search(self._last) else ""
        after = BREAK if following and following not in _ENDS_NAME else ""
        self._take(1, before + shown + after)
        return True


def make_inert(text: str, links: AllowedLinks, names: Mapping[str, str]) -> str:
    """Makes a whole text inert; `names` are the names of what it cites, by id."""
    made_inert = MarkdownFilter(links)
    return made_inert.feed(split_citations(text, lambda _, id: names.get(id))) + made_inert.end()


def _is_harmless(entity: str) -> bool:
    """Whether a character reference shows nothing that could be part of a link."""
    shown = html.unescape(entity)
    return shown == entity or all(
        character in "&<>\"'" or character > "\x9f" for character in shown
    )
