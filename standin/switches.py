"""How the stand-in behaves: everything that differs between one real backend and another."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any, Literal

from standin.faults import Fault

Generation = Literal["A", "B", "C"]
Filters = Literal["taken", "same_case", "ignored", "refused"]
REQUESTS_KEPT = 5_000


@dataclass(frozen=True)
class UserAccount:
    """Who a token belongs to, and the workspaces that this user may enter."""

    user: str
    workspaces: frozenset[str]


@dataclass(frozen=True)
class WorkspaceKey:
    """A provider that the workspace has a key for.

    `models` and `name` matter for custom-llm, whose models are `custom-llm/<name>/<model>`.
    """

    provider: str
    name: str | None = None
    models: tuple[str, ...] = ()
    responses_mode: bool = False


@dataclass(frozen=True)
class ReceivedRequest:
    """One request as it came; the path is the one after `/api`, header names are lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass
class ChatStreams:
    """How the model calls of the chat proxy went: running now, and ended in which way."""

    running: int = 0
    finished: int = 0
    failed: int = 0
    cancelled: int = 0


def _default_models() -> dict[str, list[str]]:
    return {
        "openai": ["gpt-4.1", "gpt-4.1-mini", "gpt-4o", "gpt-4o-mini", "gpt-5", "gpt-5-mini", "o3"],
        "anthropic": ["claude-sonnet-4-5", "claude-opus-4-1", "claude-haiku-4-5"],
        "gemini": ["gemini-2.5-pro", "gemini-2.5-flash"],
        "openrouter": ["openai/gpt-4.1", "anthropic/claude-sonnet-4.5", "mistralai/mistral-large"],
    }


@dataclass
class Switches:
    """Change any of these at any time; the next request sees it.

    `accounts` None means no authentication, as in open-source Opik: one workspace, one user.
    `gzip_unasked` packs answers also for clients that do not accept it, as a gateway may.
    """

    generation: Generation = "C"
    accounts: dict[str, UserAccount] | None = None
    default_workspace_resolves: bool = False
    permissions_status: int | None = None
    models_endpoint: bool = True
    keys: list[WorkspaceKey] = field(default_factory=lambda: [WorkspaceKey("openai")])
    models: dict[str, list[str]] = field(default_factory=_default_models)
    free_model: str | None = None
    filters: Filters = "taken"
    ignore_exclude: bool = False
    ignore_sorting: bool = False
    ignore_truncate: bool = False
    gzip_answers: bool = False
    gzip_unasked: bool = False
    set_cookie: str | None = None
    extra_span_count: int = 0
    requests_left: int | None = None
    rate_limit_reset: float = 1.0
    faults: list[Fault] = field(default_factory=list)
    received: deque[ReceivedRequest] = field(default_factory=lambda: deque(maxlen=REQUESTS_KEPT))
    chats: ChatStreams = field(default_factory=ChatStreams)

    def requests(self, method: str, path: str) -> list[ReceivedRequest]:
        """What came for that method and exact path, in order."""
        return [r for r in self.received if (r.method, r.path) == (method, path)]
