"""Places of a text that a program should have filled: variables of templates, and what programming
languages write for a missing value or for an object that was put into a text.

Spellings: `{{ x }}` (Mustache, Handlebars, Jinja, Liquid, n8n, Dify), `${x}` (JavaScript, shells,
Java), `#{x}` (Ruby), `%(x)s` (Python), `<%= x %>` (ERB, EJS), `{x}` (str.format,
LangChain, OpenAPI);
`undefined`, `None`, `null`; `[object Object]`, `<coroutine object f at 0x…>`,
`<bound method A.f of …>`, `Promise { <pending> }`.
"""

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from enum import Enum, auto
from itertools import islice
from typing import NamedTuple

from app.analysis.recorded.names import split_words
from app.analysis.recorded.spellings import plain_key

_NAME = r"[^\W\d][\w.\-]{0,60}"
_VARIABLE = re.compile(
    rf"(?<![$\\{{])\{{{{\{{?\s*[#&]?\$?(?P<a>{_NAME})#?\s*(?:\|[^{{}}\n]{{0,40}})?\}}?\}}\}}"
    rf"|\$\{{\s*(?P<b>{_NAME})\s*\}}|\#\{{(?P<c>{_NAME})\}}|%\((?P<d>{_NAME})\)[sd]"
    rf"|<%[=-]\s*@?(?P<e>{_NAME})\s*-?%>"
)
_BRACED = re.compile(rf"(?<![\w{{$#%)\]\\/])\{{(?P<a>{_NAME})\}}(?![}}/])")
"""Outside of paths, which documents of interfaces are full of."""
_BRACED_IN_ADDRESS = re.compile(rf"(?<![\w{{$#%)\]\\])\{{(?P<a>{_NAME})\}}(?!\}})")
_OBJECT = re.compile(
    r"\[object [A-Z]\w{1,30}\]"
    r"|<(?:coroutine object|bound method|(?:async_)?generator object|function) (?P<a>[\w.]{1,80})"
    r"(?:[^<>\n]|<[^<>\n]{0,80}>){0,80}>|<[\w.]{1,80} object at 0x[0-9a-fA-F]+>"
    r"|Promise \{ ?<pending> ?\}"
)
_WORDS = r"(?:undefined|None|null)"
_WORD = re.compile(
    rf"\b(?P<a>[^\W\d_]{{2,40}}(?:[ _][^\W\d_]{{2,40}}){{0,2}})[ \t:=#(]{{1,3}}{_WORDS}"
    r"(?=[.,;)!?]{0,2}(?:\s|\Z))"
)
_WHOLE_WORD = re.compile(rf"{_WORDS}\Z")
_WORD_IN_ADDRESS = re.compile(
    rf"(?<=/)(?<!/dev/){_WORDS}(?=[/?#]|\Z)|(?:(?<=[=:#_-])|^)undefined(?=[/?&#]|\Z)"
)
_WORD_MARKS = ("undefined", "None", "null")
_MARKS = ("{", "<", "[", "%(", *_WORD_MARKS)  # each sign is found in a fraction of a word's time
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]{1,200}`", re.DOTALL)
_CODE_LINE = re.compile(
    r"\bf[\"']|[\"'] % |^[ \t]*\+|=>|;[ \t]*$|\breturn\b| = |^[ \t]*(?:def|class|import|from) "
)
_LINE_READ = 200  # characters of a line on each side of a slot
_MOST_READ = 100  # slots of a text: one with more of them is about templates
_TEMPLATE_READ = 20_000  # characters
_LONGEST_ARGUMENT = 2_000  # characters: a longer one is a document
_SHORTEST_SHARED = 3  # characters of a word that two names share
_SHORTEST_MISSPELT = 5  # characters of a name: shorter ones are alike by chance
_LEAST_ALIKE = 0.85  # of the letters: another one in seven, as `kontext` for `context`
_DIGITS = re.compile(r"\d")
"""`part1` and `part2` are two names."""


class SlotKind(Enum):
    """VARIABLE: of a template, in a spelling that is little else. BRACED: `{x}`, which is much else
    as well. WORD: for a missing value. OBJECT: the name of an object instead of what it
    holds."""

    VARIABLE = auto()
    BRACED = auto()
    WORD = auto()
    OBJECT = auto()


_PATTERNS = {
    (_VARIABLE, SlotKind.VARIABLE): ("{", "%(", "<%"),
    (_BRACED, SlotKind.BRACED): ("{",),
    (_OBJECT, SlotKind.OBJECT): ("[object ", "<"),
    (_WORD, SlotKind.WORD): _WORD_MARKS,
}


class Slot(NamedTuple):
    """A place that was not filled. `name` is that of the variable, of the function of an object, or
    the word before a word for a missing value."""

    text: str
    name: str
    kind: SlotKind

    @property
    def written(self) -> str:
        """What somebody writes who means it: the placeholder, or the word for a missing value."""
        word = re.search(_WORDS, self.text) if self.kind is SlotKind.WORD else None
        return word[0] if word else self.text

    @property
    def is_whole_word(self) -> bool:
        """Whether it is an argument that is nothing but a word for a missing value."""
        return self.kind is SlotKind.WORD and _WHOLE_WORD.match(self.text) is not None

    @property
    def may_be_prose(self) -> bool:
        """Whether it is a word that people write as well: `None` is, `undefined` hardly."""
        return self.kind is SlotKind.WORD and "undefined" not in self.text

    def has_name(self, key: str) -> bool:
        """Whether a key spells the name: `memberId` that of `{{member_id}}`, or of `Member ID:
        None`."""
        if self.kind is SlotKind.WORD:
            words = re.split("[ _]", self.name)
            return plain_key(key) in {_join("_".join(words[at:])) for at in range(len(words))}
        return bool(self.name) and plain_key(key) in (plain_key(self.name), _join(self.name))

    def resembles(self, key: str) -> bool:
        """Whether a key has the name or shares a word with it. `None` after a word may be meant,
        `undefined` hardly ever is."""
        if self.has_name(key):
            return True
        if self.kind is SlotKind.WORD:
            return not self.may_be_prose and _last_word(self.name) in _split(key)
        shared = _split(self.name) & _split(key)
        if any(len(word) >= _SHORTEST_SHARED for word in shared):
            return True
        return _is_misspelt(_join(self.name), plain_key(key))


def may_have_slots(text: str) -> bool:
    """Whether there may be a slot in a text; False is certain."""
    return any(map(text.__contains__, _MARKS))


def read_slots(text: str) -> Iterator[tuple[Slot, int]]:
    """The slots of a text of a prompt outside of code, each with its place."""
    patterns = [pair for pair, marks in _PATTERNS.items() if any(map(text.__contains__, marks))]
    if patterns and "`" in text:
        text = _CODE.sub(lambda code: " " * len(code[0]), text)
    for pattern, kind in patterns:
        for match in islice(pattern.finditer(text), _MOST_READ):
            if not _CODE_LINE.search(_line_around(text, match.start())):
                yield _build(match, kind), match.start()


