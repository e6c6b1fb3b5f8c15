"""Who sent a request: the browser's session token and workspace, unchanged."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from app.errors import InvalidRequest

SESSION_COOKIE = "sessionToken"
WORKSPACE_HEADER = "Comet-Workspace"
WORKSPACE_LENGTH = 255
TOKEN_LENGTH = 8_192
"""The backend reads requests with at most 16 KB of headers."""

_SHORTEST_SECRET = 6
"""A shorter token is no secret, and ordinary words would be masked."""
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Caller:
    """The credentials of one request; forwarded to the backend, never stored, never logged."""

    token: str | None = field(default=None, repr=False)
    workspace: str | None = None

    def headers(self) -> dict[str, str]:
        """The only two headers of the browser that ever reach the backend."""
        headers = {}
        if self.token is not None:
            headers["Cookie"] = f"{SESSION_COOKIE}={self.token}"
        if self.workspace is not None:
            headers[WORKSPACE_HEADER] = self.workspace
        return headers

    def encode_headers(self, more: Mapping[str, str]) -> dict[bytes, bytes]:
        """`more` and the caller's headers as bytes: Latin-1, as the browser sent them."""
        sent = {**more, **self.headers()}
        return {name.encode(): value.encode("latin-1", "replace") for name, value in sent.items()}

    def mask_token(self, text: str) -> str:
        """A text from elsewhere, with this caller's token masked should it hold it."""
        if self.token is None or len(self.token) < _SHORTEST_SECRET:
            return text
        return text.replace(self.token, "[masked]")

    def digest(self) -> str:
        """A key for short-lived caches: a SHA-256 of token and workspace, in hex."""
        parts = (self.token, self.workspace)
        text = "\0".join("-" if part is None else f"={part}" for part in parts)
        return hashlib.sha256(text.encode("latin-1", "replace")).hexdigest()


@dataclass(frozen=True, slots=True)
class Owner:
    """Who owns conversations: a name that outlives logins, within one workspace."""

    workspace: str
    name: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who owns a caller's conversations.

    `former_owners` own those that the same caller began before the backend could name them; these
    conversations now belong to `owner`. `imported_owner` owns those of the replaced service, which
    knew no workspaces: each of them belongs to `owner` once its trace is open in the workspace.
    """

    owner: Owner
    former_owners: tuple[Owner, ...] = ()
    imported_owner: Owner | None = None


def read_caller(cookie_headers: list[str], workspace: str | None) -> Caller:
    """The caller of a request.

    Takes the raw `Cookie` header values and the workspace header (None when absent). The token is
    cut out of the header text and not decoded, so that the backend gets it unchanged.
    Raises InvalidRequest for a value that is too long or holds control characters.
    """
    token = _find_session_token(cookie_headers)
    for value in (token, workspace):
        if value is not None and _CONTROL_CHARACTERS.search(value):
            raise InvalidRequest(
                "A header of this request holds control characters, which are not allowed."
            )
    if workspace is not None and len(workspace) > WORKSPACE_LENGTH:
        raise InvalidRequest(f"A workspace name has at most {WORKSPACE_LENGTH} characters.")
    if token is not None and len(token) > TOKEN_LENGTH:
        raise InvalidRequest(f"A session token has at most {TOKEN_LENGTH:,} characters.")
    return Caller(token=token, workspace=workspace)


def _find_session_token(cookie_headers: list[str]) -> str | None:
    for header in cookie_headers:
        for pair in header.split(";"):
            name, separator, value = pair.strip().partition("=")
            if separator and name == SESSION_COOKIE:
                return value
    return None
