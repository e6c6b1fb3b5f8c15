"""Task groups whose first error is raised by itself."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import anyio.abc


@asynccontextmanager
async def open_task_group() -> AsyncIterator[anyio.abc.TaskGroup]:
    """A task group of anyio that raises the first error of its tasks instead of a group of errors,
    so that callers can catch it by its type."""
    try:
        async with anyio.create_task_group() as group:
            yield group
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
