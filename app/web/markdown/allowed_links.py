"""Where a text in the panel may link to: the UI, URLs that the user wrote, and what is cited."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, unquote

from app.web.markdown.inline_code import fits_frame

BREAK = "\u200b"
"""A zero-width space: seen by every Markdown parser and by no reader."""

CITATION_PLACE = "\ufffc"
"""The object replacement character: has the place of a citation in the filter's buffer."""

URL_CHARACTERS = r"[A-Za-z0-9/?#&=%+,$:._~-]"
"""The characters of URLs that may stay links: none ends a destination or is Markdown's."""

_URL = re.compile(rf"(?:https?://|ftp://|www\.){URL_CHARACTERS}+", re.IGNORECASE)
_URL_ENDS_BEFORE = "?,:._~"
_LINKED = re.compile(rf"{URL_CHARACTERS}*[A-Za-z0-9/#&=%+$-]")
_SHOWN = re.compile(r"[^\s<>\[\]\"|`\\{}\ufffc]*")
_NOT_LINKED = frozenset(["`", "\\", CITATION_PLACE])
_AFTER_URL = re.compile(r"[.,:)]*[!?\"']?")
_HAS_INNER_URL = re.compile(r"(?:\w+://)?+(?:www\.)?+.*(?:://|www\.)", re.IGNORECASE)
_NESTED = re.compile(r"%(?:25)+")
"""A percent sign however often it is encoded, so that all are decoded in one pass."""
_STEPS = re.compile(r"[/\\]+")
_LEAVES_UI = re.compile(r"(?:\.\.|api|opik-ai)(?![a-z0-9-])")
"""Parts of a path that lead out of the UI: above it, or to what is served beside it. Opik's API
redirects to whatever address a query names. The end of the part is not required: of a bare URL
such as `/opik-ai<b>` or `/opik-ai~~x~~` parsers link to what stands before the punctuation."""
_NAME_LENGTH = 80
"""Characters of a name that are shown, so that no name fills the panel."""

_NAMELESS = "span"
_SCHEME = re.compile(r"(?:https?|ftp):(?=/)|www(?=\.)|\S(?=@)", re.IGNORECASE)
_PUNCTUATION = re.compile(r"[!-/:-@\[-_{-~]")
_NOT_PLAIN = re.compile(r"[^\w \-.,:;()/@+=#'\u200b]")


@dataclass(frozen=True)
class AllowedLinks:
    """The URLs that a text may link to.

    `ui_base` is an absolute URL without query ("" for none). `span_url` builds a span's URL from
    its id, `trace_url` that of another trace; where one is None its names are shown without a link.
    `allowed` holds further URLs, each for exactly itself.
    """

    ui_base: str = ""
    span_url: Callable[[str], str] | None = None
    trace_url: Callable[[str], str] | None = None
    allowed: frozenset[str] = frozenset()

    def goes_to_ui(self, url: str) -> bool:
        """Whether a URL (of URL_CHARACTERS) is a page of the UI, also when resolved."""
        base = self.ui_base.rstrip("/")
        if not base or not url.startswith(base):
            return False
        rest = url[len(base) :]
        path = re.split(r"[?#]", rest, maxsplit=1)[0]
        return rest[:1] in {"", "/", "?", "#"} and not any(map(_LEAVES_UI.match, _split_path(path)))

    def format_link(self, kind: str, id: str, name: str) -> str | None:
        """A Markdown link to a span or a trace with its name as inert text; None without a URL
        that fits into one frame."""
        url_of = self.trace_url if kind == "trace" else self.span_url
        if url_of is None:
            return None
        url = quote(url_of(id), safe="/?#&=%+,$:.~-_@;")
        if not fits_frame(f"]({url})"):
            return None
        return f"[{escape_name(name)}]({url})"


def _split_path(path: str) -> list[str]:
    """The parts of a path in lower case, decoded as often as it is encoded."""
    while (decoded := unquote(_NESTED.sub("%", path))) != path:
        path = decoded
    return _STEPS.split(path.lower())


def find_linkable_url(written: str, links: AllowedLinks, *, emphasised: bool) -> str:
    """The beginning of a bare URL that may stay a link as it is; "" where none may.

    `written` is all up to the next blank, which is what the greediest parser takes for the URL.
    Parsers disagree about what follows a backtick, a backslash or a URL within a URL, and about
    asterisks unless some stand before the URL (`emphasised`).
    """
    found = _LINKED.match(written)
    if found is None or not _NOT_LINKED.isdisjoint(written) or not written.isprintable():
        return ""
    if _HAS_INNER_URL.match(found[0]):
        return ""
    known = found[0] in links.allowed
    if _AFTER_URL.fullmatch(written.rstrip("*") if emphasised else written, found.end()):
        return found[0] if known or links.goes_to_ui(found[0]) else ""
    return found[0] if links.goes_to_ui(written) else ""


def find_showable_url(written: str) -> str:
    """The part of a bare URL that is shown as code; "" where there is none."""
    found = _SHOWN.match(written)
    assert found is not None
    shown = found[0].rstrip("!*_~'\"?.,:;")
    while shown.endswith(")") and shown.count(")") > shown.count("("):
        shown = shown[:-1].rstrip("!*_~'\"?.,:;")
    backtick_follows = written[len(shown) : len(shown) + 1] == "`"
    return "" if backtick_follows or shown.endswith(("://", ":")) else shown


def find_urls(text: str) -> frozenset[str]:
    """The URLs in a user's message, without the punctuation that follows them.

    A URL with other characters than `URL_CHARACTERS` is left out: parsers disagree about its end.
    """
    found = set()
    for match in _URL.finditer(text):
        following = text[match.end() : match.end() + 1]
        if not following or following.isspace() or following in ")]<>\"'`*!;|":
            found.add(match[0].rstrip(_URL_ENDS_BEFORE))
    return frozenset(found)


def escape_name(name: str) -> str:
    """A name as Markdown that shows its characters and means nothing, at most 80 of them.

    A backtick is written as a reference, since parsers disagree about escaped ones.
    """
    return _PUNCTUATION.sub(r"\\\g<0>", _to_one_line(name)).replace("`", "&#96;")


def clean_name(name: str) -> str:
    """A name for places that may be code: without the characters that mean something."""
    return " ".join(_NOT_PLAIN.sub(" ", _to_one_line(name)).split()) or _NAMELESS


def _to_one_line(name: str) -> str:
    shown = []
    for character in name[: 4 * _NAME_LENGTH]:
        category = unicodedata.category(character)
        if category in {"Cc", "Zl", "Zp", "Zs"}:
            shown.append(" ")
        elif category not in {"Cf", "Cs", "Cn"}:
            shown.append(character)
    text = " ".join("".join(shown).split())
    if len(text) > _NAME_LENGTH:
        text = text[: _NAME_LENGTH - 1] + "…"
    return _SCHEME.sub(rf"\g<0>{BREAK}", text) or _NAMELESS
