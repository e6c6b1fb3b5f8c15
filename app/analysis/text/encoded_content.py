"""Replaces attachments and other encoded content in texts by their kind and size.

An image in base64 fills an outline and tells a reader nothing: `[image/png, 48 KB]` does.
"""

import base64
import binascii
import re
import string
from itertools import pairwise

LEAST_ENCODED = 160  # characters without a break: longer than digests and keys
_CHECKED = 200  # characters that show whether something is encoded
_LEAST_CASE_CHANGES = 0.15  # of neighbouring letters; base64 has 0.5, names and paths below 0.1
_BASE64 = ";base64,"
_LONGEST_PREFIX = 120  # characters of `data:image/png;base64,`
# Characters of one encoded piece, scanned in 10 ms; nothing after a larger one is shown.
_MOST_SCANNED = 2_000_000
_RUN_CHARACTERS = string.ascii_letters + string.digits + "+/=_-"
_RUN = re.compile(r"[A-Za-z0-9+/=_-]+")
_PREFIX = re.compile(r"data:([\w.+-]{1,40}/[\w.+-]{1,60})?[\w.+;=-]{0,40};base64,\Z")
_HEX = re.compile(r"[0-9a-f]+|[0-9A-F]+")

# The first bytes of files (the list of "magic numbers" of the `file` command).
_KINDS = (
    (b"\x89PNG", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"%PDF", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"OggS", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"fLaC", "audio/flac"),
    (b"\x1f\x8b", "application/gzip"),
)


def shorten_encoded(text: str, *, limit: int) -> str:
    """The beginning of `text`, of at least `limit` characters where it has them, with encoded
    content replaced by its kind and size. Reads little more than it returns."""
    shown, at = "", 0
    while at < len(text) and len(shown) < limit:
        start, end, label = _find_next(text, at, max(limit, 2 * LEAST_ENCODED))
        shown += text[at:start]
        if label:
            prefix = _find_prefix(text, start)
            shown = shown[: len(shown) - len(prefix.group())] if prefix else shown
        shown += label
        at = end
    return shown


def has_short_words(text: str, length: int) -> bool:
    """Whether it is sure that nothing encoded begins in the first `length` characters but the last
    160, or in the whole text of that length: blanks stand so close that no word is long enough."""
    half = LEAST_ENCODED // 2
    starts = range(0, length - half + 1, half)
    return all(text.find(" ", start, start + half) >= 0 for start in starts)


def find_encoded(text: str) -> str:
    """The label of a text that is nothing but encoded content, else an empty text."""
    if len(text) < LEAST_ENCODED:
        return ""
    comma = text.find(_BASE64, 0, _LONGEST_PREFIX)
    at = comma + len(_BASE64) if comma > 0 else 0
    start, end, label = _find_next(text, at, 2 * LEAST_ENCODED)
    return label if start == at and end == len(text) else ""


def _find_next(text: str, at: int, size: int) -> tuple[int, int, str]:
    """Start, end and label of the next encoded piece in a window of `size` characters; without one
    the window's end twice, so that a run of characters that it would cut comes whole later."""
    stop = min(at + size, len(text))
    window = text[at:stop]
    if max(map(len, window.split()), default=0) < LEAST_ENCODED:
        end = stop if stop == len(text) else at + len(window.rstrip(_RUN_CHARACTERS))
        return end, end, ""
    for match in _RUN.finditer(text, at, stop):
        start, cut = match.start(), match.end() == stop < len(text)
        if cut and start > at:
            return start, start, ""
        if match.end() - start < LEAST_ENCODED:
            continue
        kind = _find_kind(text[start : start + _CHECKED], _find_prefix(text, start))
        if kind is not None:
            whole = _RUN.match(text, start, start + _MOST_SCANNED)
            end = whole.end() if whole else match.end()
            label = f"{kind}, {_format_size(end - start, kind)}"
            if end == start + _MOST_SCANNED:
                return start, len(text), f"[{label} or more]"
            return start, end, f"[{label}]"
    return stop, stop, ""


def _find_prefix(text: str, start: int) -> re.Match[str] | None:
    """The beginning of a data URL just before a place."""
    return _PREFIX.search(text[max(0, start - _LONGEST_PREFIX) : start])


def _find_kind(piece: str, prefix: re.Match[str] | None) -> str | None:
    """What is encoded: a media type, `base64` or `hex`; None for an ordinary text."""
    if prefix is not None:
        return prefix[1] or "base64"
    if _HEX.fullmatch(piece):
        return "hex" if any(map(str.isalpha, piece)) and any(map(str.isdigit, piece)) else None
    return _find_file_kind(piece) or ("base64" if _looks_random(piece) else None)


def _find_file_kind(piece: str) -> str | None:
    try:
        head = base64.b64decode(piece[:24], validate=True)
    except (binascii.Error, ValueError):
        return None
    if head[:4] == b"RIFF":
        return {b"WAVE": "audio/wav", b"WEBP": "image/webp"}.get(head[8:12])
    if head[4:8] == b"ftyp":
        return "video/mp4"
    return next((kind for start, kind in _KINDS if head.startswith(start)), None)


def _looks_random(piece: str) -> bool:
    """Whether letter case changes as often as only in encoded content, and digits occur."""
    letters = [sign.isupper() for sign in piece if sign.isalpha()]
    changes = sum(a != b for a, b in pairwise(letters))
    return any(map(str.isdigit, piece)) and changes >= _LEAST_CASE_CHANGES * len(piece)


def _format_size(characters: int, kind: str) -> str:
    """The size of what the characters encode."""
    size = characters // 2 if kind == "hex" else characters * 3 // 4
    if size < 1_024:
        return f"{size} bytes"
    if size < 1_024 * 1_024:
        return f"{size / 1_024:.0f} KB"
    return f"{size / 1_024 / 1_024:.1f} MB"
