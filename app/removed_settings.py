"""Settings of version 0.1 that are constants now."""

import os

from dotenv import dotenv_values

# fmt: off
REMOVED_VARIABLES = (
    "ACCESS_CACHE_SECONDS", "BODY_BYTES", "BODY_SECONDS", "BUSY_WAIT_SECONDS",
    "HEARTBEAT_SECONDS", "LEASE_SECONDS", "MAX_SPANS", "MESSAGE_CHARACTERS", "READER_SECONDS",
    "REPLY_BYTES", "STORING_SECONDS", "TOOL_SECONDS", "TURN_CALLS_PER_STEP",
    "TURN_TOOL_CHARACTERS", "USER_CONVERSATIONS", "USER_EVENTS", "USUAL_SECONDS",
)
# fmt: on


def find_ignored_variables() -> list[str]:
    """The variables that are set, in the environment or in `.env`, but are settings no longer."""
    given = dotenv_values(".env") | dict(os.environ)
    names = {name.upper() for name, value in given.items() if value}
    return [name for name in REMOVED_VARIABLES if name in names]
