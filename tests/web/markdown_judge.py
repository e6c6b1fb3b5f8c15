"""What a Markdown parser makes of a text: everything in it that loads or leads somewhere.

markdown-it-py stands in for the panel's parser, raw HTML included. It finds no bare URLs without
a further package; those are looked for in the text that it would show, as GFM's parsers do.
"""

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

_COMMONMARK = MarkdownIt("commonmark", {"html": True})
_GFM = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
_BARE = re.compile(r"(?:(?:https?|ftp)://|www\.)[-.\w]+[^\s<]*|[-.\w+]+@[-\w]+", re.IGNORECASE)
_BESIDE_THE_UI = re.compile(r"^[^?#]*/(?:api|opik-ai)(?:[/?#]|$)", re.IGNORECASE)
_AFTER_BARE = ".,:!?*_~)\"'"


def dangers(text: str, *, ui_base: str = "", allowed: frozenset[str] = frozenset()) -> list[str]:
    """The images, HTML and foreign links of a text, by any of the parsers; [] for none."""
    found = [thing for parser in (_COMMONMARK, _GFM) for thing in _things(parser.parse(text))]
    return [thing for thing in found if not _is_home(thing, ui_base, allowed)]


def _is_home(thing: str, ui_base: str, allowed: frozenset[str]) -> bool:
    kind, _, url = thing.partition(" ")
    if kind != "link":
        return False
    below = (f"{ui_base}/", f"{ui_base}?", f"{ui_base}#")
    at_home = bool(ui_base and (url == ui_base or url.startswith(below)))
    return url in allowed or (at_home and not _BESIDE_THE_UI.search(url[len(ui_base) :]))


def _things(tokens: list[Token]) -> Iterator[str]:
    shown = ""
    within_link = False
    for token in tokens:
        if token.type in {"image", "html_inline", "html_block"}:
            yield f"{token.type} {token.content}"
        elif token.type == "link_open":
            within_link = True
            yield f"link {token.attrGet('href')}"
        elif token.type == "link_close":
            within_link = False
        if token.type in {"text", "text_special"} and not within_link:
            shown += token.content
        else:
            yield from _bare_links(shown)
            shown = ""
        yield from _things(token.children or [])
    yield from _bare_links(shown)


def _bare_links(shown: str) -> Iterator[str]:
    for found in _BARE.finditer(shown):
        yield f"link {found[0].rstrip(_AFTER_BARE)}"
