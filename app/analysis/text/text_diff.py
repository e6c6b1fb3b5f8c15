"""What changed between two texts: how much, which numbers, and where, down to words."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from app.analysis.text.one_line import format_count, one_line

_MOST_CHARACTERS = 200_000  # compared between the first change and the last: bounds the time
_MARGIN = 200  # characters: more than the words that are shown beside a change
_MOST_LINES = 2_000  # SequenceMatcher takes quadratic time in the worst case
_MOST_TOKENS = 3_000  # of one changed block, for the same reason
_POPULAR = 300  # items from which on frequent ones are no anchors, again for the time
_MOST_BLOCKS = 40  # changed blocks of lines that are compared by words; far more than are shown
_LEAST_ALIKE = 0.3  # share of equal words below which a block reads better as replaced whole
_CONTEXT = 8  # words and blanks shown before and after a change
_MOST_PLACES = 6  # changed places shown of one text; the rest is counted
_MOST_BESIDE_NUMBERS = 8  # words, blanks and signs of a change whose numbers replace one another
_MOST_NUMBERS = 6  # changed numbers listed of one text
_SHOWN, _AROUND = 80, 40  # characters of a changed part and of what stands beside it
# A sign of scripts without blanks is a word, so that a change within a sentence is seen.
_TOKEN = re.compile(
    "[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]|[0-9]+(?:[.,:][0-9]+)*|\\w+|\\s+|[^\\w\\s]"
)
_NUMBER = re.compile(r"[0-9]+(?:[.,:][0-9]+)*")


@dataclass(frozen=True, slots=True)
class _Edit:
    """One changed place; `before` and `after` stand beside it in both texts."""

    gone: Sequence[str]
    come: Sequence[str]
    before: str = ""
    after: str = ""

    def numbers(self) -> list[tuple[str, str]]:
        """The numbers that changed, where little else did, so that they belong together."""
        if max(len(self.gone), len(self.come)) > _MOST_BESIDE_NUMBERS:
            return []
        old, new = _NUMBER.findall("".join(self.gone)), _NUMBER.findall("".join(self.come))
        pairs = zip(old, new, strict=True) if len(old) == len(new) else ()
        return [pair for pair in pairs if pair[0] != pair[1]]


def diff_texts(old: str, new: str) -> str:
    """A summary, then the changed words with a few words around them:
    `174 → 179 characters, 1 word removed, 2 added: the [-slow-] {+fast+} call of …`."""
    edits, complete = _find_edits(old, new)
    removed, added = (
        sum(1 for edit in edits for token in getattr(edit, side) if not token.isspace())
        for side in ("gone", "come")
    )
    summary = f"{len(old):,} → {len(new):,} characters"
    if not removed and not added:
        return f"{summary}, only blanks and line breaks differ"
    summary += f", {format_count(removed, 'word')} removed, {added:,} added"
    numbers = [f"{one} → {other}" for edit in edits for one, other in edit.numbers()]
    if numbers and len(edits) > 1:
        summary += f", numbers {', '.join(numbers[:_MOST_NUMBERS])}"
        summary += f" and {len(numbers) - _MOST_NUMBERS} more" * (len(numbers) > _MOST_NUMBERS)
    # A changed number is seldom a matter of wording, so such places come first.
    places = [_format_place(each) for each in sorted(edits, key=lambda edit: not edit.numbers())]
    more = len(places) - _MOST_PLACES
    notes = [f"and {more} more places"] if more > 0 else []
    notes += [] if complete else ["the rest was not compared"]
    return f"{summary}: " + "; ".join([*places[:_MOST_PLACES], *notes])


def _find_edits(old: str, new: str) -> tuple[list[_Edit], bool]:
    """The changed places in order, and whether the texts were compared to their ends."""
    old, new = _cut_equal_ends(old, new)
    whole = max(len(old), len(new)) <= _MOST_CHARACTERS
    a, b = (text[:_MOST_CHARACTERS].splitlines(keepends=True) for text in (old, new))
    blocks = [pair for block in _find_changes(a, b, _MOST_LINES) for pair in _pair_lines(*block)]
    edits: list[_Edit] = []
    complete = whole and len(blocks) <= _MOST_BLOCKS and max(len(a), len(b)) <= _MOST_LINES
    for i1, i2, j1, j2 in blocks[:_MOST_BLOCKS]:
        tokens, others = (_TOKEN.findall("".join(part)) for part in (a[i1:i2], b[j1:j2]))
        complete = complete and max(len(tokens), len(others)) <= _MOST_TOKENS
        edits += _find_word_edits(tokens, others)
    return edits, complete


def _cut_equal_ends(old: str, new: str) -> tuple[str, str]:
    """The texts without what is equal at both ends, but for some words around the changes."""
    start = count_equal(old, new)
    most = min(len(old), len(new)) - start
    end = min(most, count_equal(old[::-1], new[::-1]))
    start, end = max(0, start - _MARGIN), max(0, end - _MARGIN)
    return old[start : len(old) - end], new[start : len(new) - end]


def count_equal(one: str, other: str) -> int:
    """How many characters at the beginning of two texts are equal."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _pair_lines(i1: int, i2: int, j1: int, j2: int) -> Iterator[tuple[int, int, int, int]]:
    """A changed block line by line, if it has as many lines in both texts."""
    if i2 - i1 != j2 - j1:
        yield i1, i2, j1, j2
        return
    for i, j in zip(range(i1, i2), range(j1, j2), strict=True):
        yield i, i + 1, j, j + 1


def _find_word_edits(a: Sequence[str], b: Sequence[str]) -> Iterator[_Edit]:
    changes = list(_find_changes(a, b, _MOST_TOKENS))
    changed = sum(max(i2 - i1, j2 - j1) for i1, i2, j1, j2 in changes)
    if changed > (1 - _LEAST_ALIKE) * max(len(a), len(b)):
        yield _Edit(a, b)
        return
    for i1, i2, j1, j2 in changes:
        before = "".join(a[max(0, i1 - _CONTEXT) : i1])
        yield _Edit(a[i1:i2], b[j1:j2], before, "".join(a[i2 : i2 + _CONTEXT]))


def _find_changes(
    a: Sequence[str], b: Sequence[str], most: int
) -> Iterator[tuple[int, int, int, int]]:
    """Where `a` and `b` differ, as in SequenceMatcher's opcodes; at most `most` items of each are
    compared after their common beginning."""
    start = 0
    while start < min(len(a), len(b)) and a[start] == b[start]:
        start += 1
    end = 0
    while end < min(len(a), len(b)) - start and a[-1 - end] == b[-1 - end]:
        end += 1
    kept, others = (each[start : len(each) - end][:most] for each in (a, b))
    matcher = SequenceMatcher(str.isspace, kept, others, autojunk=len(others) > _POPULAR)
    for kind, i1, i2, j1, j2 in matcher.get_opcodes():
        if kind != "equal":
            yield start + i1, start + i2, start + j1, start + j2


def _format_place(edit: _Edit) -> str:
    gone, come = "".join(edit.gone), "".join(edit.come)
    parts = [f"…{one_line(edit.before, limit=_AROUND)}" if edit.before.strip() else ""]
    parts.append(f"[-{one_line(gone, limit=_SHOWN)}-]" if gone.strip() else "")
    parts.append(f"{{+{one_line(come, limit=_SHOWN)}+}}" if come.strip() else "")
    parts.append(f"{one_line(edit.after, limit=_AROUND)}…" if edit.after.strip() else "")
    return " ".join(part for part in parts if part)
