"""OpikAssist: a trace assistant for self-hosted Opik."""

import sys

__version__ = "0.2.0"


def _import_without(*names: str) -> None:
    """Imports httpx and structlog as if these packages were not installed.

    Where they are, both import them for what the service has no use of (a command line, HTTP/2,
    coloured tracebacks): a tenth of the CPU and 8 MB of each start.
    """
    absent = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type] # None marks a missing one
    import httpcore  # noqa: F401
    import httpx  # noqa: F401
    import structlog  # noqa: F401

    for name in absent:
        del sys.modules[name]


_import_without("h2", "pygments", "rich")
