"""How foreign text and numbers are written on one line.

Names, messages and values of a trace come from others: whatever they hold, they end up as
one bounded line without characters that act on a terminal, a page or the reading direction.
"""

import re
import unicodedata
from collections.abc import Sequence
from decimal import Decimal

_UNUSUAL = re.compile(r"[^ -~]")
_DIGITS = re.compile(r"\d+")
_READ_AHEAD = 4  # blanks and invisible characters are dropped, so more is read than is kept


def one_line(text: str, *, limit: int = 80) -> str:
    """`text` on one line of at most `limit` characters, an ellipsis where it was cut.

    Runs of blanks and line breaks become one space; control characters are written as `\\x..`;
    characters that take no space or turn the direction (zero-width, bidi, surrogates) are dropped.
    """
    if len(text) <= limit and text.isascii() and text.isprintable() and "  " not in text:
        return text.strip(" ")  # as most names, keys, numbers and sentences
    piece = text[: limit * _READ_AHEAD]
    shown = " ".join(piece.split())
    if not (shown.isascii() and shown.isprintable()):
        shown = _UNUSUAL.sub(_escape_match, shown)
    if len(shown) <= limit and len(piece) == len(text):
        return shown
    return shown[: limit - 1].rstrip() + "…"


def cut_line(line: str, *, limit: int) -> str:
    """The beginning of what `one_line` returned."""
    return line if len(line) <= limit else line[: limit - 1].rstrip(" …") + "…"


def _escape_match(match: re.Match[str]) -> str:
    return _escape_character(match.group())


def _escape_character(sign: str) -> str:
    if " " <= sign <= "~":
        return sign
    category = unicodedata.category(sign)
    if category == "Cc":
        return f"\\x{ord(sign):02x}"
    if category in {"Cf", "Cs", "Co", "Cn", "Mn", "Me"} and not _is_accent(sign):
        return ""
    return sign


def is_visible(sign: str) -> bool:
    """Whether `one_line` shows a character as it is."""
    return _escape_character(sign) == sign and not (sign != " " and sign.isspace())


def _is_accent(sign: str) -> bool:
    """Ordinary combining accents stay; variation selectors and the like do not."""
    return unicodedata.category(sign) == "Mn" and unicodedata.combining(sign) > 0


def format_duration(microseconds: float) -> str:
    """A duration such as `3 µs`, `12.5 ms`, `4.21 s`, `3 min 05 s`."""
    if microseconds < 0:
        return "-" + format_duration(-microseconds)
    if microseconds < 1_000:
        return f"{microseconds:.0f} µs"
    if microseconds < 99_950:
        return f"{microseconds / 1_000:.1f} ms"
    if microseconds < 999_500:
        return f"{microseconds / 1_000:.0f} ms"
    if microseconds < 59_995_000:
        return f"{microseconds / 1_000_000:.2f} s"
    seconds = round(microseconds / 1_000_000)
    if seconds < 3_600:
        return f"{seconds // 60} min {seconds % 60:02d} s"
    return f"{seconds // 3_600} h {seconds % 3_600 // 60:02d} min"


def format_usd(amount: float) -> str:
    """A cost such as `$0`, `$0.000042`, `$1.20`; an exponent only below a billionth."""
    if amount == 0:
        return "$0"
    if abs(amount) >= 0.995:
        return f"${amount:,.2f}"
    if abs(amount) < 1e-9:
        return f"${amount:.1e}"
    return f"${Decimal(f'{amount:.2g}'):f}"


def format_percent(part: float, whole: float) -> str:
    """`part` of `whole` such as `37 %`; `<1 %` for a little; nothing of nothing is `0 %`."""
    share = 100 * part / whole if whole else 0.0
    return "<1 %" if 0 < share < 0.5 else f"{share:.0f} %"


def format_ratio(ratio: float) -> str:
    """How many times one number is another: `2.4`, `37`, `33,000`, with two digits that count."""
    shown = float(f"{ratio:.2g}")
    return f"{shown:,.0f}" if shown >= 10 else f"{shown:.1f}"


def list_first(shown: Sequence[str], total: int) -> str:
    """`a, b and 3 more`: the first of `total` things."""
    more = total - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more > 0 else "")


def format_count(count: int, noun: str) -> str:
    """`1 span`, `1,234 spans`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def without_numbers(text: str) -> str:
    """`step 3` and `step 4` as one."""
    return _DIGITS.sub("#", text)
