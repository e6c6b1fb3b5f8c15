"""Texts made inert: what the panel renders of them loads nothing and links to known places only.

The panel renders Markdown: an image loads by being shown, a link leaves by a click, and either
can carry what a trace holds. So everything that may become an image, raw HTML or a link is broken
by a zero-width space, unless it is certainly code or certainly goes where `AllowedLinks` allows.
Where
parsers may disagree the text counts as the more dangerous reading.
"""

import html
import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping

from app.citation_tokens import Citation, split_citations
from app.web.markdown.allowed_links import (
    BREAK,
    PLACE,
    URL_CHARACTERS,
    AllowedLinks,
    escaped,
    linkable,
    plain,
    showable,
    urls_in,
)
from app.web.markdown.code_blocks import LINE_HEAD, CodeBlocks
from app.web.markdown.inline_code import closed_code, is_certain, opening_run, unbroken

__all__ = ["AllowedLinks", "MarkdownFilter", "make_inert", "unbroken", "urls_in"]

_SPECIAL = re.compile(rf"[`<!|\[\]@&\\\n{PLACE}]|\r\n?|(?:https?|ftp)://|www\.", re.IGNORECASE)
_SPECIAL_BEGUN = re.compile(r"(?:ht{0,2}|https?:?/?|ft?|ftp:?/?|w{1,3})\Z", re.IGNORECASE)
_SPECIAL_LENGTH = 8
_LINE_END = re.compile(r"\r\n?|\n")
_ESCAPABLE = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
_APART = re.compile(rf"[\s(\"*_|>{BREAK}]\Z")
_ENDS_NAME = " \t\r\n,;!?)*_\"'|"
_ENTITY = re.compile(r"&(?:#\d+|#x[0-9a-f]+|[a-z][a-z0-9]*);", re.IGNORECASE)
_ENTITY_BEGUN = re.compile(r"&#?[0-9a-z]*\Z", re.IGNORECASE)
_ENTITY_LIMIT = 40
_TITLE = r"[\w .,:;/-]*"
_LINK = re.compile(rf'\]\( *({URL_CHARACTERS}+)(?: +"{_TITLE}")? *\)')
_LINK_BEGUN = re.compile(rf'\]\( *{URL_CHARACTERS}*(?: +(?:"{_TITLE}(?:" *)?)?)?\Z')
_URL_LIMIT = 2000
_URL_REACH = re.compile(r"[^ \t\r\n]*")
_ADDRESSEE = r"[^\s()\[\]<>|]"
_ADDRESSED = re.compile(rf"{_ADDRESSEE}\Z")
_ESCAPED_LINK = re.compile(
    rf"(?:(?:https?|ftp)\\:|:/?\\/|www\\\.|{_ADDRESSEE}\\@)\Z", re.IGNORECASE
)


