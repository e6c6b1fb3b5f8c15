"""The line of a stack trace that says what happened, in the orders that languages write it."""

import re

_READ = 20_000  # characters: the first and the last half of a longer stack
_PLACE = re.compile(r"^\s*(?:at |\.\.\. \d+ more)")
"""A line that names a place: Java, JavaScript and .NET write the message before the places."""
_CAUSE = re.compile(r"^\s*(?:Caused by: |\[cause\]: |---> )")
"""A cause further down, the last of which began it (Java, Node, .NET)."""
_NO_MESSAGE = frozenset(["{}", "[]", "null", "none", "undefined", "[object object]"])


def _is_stack(text: str) -> bool:
    """Whether a text is a stack trace rather than a message."""
    head = text[:_READ]
    return head.lstrip().startswith("Traceback (most recent call last)") or any(
        _PLACE.match(line) for line in head.splitlines()[1:4]
    )


def read_stack_message(stack: str) -> str:
    """The message of a stack trace, mostly with the type before it; empty where there is none.

    Python writes it last, after the places. Java, JavaScript and .NET write it first, and where
    errors were wrapped the cause after the places of the outer one.
    """
    text = stack if len(stack) <= _READ else stack[: _READ // 2] + "\n" + stack[-_READ // 2 :]
    lines = [line for line in text.splitlines() if line.strip()]
    if not any(_PLACE.match(line) for line in lines):
        return lines[-1].strip() if lines else ""
    causes = [line for line in lines if _CAUSE.match(line)]
    if causes:
        return _CAUSE.sub("", causes[-1]).strip()
    return next((line.strip() for line in lines if not _PLACE.match(line)), "")


def read_message(text: str | None) -> str:
    """A recorded message without the stack that some recorders put into it; empty where it says
    nothing."""
    message = (text or "").strip()
    if message.casefold() in _NO_MESSAGE:
        return ""
    return read_stack_message(message) if _is_stack(message) else message
