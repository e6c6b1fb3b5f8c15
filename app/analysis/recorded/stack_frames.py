"""The frames of a stack trace: which are the program's, and which a library's.

Python writes the frame that raised last, Java, JavaScript, .NET, PHP and Ruby write it first.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

_READ = 100_000  # characters: the first and the last half of a longer stack, a deep recursion
_LONGEST_FRAME = 400  # characters kept of a frame with its source, and read of a place
_PYTHON = re.compile(r'[\s|+-]*File "([^"]{1,300})", line (\d+)(?:, in (.{1,80}))?')
_RAISED_FIRST = re.compile(r"\s*(?:at (?=\S)|#\d+ (?=\S)|(?:from )?(?=\S+\.rb:\d+:in ))(.+)")
_SOURCE = re.compile(r"(?:\s*\|)?\s{4,}(?![|+])")
"""What begins a line of source below a frame of Python."""
_MARKS = re.compile(r"[\s|~^]*\Z")
_LIBRARY = re.compile(
    r"(?:site-packages|dist-packages|node_modules|/gems|/vendor(?=/\S+\.(?:php|go)\b))"
    r"/((?:@[\w.-]+/)?[\w.-]+)"
)
_STANDARD = re.compile(
    r"/lib/python[\d.]*/|<frozen |(?:^|\()node:|(?:^|[/(])(?:java|javax|jdk|sun|kotlin|scala)\."
    r"|^(?:System|Microsoft)\.|internal/process/"
)
"""Places in what comes with a language: Python, Node, the JVM, .NET."""


class Frame(NamedTuple):
    """A place in a stack, or a line between places (`is_place` is false). `library` names whose
    code it is, empty for the program's own; `is_first` that the place that raised comes first."""

    text: str
    is_place: bool = False
    library: str = ""
    is_first: bool = False


def find_library(place: str) -> str:
    """The package that a path or a function lies in, empty for the program's own code."""
    place = place[:_LONGEST_FRAME].replace("\\", "/")
    found = _LIBRARY.search(place)
    if found:
        return found[1].removesuffix(".py")
    return "the standard library" if _STANDARD.search(place) else ""


def read_frames(stack: str) -> Iterator[Frame]:
    """The places in the order written, each with its source, and the lines between them."""
    frame: Frame | None = None
    text = stack if len(stack) <= _READ else stack[: _READ // 2] + "\n" + stack[-_READ // 2 :]
    for line in text.splitlines():
        if _MARKS.match(line):
            continue
        if frame is not None and _SOURCE.match(line) and not _PYTHON.match(line):
            source = line[:_LONGEST_FRAME].strip("| ")
            if len(frame.text) < _LONGEST_FRAME:
                frame = frame._replace(text=f"{frame.text}: {source}")
            continue
        if frame is not None:
            yield frame
            frame = None
        if found := _PYTHON.match(line):
            frame = Frame(line.strip("|+- "), True, find_library(found[1]))
        elif found := _RAISED_FIRST.match(line):
            yield Frame(line.strip(), True, find_library(found[1]), is_first=True)
        else:
            yield Frame(line)
    if frame is not None:
        yield frame


def find_raising_place(stack: str) -> str:
    """The place that raised, as written; empty where a stack has none."""
    places = [frame for frame in read_frames(stack) if frame.is_place]
    if not places:
        return ""
    return places[0].text if places[0].is_first else places[-1].text
