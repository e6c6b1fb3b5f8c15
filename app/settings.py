"""Every setting of the service, read once from the environment (and `.env`).

Imported by the entry points and the migrations only: they hand each object its own few values.
A field's description is what the README's table says of it.
"""

import json
import re
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from app.errors import StartRefused

DEFAULT_DATABASE = "sqlite:///opik-assist.db"
# Providers whose tools reach the model come first.
# fmt: off
_ORDER = (
    "openai/gpt-4.1", "openai/gpt-5-mini", "openai/*", "openrouter/openai/gpt-4.1",
    "openrouter/anthropic/claude-sonnet-4.5", "openrouter/*", "requesty/*", "custom-llm/*",
    "bedrock/*", "ollama/*", "anthropic/claude-sonnet-4-5", "anthropic/*",
    "gemini/gemini-2.5-pro", "gemini/*", "vertex-ai/*", "opik-free/*",
)
# fmt: on
_MYSQL_DRIVERS = {"asyncmy", "pymysql", "aiomysql", "mysqldb"}


def _split(value: Any) -> Any:
    """A list as JSON (`["a","b"]`) or with commas (`a, b`)."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        return json.loads(value)
    return [part.strip() for part in value.split(",") if part.strip()]


class DatabaseSettings(BaseSettings):
    """What a migration needs: where the tables are."""

    # A variable that is set to nothing counts as unset: compose files cannot leave one out.
    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    session_service_uri: str = Field(
        DEFAULT_DATABASE,
        repr=False,
        description="The database of conversations: `mysql://user:password@host/database` or"
        " `sqlite:///path`. Unset: a SQLite file in the working directory.",
    )
    session_service_max_retries: int = Field(
        30, ge=0, description="Attempts to reach a database that is not up yet at start."
    )
    session_service_retry_delay: float = Field(
        1.0, ge=0, description="Seconds between those attempts."
    )
    session_pool_recycle: int = Field(
        1800, ge=-1, description="Seconds after which a database connection is renewed."
    )

    @field_validator("session_service_uri")
    @classmethod
    def _known_database(cls, value: str) -> str:
        database_url(value)
        return value

    @classmethod
    def load(cls) -> Self:
        """The settings of this process; raises StartRefused with one line that names the fault."""
        try:
            return cls()
        except ValidationError as error:
            faults = "; ".join(_fault(item) for item in error.errors(include_input=False))
            raise StartRefused(f"Settings: {faults}") from None


class ModelPrice(BaseModel):
    """USD per million tokens; cached ones cost what others do unless it is said."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    prompt: float = Field(alias="in", ge=0, allow_inf_nan=False)
    completion: float = Field(alias="out", ge=0, allow_inf_nan=False)
    cached: float | None = Field(None, ge=0, allow_inf_nan=False)


