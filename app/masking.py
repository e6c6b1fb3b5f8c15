"""Makes text of providers and backends safe to show: no credentials, no addresses, not too long.

Providers quote the key that they refuse, gateways their internal addresses. What looks like either
is masked; a harmless word that is masked by mistake does less harm than a key that is shown.
"""

import re
from collections.abc import Sequence

SHOWN_CHARACTERS = 300
"""Enough for the sentence of a provider, too little for a stack trace."""
# A longer text is cut before the search, which bounds its time; nothing beyond can be shown.
_SEARCHED_CHARACTERS = 4_000
_MASK = "[masked]"

_PATTERNS: Sequence[tuple[re.Pattern[str], str]] = (
    (re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://\S+|\bwww\.\S+", re.IGNORECASE), "[url]"),
    (re.compile(r"\b(bearer|basic)\s+[^\s\"',;]{4,}", re.IGNORECASE), rf"\1 {_MASK}"),
    # JSON web tokens
    (re.compile(r"\beyJ[\w-]{8,}(?:\.[\w-]*){0,4}"), _MASK),
    # The prefixes that providers and forges give their keys; `*` since some print keys half hidden.
    (
        re.compile(
            r"\b(?:(?:sk|pk|rk|gsk|hf|xai|r8|pplx|nvapi|ghp|gho|ghs|xox[a-z])[-_]"
            r"|github_pat_|glpat-|ya29\.|AIza|AKIA|ASIA)[\w*.-]{6,}"
        ),
        _MASK,
    ),
    # name=value and "name": "value"; counts such as `tokens: 4096` stay readable.
    (
        re.compile(
            r"\b([\w-]{0,40}(?:key|token|secret|passw(?:or)?d|pwd|authorization|credential|cookie"
            r"|signature)s?(?:\s+provided)?[\"']?\s{0,3}[=:]\s{0,3}[\"']?)"
            r"(?!\d+(?![\w-]))[^\s\"',;&)}\]]{4,}",
            re.IGNORECASE,
        ),
        rf"\1{_MASK}",
    ),
    # Long runs of letters and digits: hex and base62 secrets; no word looks like that.
    (re.compile(r"(?<![A-Za-z0-9])(?=\d*[A-Za-z])(?=[A-Za-z]*\d)[A-Za-z0-9]{20,}={0,2}"), _MASK),
    # base64 in either alphabet; a UUID is shorter.
    (
        re.compile(
            r"(?<![\w+/-])(?=[a-z_+/-]*[A-Z0-9])(?=[\w+/-]*[A-Z])(?=[\w+/-]*[a-z])(?=[\w+/-]*\d)"
            r"[\w+/-]{40,}={0,2}"
        ),
        _MASK,
    ),
)
_BLANKS = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]+")


def mask(text: str) -> str:
    """`text` with what looks like a credential or an address replaced; it is not shortened."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def excerpt(text: str) -> str:
    """At most SHOWN_CHARACTERS of `text`, masked, on one line; a cut ends in an ellipsis."""
    if len(text) > _SEARCHED_CHARACTERS:
        # The last word is dropped: the half of a key would not be known as one.
        text = text[:_SEARCHED_CHARACTERS].rpartition(" ")[0] + " …"
    text = mask(_BLANKS.sub(" ", text).strip())
    if len(text) <= SHOWN_CHARACTERS:
        return text
    return text[: SHOWN_CHARACTERS - 1].rstrip() + "…"
