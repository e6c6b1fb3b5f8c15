"""Runs computations in worker threads, unless they are so short that the way there costs more."""

from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

import anyio

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")

PARSED_INLINE_BYTES = 256 * 1024
"""Parsing so much JSON into records takes some 3 ms, and the way to a thread and back up to 0.5."""
ANALYSED_INLINE_BYTES = 16 * 1024
"""Analysing so much takes some 5 ms: ten spans with a few hundred words each."""
PRICED_INLINE_EVENTS = 100
"""The prices of so many replies take some 5 ms, and up to 20 for models without a price."""


async def run_by_size(
    size: int, inline: int, function: Callable[[*Arguments], T], *arguments: *Arguments
) -> T:
    """The function's result; it runs in a worker thread where `size` is above `inline`."""
    if size <= inline:
        return function(*arguments)
    return await anyio.to_thread.run_sync(function, *arguments)