class Settings(DatabaseSettings):
    """All settings of the service."""

    agent_opik_url: str = Field(
        description="Required. The Opik backend, such as `http://backend:8080`, or"
        " `https://host/api` through Opik's own nginx."
    )
    host: str = Field("0.0.0.0", description="Address to listen on.")  # noqa: S104 - a container
    port: int = Field(8081, ge=1, le=65535, description="Port to listen on.")
    url_prefix: str = Field("", description="Path before every route; Opik's nginx: `/opik-ai`.")
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Foreign origins that may call with credentials. `*` is refused."
    )
    opik_ui_url: str = Field(
        "", description="The address of Opik's UI, for links to the spans that an answer cites."
    )
    opik_ui_span_url: str = Field(
        "{ui}/{workspace}/projects/{project_id}/logs?trace={trace_id}&span={span_id}",
        description="The address of a span in Opik's UI, each part encoded as it is filled in.",
    )
    log_format: Literal["console", "json"] = Field("console", description="How log lines look.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="The least severe line to log."
    )
    migrate_at_start: bool = Field(True, description="Bring the schema up to date at start.")

    agent_model: Annotated[tuple[str, ...], NoDecode] = Field(
        ("openai/gpt-4.1",),
        min_length=1,
        description="The model, as the workspace's provider names it; several are tried in order."
        " `auto`, or a model whose provider has no key: the first of AGENT_MODEL_ORDER that works.",
    )
    agent_model_order: Annotated[tuple[str, ...], NoDecode] = Field(
        _ORDER,
        description="Models to fall back to; `provider/*` is whatever the provider offers.",
    )
    agent_models_allowed: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Models that a question may name in `model`; listed at `/models`."
    )
    agent_reasoning_effort: str | None = Field(
        None, description="Sent as `reasoning_effort` to models that reason, where accepted."
    )
    agent_temperature: float | None = Field(
        None, ge=0, le=2, description="Sent as `temperature` where set; never to reasoning models."
    )
    agent_max_completion_tokens: int = Field(
        8192, ge=16, description="Most tokens of one reply of the model."
    )
    agent_context_tokens: int = Field(
        100_000,
        ge=1_000,
        description="Tokens of one request, roughly; longer ones shrink, oldest results first.",
    )
    model_prices: Annotated[dict[str, ModelPrice], NoDecode] = Field(
        {},
        description='USD per million tokens: `{"gpt-4.1": {"in": 2, "out": 8, "cached": 0.5}}`.',
    )
    model_silence_seconds: float = Field(
        120, gt=0, description="Silence of the chat proxy after which a reply is given up."
    )

    opik_backend_timeout: float = Field(
        30, gt=0, description="Seconds for one REST call to the backend."
    )
    retry_statuses: Annotated[tuple[int, ...], NoDecode] = Field(
        (429, 502, 503, 504), description="Answers of the backend that are tried again."
    )
    retry_max_attempts: int = Field(3, ge=1, description="Attempts of one call in all.")
    retry_backoff_factor: float = Field(
        0.5, ge=0, description="Seconds before the second attempt; doubles each time."
    )
    max_spans: int = Field(50_000, ge=1, description="Most spans read of one trace.")

    turn_steps: int = Field(12, ge=1, description="Replies of the model in one turn.")
    turn_calls_per_step: int = Field(16, ge=1, description="Tool calls run of one reply.")
    turn_seconds: float = Field(240, gt=0, description="Seconds for one turn.")
    turn_tokens: int = Field(200_000, ge=1, description="Tokens of one turn.")
    tool_seconds: float = Field(30, gt=0, description="Seconds for one tool call.")
    tool_result_characters: int = Field(
        8_000, ge=500, description="Most characters of one tool result."
    )
    turn_tool_characters: int = Field(
        120_000, ge=1_000, description="Characters that the tool results of one turn share."
    )
    reply_bytes: int = Field(262_144, ge=1_024, description="Most bytes of one reply.")
    message_characters: int = Field(
        32_000, ge=1, description="Most characters of a user's message."
    )
    body_bytes: int = Field(262_144, ge=64, description="Most bytes of a request's body.")
    concurrent_turns: int = Field(
        100, ge=1, description="Turns at once in one process; more are refused in words."
    )
    busy_wait_seconds: float = Field(
        3, ge=0, description="How long a second question waits for the first to end."
    )
    lease_seconds: float = Field(
        20, gt=0, description="How long a conversation stays taken by a process that died."
    )
    heartbeat_seconds: float = Field(
        15, gt=0, description="Silence on a stream after which a comment line is sent."
    )
    access_cache_seconds: float = Field(
        60, ge=0, description="How long a permission to read a trace is remembered."
    )
    shutdown_seconds: float = Field(
        10, ge=0, description="How long running turns may go on after SIGTERM."
    )

    sentry_dsn: str | None = Field(
        None, repr=False, description="Where unexpected errors are reported. Unset: nowhere."
    )
    sentry_environment: str = Field(
        "production", description="The environment that those reports name."
    )
    sentry_traces_sample_rate: float = Field(
        0, ge=0, le=1, description="Share of requests whose timing is reported to Sentry."
    )
    sentry_profiles_sample_rate: float = Field(
        0, ge=0, le=1, description="Share of those requests that are profiled as well."
    )
    sentry_send_default_pii: bool = Field(
        False, description="Report the caller's address too; never cookies, headers or content."
    )

    @field_validator("model_prices", mode="before")
    @classmethod
    def _json(cls, value: Any) -> Any:
        return json.loads(value) if isinstance(value, str) else value

    @field_validator("sentry_dsn")
    @classmethod
    def _report_address(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(
            r"https?://[^\s/@:]+(:[^\s/@]*)?@[^\s/@]+(/[^\s?#]*)?/\d+", value
        ):
            raise ValueError("must be an address such as https://key@host/1")
        return value

    @field_validator("agent_opik_url")
    @classmethod
    def _http_address(cls, value: str) -> str:
        if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", value):
            raise ValueError("must be an http(s) address without credentials")
        return value.rstrip("/")

    @field_validator("opik_ui_url")
    @classmethod
    def _ui_address(cls, value: str) -> str:
        return cls._http_address(value) if value else ""

    @field_validator("opik_ui_span_url")
    @classmethod
    def _starts_at_the_ui(cls, value: str) -> str:
        if not re.match(r"\{ui\}[/?#]", value):
            raise ValueError("must start with {ui} and a slash")
        return value

    @field_validator("url_prefix")
    @classmethod
    def _path(cls, value: str) -> str:
        value = value.strip().rstrip("/")
        if value and not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", value):
            raise ValueError("must be a path such as /opik-ai")
        return value

    @field_validator(
        "allowed_origins",
        "retry_statuses",
        "agent_model",
        "agent_model_order",
        "agent_models_allowed",
        mode="before",
    )
    @classmethod
    def _list(cls, value: Any) -> Any:
        return _split(value)

    @field_validator("allowed_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if not re.fullmatch(r"https?://[^\s/*?#@]+", origin):
                raise ValueError("needs origins such as http://localhost:5173; * is refused")
        return value


def database_url(uri: str) -> URL:
    """The database's address with the async driver that we use.

    Every `mysql` driver name means asyncmy, every `sqlite` one aiosqlite. Raises ValueError, in
    words that do not hold the password, for anything else.
    """
    try:
        url = make_url(uri)
    except ArgumentError:
        raise ValueError("must be an address such as mysql://user:password@host/name") from None
    backend, _, driver = url.drivername.partition("+")
    if backend in {"mysql", "mariadb"} and (not driver or driver in _MYSQL_DRIVERS):
        if not url.database:
            raise ValueError("must name a database, as in mysql://user:password@host/name")
        return url.set(drivername="mysql+asyncmy").update_query_dict({"charset": "utf8mb4"})
    if backend == "sqlite" and driver in {"", "aiosqlite", "pysqlite"}:
        return url.set(drivername="sqlite+aiosqlite")
    raise ValueError("must start with mysql:// or sqlite:///")


def _fault(error: Any) -> str:
    name = "_".join(str(part) for part in error["loc"][:1]).upper()
    if error["type"] == "missing" and len(error["loc"]) == 1:
        return f"{name} is not set"
    return f"{name}: {error['msg'].removeprefix('Value error, ')}"
