"""Texts in UTF-8 that were read as if they were in an older encoding, as `NÃºÃ±ez` for `Núñez`."""

import re

_RUN = re.compile(r"[^\x00-\x7f]{2,200}")
_ENCODINGS = ("cp1252", "cp1250", "cp1251", "mac_roman")
"""What Windows and old Macs wrote in western and central Europe and in Cyrillic."""
_LEAST_OF_ANY = 3  # characters of a run, whatever script they are of
_CYRILLIC = re.compile(r"[\u0400-\u04ff]")
_PUNCTUATION = range(0x2010, 0x2123)  # dashes, quotation marks, the signs of euro and trade mark
_LATIN = range(0xA0, 0x180)


def _list_bytes(encoding: str) -> dict[int, int]:
    """The byte of each character beyond ASCII; of those that an encoding lacks, as Latin-1 has
    them, since browsers and editors read them so."""
    bytes_of = {byte: byte for byte in range(0x80, 0x100)} if encoding == "cp1252" else {}
    for byte in range(0x80, 0x100):
        character = bytes([byte]).decode(encoding, "replace")
        bytes_of[ord(character)] = byte
    bytes_of.pop(0xFFFD, None)
    return bytes_of


_TABLES = tuple(map(_list_bytes, _ENCODINGS))


def count_garbled(text: str) -> int:
    """How many characters of a text stand in it as the two or three that their bytes are in another
    encoding."""
    if text.isascii():
        return 0
    runs = _RUN.findall(text)
    return max(sum(_count_in_run(run, table) for run in runs) for table in _TABLES) if runs else 0


def _count_in_run(run: str, bytes_of: dict[int, int]) -> int:
    """The characters of a run of which all bytes together are valid UTF-8, which no run of letters
    is by chance but for one or two."""
    found = [bytes_of.get(ord(character)) for character in run]
    raw = bytes(byte for byte in found if byte is not None)
    if len(raw) < len(run):
        return 0
    try:
        meant = raw.decode()
    except UnicodeDecodeError:
        return 0
    if len(meant) >= _LEAST_OF_ANY:
        return len(meant)
    is_european = all(ord(each) in _LATIN or ord(each) in _PUNCTUATION for each in meant)
    # A capital may be one of Portuguese before a quotation mark; two Cyrillic letters are a word.
    return len(meant) if is_european and not (meant.isupper() or _CYRILLIC.match(run)) else 0
