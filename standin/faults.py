"""What can go wrong between a client and the backend, as values that a test or the CLI arranges."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Answer:
    """Answer with this instead of the real thing; a dict or list as body is sent as JSON."""

    status: int = 200
    body: bytes | str | dict[str, Any] | list[Any] = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Endless:
    """Answer with status 200 and send this chunk again and again until the client leaves.

    `pause` is seconds between two chunks.
    """

    chunk: bytes = b" " * 65_536
    pause: float = 0


@dataclass(frozen=True)
class Delay:
    """Answer as usual, but send the first byte only after so many seconds."""

    seconds: float


@dataclass(frozen=True)
class Refuse:
    """Close the connection without an answer."""


@dataclass(frozen=True)
class CutAfter:
    """Close the connection abruptly after so many bytes of the body, or so many lines of it."""

    bytes: int | None = None
    lines: int | None = None


@dataclass(frozen=True)
class PauseAfter:
    """Fall silent for so many seconds after that many bytes of the body."""

    bytes: int
    seconds: float


@dataclass(frozen=True)
class ChatErrorAfter:
    """Let the model fail after so many chunks, with the status and message of its provider."""

    chunks: int
    status: int = 500
    message: str = "Unexpected error calling LLM provider"


@dataclass(frozen=True)
class ChatCutAfter:
    """End the chat stream after so many chunks without `[DONE]`; the body itself ends cleanly."""

    chunks: int


Effect = Answer | Endless | Delay | Refuse | CutAfter | PauseAfter | ChatErrorAfter | ChatCutAfter


@dataclass
class Fault:
    """An effect on requests whose path starts so: after `skip` of them, `times` times or always.

    The path is the one after `/api`, such as `/v1/private/spans/search`; method None means any, as
    does workspace None.
    """

    effect: Effect
    path: str = "/"
    method: str | None = None
    times: int | None = None
    skip: int = 0
    workspace: str | None = None

    def takes(self, method: str, path: str, workspace: str | None) -> bool:
        """Whether this request is hit; counts it."""
        if not path.startswith(self.path) or self.method not in (None, method):
            return False
        if self.workspace not in (None, workspace):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.times is None:
            return True
        self.times -= 1
        return self.times >= 0


def html_page(status: int = 502) -> Answer:
    """What a gateway in between answers: an HTML page."""
    page = f"<html><head><title>{status}</title></head><body><h1>Gateway</h1></body></html>"
    return Answer(status, page, {"content-type": "text/html"})


def garbage() -> Answer:
    """Status 200 and bytes that are neither JSON nor UTF-8."""
    return Answer(200, b"\x00\xff\xfe{]]not json\r\n\x80\x81", {"content-type": "application/json"})
