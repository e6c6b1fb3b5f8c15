"""Imports httpx and structlog as if some packages were not installed.

Where they are, both import them for what the service has no use of: a command line, HTTP/2,
coloured tracebacks. That takes a tenth of the CPU of a start, and 6 MB.
"""

import sys

_absent = [name for name in ("h2", "pygments", "rich") if name not in sys.modules]
sys.modules.update(dict.fromkeys(_absent))  # type: ignore[arg-type] # None stands for a missing one

import httpcore  # noqa: E402, F401
import httpx  # noqa: E402, F401
import structlog  # noqa: E402, F401

for _name in _absent:
    del sys.modules[_name]
