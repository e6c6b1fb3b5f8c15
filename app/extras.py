"""Optional libraries: each is an extra, imported only where a setting asks for it."""

from collections.abc import Iterator
from contextlib import contextmanager

from app.errors import StartRefused

_EXTRAS = {
    "mcp": "mcp",
    "newrelic": "newrelic",
    "prometheus_client": "metrics",
    "segment": "segment",
}
"""The extra that brings a library."""


@contextmanager
def importing_extra() -> Iterator[None]:
    """Raises StartRefused, which says what to install, where a library is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        library = (error.name or "").partition(".")[0]
        if library not in _EXTRAS:
            raise
        install = f"pip install 'opik-assist[{_EXTRAS[library]}]'"
        raise StartRefused(f"Settings: the library {library} is missing; {install}") from None
