"""`python -m app` if connections might use up its file descriptors, for three seconds each."""

from unittest.mock import patch

from app.cli import cli
from testkit.constants import changed_constants

if __name__ == "__main__":
    with (
        changed_constants(head_seconds=3),
        patch("app.server.compute_connection_limit", lambda _: 4_096),
    ):
        cli()
