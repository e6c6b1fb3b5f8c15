"""`python -m testkit.changed_service lease_seconds=2 …`: `python -m app` with other constants.

The names are those of `testkit.constants`.
"""

import sys

from app.cli import cli
from testkit.constants import changed_constants

if __name__ == "__main__":
    pairs = [argument.split("=") for argument in sys.argv[1:]]
    del sys.argv[1:]
    with changed_constants(**{name: float(value) for name, value in pairs}):
        cli()