class MarkdownFilter:
    """Makes the text of one bubble inert as it comes.

    Any split of a text gives the same joined output; at most some 2,000 characters are held back.
    Citations become links, or names, and vanish where there is no name.
    """

    def __init__(self, links: AllowedLinks) -> None:
        self._links = links
        # Each citation stands as PLACE in the text. Which characters stand for one is known by
        # their places, counted from the beginning of the bubble's text.
        self._citations: deque[tuple[int, Citation]] = deque()
        self._gone = 0
        self._text = ""
        self._at = 0
        self._blocks = CodeBlocks()
        self._in_line = False
        self._labels = 0
        self._out: list[str] = []
        self._last = ""
        self._handlers: dict[str, Callable[[bool], bool]] = {
            "<": self._angle,
            "!": self._exclamation,
            "@": self._at_sign,
            "\\": self._backslash,
            "&": self._ampersand,
            "[": self._label,
            "]": self._bracket,
            "|": self._cell,
            "`": self._code,
            PLACE: self._citation,
        }

    def feed(self, parts: Iterable[str | Citation]) -> str:
        """What can be shown, now that these parts of the text have come."""
        for part in parts:
            if isinstance(part, str):
                self._text += part
            elif part.name is not None:
                self._citations.append((self._gone + len(self._text), part))
                self._text += PLACE
        return self._show(complete=False)

    def end(self) -> str:
        """The rest of the text."""
        return self._show(complete=True)

    def _show(self, *, complete: bool) -> str:
        while self._at < len(self._text) and self._step(complete):
            pass
        self._text = self._text[self._at :]
        self._gone += self._at
        self._at = 0
        shown = "".join(self._out)
        self._out.clear()
        return shown

    def _step(self, complete: bool) -> bool:
        """Shows the next of the text; False when more of the text is needed for that."""
        text, at = self._text, self._at
        if not self._in_line:
            self._in_line = self._blocks.begin(text[at : at + LINE_HEAD], complete=complete)
            return self._in_line
        special = (_LINE_END if self._blocks.fenced else _SPECIAL).search(text, at)
        if special is None:
            begun = None
            if not complete and not self._blocks.fenced:
                begun = _SPECIAL_BEGUN.search(text, max(at, len(text) - _SPECIAL_LENGTH))
            self._take(begun.start() - at if begun else len(text) - at)
            return begun is None
        self._take(special.start() - at)
        if special[0] in {"\r", "\n", "\r\n"}:
            return self._line_end(special[0], complete)
        handler = self._handlers.get(special[0])
        return handler(complete) if handler else self._url(special[0], complete)

    def _take(self, length: int, shown: str | None = None) -> None:
        """Takes so much of the text and shows it, or something else in its place."""
        if shown is None:
            shown = self._text[self._at : self._at + length]
            if PLACE in shown:
                shown = "".join(map(self._name_at, range(self._at, self._at + length)))
        self._at += length
        self._out.append(shown)
        self._last = (self._last + shown)[-_SPECIAL_LENGTH:]

    def _citation_at(self, at: int) -> Citation | None:
        """Takes the citation that stands at this place of the text, if one does."""
        if self._citations and self._citations[0][0] == self._gone + at:
            return self._citations.popleft()[1]
        return None

    def _name_at(self, at: int) -> str:
        """The character at this place, or the name of the citation that stands there."""
        citation = self._citation_at(at)
        return self._text[at] if citation is None else plain(citation.name or "")

    def _next(self, complete: bool) -> str | None:
        """The character after the present one: "" after the last, None when it is not known."""
        following = self._text[self._at + 1 : self._at + 2]
        return following if following or complete else None

    def _line_end(self, ending: str, complete: bool) -> bool:
        if ending == "\r" and self._next(complete) is None:
            return False
        self._take(len(ending))
        self._in_line = False
        self._leave_labels()
        return True

    def _leave_labels(self) -> None:
        """Links are only taken for certain within one cell of one line."""
        self._blocks.spanning_label = self._blocks.spanning_label or self._labels > 0
        self._labels = 0

    def _angle(self, complete: bool) -> bool:
        following = self._next(complete)
        if following is None:
            return False
        opens = following in {"/", "!", "?", PLACE} or (following.isascii() and following.isalpha())
        self._take(1, f"<{BREAK}" if opens else "<")
        return True

    def _exclamation(self, complete: bool) -> bool:
        following = self._next(complete)
        if following is None:
            return False
        self._take(1, f"!{BREAK}" if following == "[" else "!")
        return True

    def _at_sign(self, complete: bool) -> bool:
        following = self._next(complete)
        if following is None:
            return False
        address = following and not following.isspace() and _ADDRESSED.search(self._last)
        self._take(1, f"{BREAK}@" if address else "@")
        return True

    def _backslash(self, complete: bool) -> bool:
        following = self._next(complete)
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

    def _ampersand(self, complete: bool) -> bool:
        entity = _ENTITY.match(self._text, self._at)
        waiting = len(self._text) - self._at
        growing = entity is None and waiting <= _ENTITY_LIMIT and not complete
        if growing and _ENTITY_BEGUN.match(self._text, self._at):
            return False
        begins = self._text.startswith("&#", self._at)
        harmless = (
            _is_harmless(entity[0]) if entity and len(entity[0]) <= _ENTITY_LIMIT else not begins
        )
        self._take(1, "&" if harmless else f"&{BREAK}")
        return True

    def _label(self, _: bool) -> bool:
        self._labels += 1
        self._take(1)
        return True

    def _cell(self, _: bool) -> bool:
        self._leave_labels()
        self._take(1)
        return True

    def _bracket(self, complete: bool) -> bool:
        following = self._next(complete)
        if following is None:
            return False
        if following == "(":
            return self._link(complete)
        broken = following == ":" and self._blocks.open_label
        self._take(1, f"]{BREAK}" if broken else "]")
        self._labels = max(0, self._labels - 1)
        return True

    def _link(self, complete: bool) -> bool:
        link = _LINK.match(self._text, self._at, self._at + _URL_LIMIT)
        waiting = len(self._text) - self._at
        growing = link is None and waiting < _URL_LIMIT and not complete
        if growing and _LINK_BEGUN.match(self._text, self._at):
            return False
        url = link[1] if link and 0 < self._labels <= 2 and "://" in link[1] else ""
        certain = url in self._links.allowed and not self._blocks.open_run
        if link and url and (certain or self._links.goes_to_ui(url)):
            self._take(len(link[0]))
            self._labels = 0
        else:
            self._take(2, "] (")
            self._labels = max(0, self._labels - 1)
        return True

    def _code(self, complete: bool) -> bool:
        """Code within a line, when its end is certain, passes; else the run alone is shown."""
        length = opening_run(self._text, self._at, complete=complete)
        if length is None:
            return False
        if not self._blocks.open_run:
            code = closed_code(self._text, self._at, length, complete=complete)
            if code is None:
                return False
            nested = self._labels > 1 or self._blocks.spanning_label
            may_define = self._blocks.open_label
            if code and is_certain(code, may_define=may_define, may_end_label=nested):
                self._take(len(code))
                return True
            self._blocks.open_run = True
        self._take(length)
        return True

    def _url(self, beginning: str, complete: bool) -> bool:
        """A bare URL stays when it may be linked to, becomes code, or is broken."""
        reach = _URL_REACH.match(self._text, self._at, self._at + _URL_LIMIT)
        assert reach is not None
        whole = reach[0]
        if reach.end() == len(self._text) and len(whole) < _URL_LIMIT and not complete:
            return False
        ends = len(whole) < _URL_LIMIT
        emphasised = self._last.endswith("*")
        linked = linkable(whole, self._links, emphasised=emphasised) if ends else ""
        shown = showable(whole) if ends else ""
        certain = not (self._blocks.perhaps_code or self._blocks.open_run)
        if linked:
            self._take(len(linked))
        elif certain and shown and self._last[-1:] not in {"`", "\\"}:
            self._take(len(shown), f"`{shown}`")
        else:
            self._take(len(beginning.rstrip("/.")), beginning.rstrip("/.") + BREAK)
        return True

    def _citation(self, complete: bool) -> bool:
        following = self._next(complete)
        if following is None:
            return False
        citation = self._citation_at(self._at)
        if citation is None:
            self._take(1)
            return True
        name = citation.name or ""
        link = (
            None if self._blocks.perhaps_code else self._links.to(citation.kind, citation.id, name)
        )
        before = after = ""
        if link is None:
            link = plain(name) if self._blocks.perhaps_code else escaped(name)
            before = BREAK if self._last and not _APART.search(self._last) else ""
            after = BREAK if following and following not in _ENDS_NAME else ""
        else:
            before = BREAK if self._last[-1:] in {"!", "\\"} else ""
            self._labels = 0
        self._take(1, before + link + after)
        return True


def make_inert(text: str, links: AllowedLinks, names: Mapping[str, str]) -> str:
    """A whole text as the panel may have it; `names` are names by id."""
    made_inert = MarkdownFilter(links)
    return made_inert.feed(split_citations(text, lambda _, id: names.get(id))) + made_inert.end()


def _is_harmless(entity: str) -> bool:
    """Whether a character reference shows nothing that could be part of a link."""
    shown = html.unescape(entity)
    return shown == entity or all(
        character in "&<>\"'" or character > "\x9f" for character in shown
    )
