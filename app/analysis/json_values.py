"""Reading the JSON values of inputs and outputs, whatever their shape, size or depth."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

CUT_LENGTH = 10_001  # Opik cuts a value that is too long to a string of exactly so many characters

# Bounds the time for one body; a record of a search with hundreds of hits stays below it.
_LEAVES_READ = 4_000
_DIGITS = re.compile(r"\d+")
_BLANKS = re.compile(r"\s+")
_ATTEMPT_NUMBER = re.compile(
    r"\s*[\[(]?\b(?:attempt|try|retry|retries|iteration)\s*(?:no\.?|number|#)?\s*\d+[\])]?",
    re.IGNORECASE,
)
_WORDS = re.compile(r"\w+")
# Share of words two texts have in common: three in four allow for a rephrased word, but not
# another question.
_LEAST_SHARED_WORDS = 0.75


def word_set(words: str) -> frozenset[str]:
    """The words of a text with blanks between them."""
    return frozenset(words.split())


_VOLATILE_KEYS = word_set(
    "attempt attempts retry retries try tries iteration request_id call_id trace_id run_id"
    " timestamp nonce seed took took_ms elapsed elapsed_ms latency latency_ms duration_ms"
)
_RESULT_KEYS = word_set(
    "rows results documents docs items hits records matches passages chunks entries search_results"
    " retrieved contexts nodes sources"
)
_NEUTRAL_KEYS = word_set(
    "count total took took_ms elapsed elapsed_ms latency latency_ms duration duration_ms k top_k"
    " limit page offset size num_results total_results n max_score has_more next_page cursor"
)
_NEUTRAL_WORDS = word_set("ok success succeeded done completed complete true false 200")

Path = tuple[str | int, ...]


def is_cut(value: Any) -> bool:
    """Whether the backend cut this value, so that it is only the beginning of one."""
    return isinstance(value, str) and len(value) == CUT_LENGTH


def is_cut_body(value: Any) -> bool:
    """Whether the backend cut an input, output or metadata: as a whole, or by its keys."""
    inner = value.values() if isinstance(value, dict) else ()
    return is_cut(value) or any(is_cut(each) for each in inner)


def iterate_leaves(value: Any, *, most: int = _LEAVES_READ) -> Iterator[tuple[Path, Any]]:
    """Every scalar and every empty list or object with its path, in order, at most `most`."""
    waiting: list[tuple[Path, Any]] = [((), value)]
    while waiting and most > 0:
        path, item = waiting.pop()
        if isinstance(item, Mapping) and item:
            pairs = list(item.items())[:most]
            waiting.extend(((*path, str(key)), inner) for key, inner in reversed(pairs))
        elif isinstance(item, list) and item:
            kept = item[:most]
            waiting.extend(((*path, i), kept[i]) for i in range(len(kept) - 1, -1, -1))
        else:
            most -= 1
            yield path, item


def innermost_key(path: Path) -> str:
    """The innermost object key of a path, lower case; empty where there is none."""
    for part in reversed(path):
        if isinstance(part, str):
            return part.lower()
    return ""


def is_empty(output: Any, *, given: Any = None) -> bool:
    """Whether an output is empty: null, blank, or an object with only empty values.

    Counts, flags and repetitions of the input (`given`) count as empty too, as in
    `{"query": "x", "results": [], "total": 0}`.
    """
    if _has_empty_yield(output):
        return True
    has_empty_leaf = False
    echoed: set[Any] | None = None
    for path, leaf in iterate_leaves(output):
        if leaf is None or leaf in ("", [], {}) or (isinstance(leaf, str) and not leaf.strip()):
            has_empty_leaf = True
        elif (
            isinstance(leaf, bool)
            or leaf == 0
            or innermost_key(path) in _NEUTRAL_KEYS
            or (isinstance(leaf, str) and leaf.lower() in _NEUTRAL_WORDS)
        ):
            continue
        else:
            if echoed is None:
                echoed = {
                    inner for _, inner in iterate_leaves(given) if isinstance(inner, str | int)
                }
            if not isinstance(leaf, str | int) or leaf not in echoed:
                return False
    return has_empty_leaf


def _has_empty_yield(output: Any) -> bool:
    """Whether an object has fields for what was found and all of them are empty, whatever else
    it says: `{"columns": ["id"], "rows": []}`."""
    if isinstance(output, Mapping) and len(output) == 1:
        (inner,) = output.values()
        output = inner if isinstance(inner, Mapping) else output
    if not isinstance(output, Mapping):
        return False
    yields = [inner for key, inner in output.items() if str(key).lower() in _RESULT_KEYS]
    return bool(yields) and all(inner is None or inner in ("", [], {}) for inner in yields)


def find_empty_keys(value: Any) -> frozenset[str]:
    """The keys under which a value has a null, a blank text, or an empty list or object."""
    if value in (None, "", [], {}):
        return frozenset()
    return frozenset(
        innermost_key(path)
        for path, leaf in iterate_leaves(value)
        if leaf in (None, "", [], {}) and innermost_key(path)
    )


def iterate_texts(value: Any) -> Iterator[tuple[str, str]]:
    """Every non-blank string with its innermost key."""
    for path, leaf in iterate_leaves(value):
        if isinstance(leaf, str) and leaf.strip():
            yield innermost_key(path), leaf


def to_canonical_json(value: Any) -> str:
    """A text that is equal for values that mean the same: blanks, letter case and what only
    counts attempts or names a request do not matter."""
    parts = []
    for path, leaf in iterate_leaves(value):
        if innermost_key(path) in _VOLATILE_KEYS:
            continue
        shown = _normalize_text(leaf) if isinstance(leaf, str) else repr(leaf)
        parts.append(f"{'/'.join(map(str, path))}={shown}")
    return "\n".join(parts)


def _normalize_text(text: str) -> str:
    return _ATTEMPT_NUMBER.sub(" ", _BLANKS.sub(" ", text)).strip().casefold()


def without_numbers(text: str) -> str:
    """`step 3` and `step 4` as one."""
    return _DIGITS.sub("#", text)


def are_alike(a: str, b: str) -> bool:
    """Whether two canonical texts are equal but for a few words; numbers have to be the same."""
    if a == b:
        return True
    words, others = set(_WORDS.findall(a)), set(_WORDS.findall(b))
    numbers = {word for word in words ^ others if not word.isalpha()}
    return not numbers and len(words & others) >= _LEAST_SHARED_WORDS * len(words | others)


def parse_json(text: str) -> tuple[bool, Any]:
    """Whether a text is JSON, and its value; a fence of backquotes around it is allowed."""
    body = text.strip()
    if body.startswith("```"):
        body = body.removesuffix("```").partition("\n")[2].strip()
    try:
        return True, json.loads(body)
    except (ValueError, RecursionError):
        return False, None
