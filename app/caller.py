"""Who sent a request: a browser's session token or an API key, and the workspace, unchanged."""

import hashlib
import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, quote_plus, unquote

from app.errors import InvalidRequest

SESSION_COOKIE = "sessionToken"
WORKSPACE_HEADER = "Comet-Workspace"
API_KEY_HEADER = "Authorization"
WORKSPACE_LENGTH = 255
DEFAULT_WORKSPACE = "default"
TOKEN_LENGTH = 8_192
"""The backend reads requests with at most 16 KB of headers."""

_SHORTEST_SECRET = 6
"""A shorter token is no secret, and ordinary words would be masked."""
_BASIC = re.compile(r"basic\b", re.IGNORECASE)
_PERCENT_CODE = re.compile(r"%[0-9A-F]{2}")
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Caller:
    """The credentials of one request; forwarded to the backend, never stored, never logged.

    `token` is the session token of a browser, `api_key` the whole value of the header that the Opik
    SDK sends; a caller has at most one of the two.
    """

    token: str | None = field(default=None, repr=False)
    workspace: str | None = None
    api_key: str | None = field(default=None, repr=False)

    @property
    def secret(self) -> str | None:
        """The token or the key, None for a caller without credentials."""
        return self.api_key if self.token is None else self.token

    def headers(self) -> dict[str, str]:
        """The only headers of a request that ever reach the backend."""
        headers = {}
        if self.token is not None:
            headers["Cookie"] = f"{SESSION_COOKIE}={self.token}"
        if self.api_key is not None:
            headers[API_KEY_HEADER] = self.api_key
        if self.workspace is not None:
            headers[WORKSPACE_HEADER] = self.workspace
        return headers

    def encode_headers(self, more: Mapping[str, str]) -> dict[bytes, bytes]:
        """`more` and the caller's headers as bytes: Latin-1, as the browser sent them."""
        sent = {**more, **self.headers()}
        return {name.encode(): value.encode("latin-1", "replace") for name, value in sent.items()}

    def mask_token(self, text: str) -> str:
        """A text from elsewhere, with this caller's token or key masked should it hold it: as it
        is, percent-encoded, decoded, or escaped for JSON or HTML."""
        if self.secret is None or len(self.secret) < _SHORTEST_SECRET:
            return text
        return _match_spellings(self.secret).sub("[masked]", text)

    def digest(self) -> str:
        """A key for short-lived caches: a SHA-256 of credentials and workspace, in hex."""
        parts = (self.token, self.workspace, self.api_key)
        text = "\0".join("-" if part is None else f"={part}" for part in parts)
        return hashlib.sha256(text.encode("latin-1", "replace")).hexdigest()


def _match_spellings(secret: str) -> re.Pattern[str]:
    """The forms in which servers quote a value, longest first, since one may hold another."""
    quoted = {
        quote(secret, safe=safe, encoding=encoding, errors="replace")
        for safe in ("", "/", "/=:+")
        for encoding in ("latin-1", "utf-8")
    }
    escaped = json.dumps(secret)[1:-1]
    forms = {
        *{secret, unquote(secret), unquote(secret, "latin-1"), quote_plus(secret)},
        *{escaped, escaped.replace("/", r"\/"), html.escape(secret)},
        *quoted,
        *map(quote, quoted),
    }
    ordered = sorted((each for each in forms if len(each) >= _SHORTEST_SECRET), key=len)
    either_case = (_PERCENT_CODE.sub(r"(?i:\g<0>)", re.escape(each)) for each in reversed(ordered))
    return re.compile("|".join(either_case))


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


def read_caller(
    cookie_headers: list[str], workspace: str | None, authorization: str | None
) -> Caller:
    """The caller of a request.

    Takes the raw `Cookie` header values, the workspace header and the one with an API key (None
    when absent). The token is cut out of the header text and not decoded, so that the backend gets
    it unchanged. A key counts only where there is no token, as for the backend itself; a password
    for a proxy (`Basic …`) is no key.
    Raises InvalidRequest for a value that is too long or holds control characters.
    """
    token = _find_session_token(cookie_headers)
    api_key = None
    if token is None and authorization and not _BASIC.match(authorization):
        api_key = authorization
    for value in (token, workspace, api_key):
        if value is not None and _CONTROL_CHARACTERS.search(value):
            raise InvalidRequest(
                "A header of this request holds control characters, which are not allowed."
            )
    if workspace is not None and len(workspace) > WORKSPACE_LENGTH:
        raise InvalidRequest(f"A workspace name has at most {WORKSPACE_LENGTH} characters.")
    if len(token or api_key or "") > TOKEN_LENGTH:
        raise InvalidRequest(f"A session token or API key has at most {TOKEN_LENGTH:,} characters.")
    return Caller(token=token, workspace=workspace, api_key=api_key)


def _find_session_token(cookie_headers: list[str]) -> str | None:
    for header in cookie_headers:
        for pair in header.split(";"):
            name, separator, value = pair.strip().partition("=")
            if separator and name == SESSION_COOKIE:
                return value
    return None
