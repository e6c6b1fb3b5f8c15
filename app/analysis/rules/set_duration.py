"""Calls that take as long as they were set to: an exposure of 300 s, a pause of two minutes."""

import re

from app.analysis.tree import Node

_LEAVES_READ = 20  # of an input: settings are few
_TOLERANCE = 0.15  # of the set time, for what starts and ends such a call
_UNITS = (
    (re.compile(r"(?:ms|millis(?:econds)?)\Z"), 1_000),
    (re.compile(r"(?:minutes?|mins?|minuten?|minutos?|minuti)\Z"), 60_000_000),
    (
        re.compile(
            r"(?:seconds?|secs?|sekunden|secondes|segundos|secondi|sekund|duration|dauer|durée"
            r"|duraci[oó]n|durata|duração|exposure|belichtung|delay|pause|sleep|hold|dwell|_s)\Z"
        ),
        1_000_000,
    ),
)
"""Ends of keys with the unit of their values in microseconds. A call that lasts as long as its
timeout was not set to it: such keys do not count."""
_LIMIT = re.compile(r"time_?out|deadline|limit|max|ttl|budget", re.IGNORECASE)


def lasts_as_set(node: Node) -> bool:
    """Whether a call was given a time to take, and took about so long."""
    for leaf in node.view.input.first_leaves(_LEAVES_READ):
        if not leaf.path or type(leaf.value) not in (int, float):
            continue
        key = str(leaf.path[-1]).casefold()
        if _LIMIT.search(key):
            continue
        unit = next((size for pattern, size in _UNITS if pattern.search(key)), 0)
        if unit and abs(node.duration - leaf.value * unit) <= _TOLERANCE * leaf.value * unit:
            return True
    return False