def _line_around(text: str, at: int) -> str:
    start = text.rfind("\n", max(0, at - _LINE_READ), at) + 1 or max(0, at - _LINE_READ)
    end = text.find("\n", at, at + _LINE_READ)
    return text[start : end if end >= 0 else at + _LINE_READ]


def read_argument(value: str, *, is_name: bool) -> Iterator[tuple[Slot, bool]]:
    """The slots of an argument, each with whether it is the argument or stands in a name, an
    address or a path, rather than in a text. `is_name` where its key says that it is a name."""
    if len(value) > _LONGEST_ARGUMENT or not may_have_slots(value):
        return
    value = value.strip()
    if is_name and _WHOLE_WORD.match(value):
        yield Slot(value, "", SlotKind.WORD), True
        return
    is_dense = not any(map(str.isspace, value))
    for pattern, kind in ((_VARIABLE, SlotKind.VARIABLE), (_OBJECT, SlotKind.OBJECT)):
        for match in pattern.finditer(value):
            yield _build(match, kind), is_dense or match[0] == value
    if is_dense:
        for match in _BRACED_IN_ADDRESS.finditer(value):
            yield _build(match, SlotKind.BRACED), True
        if _WORD_IN_ADDRESS.search(value):
            yield Slot(value, "", SlotKind.WORD), True


def is_rendered(template: str, text: str) -> bool:
    """Whether a text is a template of which no, some or all variables were filled."""
    at = 0
    pieces = _split_template(template)
    if not text.startswith(pieces[0]) or not text.endswith(pieces[-1]):
        return False
    for piece in pieces:
        at = text.find(piece, at)
        if at < 0:
            return False
        at += len(piece)
    return True


def list_filled(template: str, text: str, slot: Slot) -> list[str]:
    """The variables of a template that a text made of it does not have any more, spelled like a
    slot that the text still has; none where the slot is no variable of the template."""
    pattern = _VARIABLE if slot.kind is SlotKind.VARIABLE else _BRACED_IN_ADDRESS
    matches = islice(pattern.finditer(template[:_TEMPLATE_READ]), _MOST_READ)
    found = dict.fromkeys(match[0] for match in matches)
    return [other for other in found if other not in text] if slot.text in found else []


def _split_template(template: str) -> list[str]:
    template = _VARIABLE.sub("\0", template[:_TEMPLATE_READ])
    return _BRACED.sub("\0", template).split("\0")


def _build(match: re.Match[str], kind: SlotKind) -> Slot:
    name = next(filter(None, match.groups()), "")
    return Slot(match[0], name.rpartition(".")[2] if kind is SlotKind.OBJECT else name, kind)


def _join(name: str) -> str:
    return plain_key(name.replace(".", "_"))


def _is_misspelt(name: str, other: str) -> bool:
    """Whether two names are one but for a letter or two: `context` and `contexte`."""
    if min(len(name), len(other)) < _SHORTEST_MISSPELT or _DIGITS.search(name + other):
        return False
    return SequenceMatcher(None, name, other, autojunk=False).ratio() >= _LEAST_ALIKE


def _last_word(name: str) -> str:
    return re.split("[ _]", name)[-1].lower()


def _split(name: str) -> set[str]:
    return set(split_words(name))
