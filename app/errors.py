"""The exceptions of the service: one branch for each question that code asks of a failure.

OpikAssistError                 every failure with a message for people
├── RequestRefused              "is the request allowed and well formed?": always an HTTP status
│   ├── InvalidRequest          400  malformed body, id or header
│   ├── NotSignedIn             401  the backend does not know this caller, or no longer
│   ├── NotAllowed              403  the caller may not do this
│   ├── NotFound                404  no such trace, conversation or route
│   ├── WrongMethod             405  the route exists, the method does not
│   ├── RequestTimedOut         408  the body did not come in time
│   ├── RequestTooLarge         413
│   ├── WrongMediaType          415
│   └── Unprocessable           422  well formed, but a value is not allowed or a record too large
├── Unavailable                 "why is there no answer now?": a message for the user
│   ├── ConversationBusy        409  another question is being answered
│   ├── LimitReached            429
│   ├── BackendUnavailable      502  Opik does not answer, or answers with an error
│   ├── ModelFailed             502  the model behind the chat proxy gave no usable answer
│   ├── DatabaseUnavailable     503  our own database
│   └── ShuttingDown            503
├── TurnLost                    "does this turn still hold its conversation?": it must stop writing
├── ToolFailed                  "can the model do something about it?": the result of the tool call
└── StartRefused                "can the service start?": one readable line for the operator

`message` is a sentence for a person and never holds a credential. `detail` is what a provider or
the backend answered, shortened, with what looks like a key or an address masked.
"""

from typing import ClassVar

from app.masking import excerpt
from app.messages import TokenUsage


class OpikAssistError(Exception):
    """A failure with a `code` for programs and a `message` for people."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500

    def __init__(self, message: str, *, detail: str = "", reason: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.detail = excerpt(detail)
        self.reason = reason or self.code

    def user_message(self, request_id: str) -> str:
        """The message, what the provider or the backend answered, and the id to quote."""
        answer = f' The answer was: "{self.detail}"' if self.detail else ""
        return f"{self.message}{answer} (request {request_id})"


class RequestRefused(OpikAssistError):
    """The request itself cannot be served; the caller gets `status`."""


class InvalidRequest(RequestRefused):
    code = "invalid_request"
    status = 400


class NotSignedIn(RequestRefused):
    code = "not_signed_in"
    status = 401


class NotAllowed(RequestRefused):
    code = "not_allowed"
    status = 403


class NotFound(RequestRefused):
    code = "not_found"
    status = 404


NO_CONVERSATION = "There is no such conversation about this trace."
NO_TURN = "There is no such turn in this conversation."


class WrongMethod(RequestRefused):
    code = "wrong_method"
    status = 405


class RequestTimedOut(RequestRefused):
    code = "request_timed_out"
    status = 408


class RequestTooLarge(RequestRefused):
    code = "request_too_large"
    status = 413


class WrongMediaType(RequestRefused):
    code = "wrong_media_type"
    status = 415


class Unprocessable(RequestRefused):
    code = "unprocessable"
    status = 422


class Unavailable(OpikAssistError):
    """The request is fine, but there is no answer now; the user reads why."""


class ConversationBusy(Unavailable):
    code = "busy"
    status = 409


class LimitReached(Unavailable):
    """`retry_after` is in seconds, None where waiting does not help."""

    code = "limit_reached"
    status = 429

    def __init__(self, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class BackendUnavailable(Unavailable):
    code = "backend_unavailable"
    status = 502


class ModelFailed(Unavailable):
    """The chat proxy or the provider behind it failed.

    `reason` is one of no_key, bad_key, model_unknown, rate_limited, context_too_long, timeout,
    content_filter, provider_error, cut, length, not_understood, unreachable, not_signed_in,
    not_allowed.
    `setting` names what an operator can change, "" for nothing; it is logged, not shown to users.
    `usage` is what the provider reported for replies before the failure, None for nothing.
    """

    code = "model_failed"
    status = 502

    def __init__(
        self, message: str, *, detail: str = "", reason: str | None = None, setting: str = ""
    ) -> None:
        super().__init__(message, detail=detail, reason=reason)
        self.setting = setting
        self.usage: TokenUsage | None = None


class DatabaseUnavailable(Unavailable):
    code = "database_unavailable"
    status = 503


class ShuttingDown(Unavailable):
    code = "shutting_down"
    status = 503


class TurnLost(OpikAssistError):
    """The turn no longer holds its conversation: deleted, or taken over after its lease ran out."""

    code = "turn_lost"
    status = 409


class ToolFailed(OpikAssistError):
    """A failed tool call; `message` becomes its result, from which the model can learn."""

    code = "tool_failed"


class StartRefused(OpikAssistError):
    """The service cannot start; `message` is one line for the operator."""

    code = "start_refused"
