"""Every setting of the service, read once from the environment and from a file `.env`.

Only the entry points and the migrations import this module; they pass each object the values it
needs. A default stands here and nowhere else. What no operator needs to change is a named constant
beside its use instead. The text below a setting is its description in docs/settings.md: after a
change here run `python scripts/settings_table.py`.
"""

import json
import re
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from app.errors import StartRefused
from app.secret_files import SecretFiles

DEFAULT_DATABASE = "sqlite:///opik-assist.db"
_MYSQL_DRIVERS = {"asyncmy", "pymysql", "aiomysql", "mysqldb"}

# Providers whose tool calls Opik's chat proxy passes on come first.
# fmt: off
_MODEL_ORDER = (
    "openai/gpt-4.1", "openai/gpt-5-mini", "openai/*", "openrouter/openai/gpt-4.1",
    "openrouter/anthropic/claude-sonnet-4.5", "openrouter/*", "requesty/*", "custom-llm/*",
    "bedrock/*", "ollama/*", "anthropic/claude-sonnet-4-5", "anthropic/*",
    "gemini/gemini-2.5-pro", "gemini/*", "vertex-ai/*", "opik-free/*",
)
# fmt: on


def _split_list(value: Any) -> Any:
    """The items of a list as JSON (`["a", "b"]`) or with commas (`a, b`)."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        return _read_json(value)
    return [part.strip() for part in value.split(",") if part.strip()]


def _read_json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise ValueError("must be valid JSON") from None


def _check_address(value: str) -> str:
    """The address without a closing slash; raises ValueError for anything but a plain http(s)."""
    if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", value):
        raise ValueError("must be an http:// or https:// address without credentials")
    return value.rstrip("/")


NameList = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split_list)]
NumberList = Annotated[tuple[int, ...], NoDecode, BeforeValidator(_split_list)]


class ModelPrice(BaseModel):
    """USD per million tokens; without `cached`, cached prompt tokens cost what others cost."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    prompt: float = Field(alias="in", ge=0, allow_inf_nan=False)
    completion: float = Field(alias="out", ge=0, allow_inf_nan=False)
    cached: float | None = Field(None, ge=0, allow_inf_nan=False)


class DatabaseSettings(BaseSettings):
    """The settings that a migration needs: where the tables are."""

    # A variable that is set but empty counts as unset: compose files cannot leave one out.
    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        allow_inf_nan=False,
    )

    session_service_uri: str = Field(DEFAULT_DATABASE, repr=False)
    """Database for conversations: `mysql://user:password@host/database` or `sqlite:///path`. The
    default is a SQLite file in the working directory."""
    session_service_max_retries: int = Field(30, ge=0)
    """Attempts at start to reach a database that is not up yet: 0 or more."""
    session_service_retry_delay: float = Field(1.0, ge=0)
    """Seconds between these attempts: 0 or more."""
    session_pool_recycle: int = Field(1800, ge=-1)
    """Seconds after which a database connection is replaced; -1: never. Must be below the server's
    `wait_timeout`."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments before secrets in files, these before the environment, this before `.env`."""
        variables: dict[str, str | None] = {}
        for source in (dotenv_settings, env_settings):
            if isinstance(source, EnvSettingsSource):
                variables |= source.env_vars
        return init_settings, SecretFiles(settings_cls, variables), env_settings, dotenv_settings

    @field_validator("session_service_uri")
    @classmethod
    def _check_database(cls, value: str) -> str:
        database_url(value)
        return value

    @classmethod
    def load(cls, **known: Any) -> Self:
        """The settings of this process; `known` ones count more than the environment.

        Raises StartRefused with one line that names each fault.
        """
        try:
            return cls(**known)
        except ValidationError as error:
            faults = "; ".join(_describe_fault(item) for item in error.errors(include_input=False))
            raise StartRefused(f"Settings: {faults}") from None
        except (OSError, UnicodeDecodeError):
            raise StartRefused("Settings: .env cannot be read as a text in UTF-8") from None


class Settings(DatabaseSettings):
    """All settings of the service."""

    agent_opik_url: Annotated[str, AfterValidator(_check_address)]
    """Address of the Opik backend, such as `http://backend:8080`, or `https://host/api` for Opik's
    own nginx. Must not contain credentials."""
    opik_backend_timeout: float = Field(30, gt=0)
    """Seconds for one attempt at a REST call to the backend."""
    retry_statuses: NumberList = (429, 502, 503, 504)
    """HTTP statuses of the backend and the chat proxy after which a call is repeated, separated by
    commas."""
    retry_max_attempts: int = Field(3, ge=1)
    """Attempts of one call, the first included: 1 or more."""
    retry_backoff_factor: float = Field(0.5, ge=0)
    """Seconds before the second attempt; doubles with each further attempt."""

    host: str = "0.0.0.0"  # noqa: S104 - a container
    """IP address to listen on."""
    port: int = Field(8081, ge=1, le=65535)
    """Port to listen on: 1 to 65535."""
    url_prefix: str = ""
    """Path before every route, without a slash at its end; Opik's nginx expects `/opik-ai`."""
    allowed_origins: NameList = ()
    """Origins of other sites whose pages may call the service with the user's cookie, such as
    `http://localhost:5173`, separated by commas. `*` is refused."""
    allowed_hosts: NameList = ()
    """Host names under which browsers may reach the service, separated by commas, without ports;
    `*.example.com` stands for all below it. Unset: any. It stops pages whose own name was pointed
    at this service (DNS rebinding), which matters where Opik has no accounts. Probes and metrics
    are served under any name."""
    migrate_at_start: bool = True
    """true or false: create or update the tables at start. With false, run `opik-assist migrate`
    yourself."""
    drain_seconds: float = Field(5, ge=0)
    """Seconds after SIGTERM in which connections are still accepted, while `readyz` answers 503 and
    new questions are refused: load balancers need time to notice."""
    shutdown_seconds: float = Field(10, ge=0)
    """Seconds after that in which running turns may finish."""

    ui_enabled: bool = True
    """true or false: serve the page of this service at `{URL_PREFIX}/ui/`."""
    opik_ui_url: str = ""
    """Address of Opik's UI, for links to the spans and traces that an answer cites. Unset: no
    links."""
    opik_ui_span_url: str = (
        "{ui}/{workspace}/projects/{project_id}/logs?trace={trace_id}&span={span_id}"
        "&lastSection=ai_assistants"
    )
    """Address of a span in Opik's UI; starts with `{ui}/`. Allowed placeholders are those of the
    default."""
    opik_ui_trace_url: str = "{ui}/{workspace}/projects/{project_id}/logs?trace={trace_id}"
    """Address of a trace in Opik's UI; starts with `{ui}/`. Allowed placeholders are those of the
    default."""

    agent_model: NameList = Field(("openai/gpt-4.1",), min_length=1)
    """Model as `provider/name`, or several in order of preference, separated by commas. `auto`, or
    no model whose provider has a key in the workspace: the first usable one of
    AGENT_MODEL_ORDER."""
    agent_model_order: NameList = _MODEL_ORDER
    """Models to fall back to, separated by commas; `provider/*` is any model that the provider
    offers."""
    agent_models_allowed: NameList = ()
    """Models that a question may name in `model`, separated by commas; `/models` lists them."""
    agent_reasoning_effort: str | None = None
    """Sent as `reasoning_effort` (such as low, medium or high) to reasoning models that accept it.
    Unset: not sent."""
    agent_temperature: float | None = Field(None, ge=0, le=2)
    """Sent as `temperature`, 0 to 2, never to reasoning models. Unset: not sent."""
    agent_max_completion_tokens: int = Field(8192, ge=16)
    """Most tokens of one reply of the model: 16 or more."""
    agent_context_tokens: int = Field(100_000, ge=1_000)
    """Most tokens of one request to the model (estimated): 1000 or more. Where a request would be
    longer, its oldest tool results are shortened first."""
    tool_result_characters: int = Field(8_000, ge=500)
    """Most characters of one tool result: 500 or more."""
    model_silence_seconds: float = Field(120, gt=0)
    """Seconds without data from the chat proxy after which a reply is abandoned. Opik's own limit
    is 60 s (`LLM_PROVIDER_CLIENT_READ_TIMEOUT`)."""
    model_prices: Annotated[dict[str, ModelPrice], NoDecode, BeforeValidator(_read_json)] = {}
    """Prices as JSON, in USD per million tokens: `{"gpt-4.1": {"in": 2, "out": 8, "cached": 0.5}}`.
    Other models of known providers have their list prices; unknown models show no costs."""

    turn_steps: int = Field(12, ge=1)
    """Most replies of the model in one turn: 1 or more."""
    turn_seconds: float = Field(240, gt=0)
    """Seconds for one turn: the check of access, reading its trace, and all replies. A quarter of
    it, at most a minute, is kept for a last answer without tools."""
    turn_tokens: int = Field(200_000, ge=1)
    """Most tokens of one turn, all its requests added: 1 or more."""
    concurrent_turns: int = Field(100, ge=1)
    """Most turns at once in one process: 1 or more."""
    user_turns: int = Field(4, ge=0)
    """Most turns of one user at once, over all processes; as many traces and histories may be open
    at once in one process. 0: unlimited."""
    user_turns_per_minute: int = Field(20, ge=0)
    """Most questions of one user within a minute. 0: unlimited."""
    workspace_turns: int = Field(100, ge=0)
    """Most turns of one workspace at once, over all processes. 0: unlimited."""
    workspace_tokens_per_day: int = Field(0, ge=0)
    """Tokens that one workspace may use per day (from 00:00 UTC); above it no turn starts. 0:
    unlimited."""
    retention_days: float | None = Field(None, gt=0, le=36_500)
    """Days without a new message after which a conversation is deleted, up to 36500. Unset:
    never."""

    log_format: Literal["console", "json"] = "console"
    """Format of the log lines: console or json. The image sets json."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Least severe lines to log: DEBUG, INFO, WARNING or ERROR."""
    mcp_enabled: bool = False
    """true or false: offer the tools to coding agents at `/mcp`. Needs
    `pip install 'opik-assist[mcp]'`."""
    metrics_enabled: bool = False
    """true or false: serve metrics for Prometheus at `/metrics`. Needs
    `pip install 'opik-assist[metrics]'`. Several processes behind one port share a folder, named by
    `PROMETHEUS_MULTIPROC_DIR` and emptied before they start."""
    segment_write_key: str | None = Field(None, repr=False)
    """Write key of Segment for usage events without content. Needs
    `pip install 'opik-assist[segment]'`. Unset: nothing is sent."""
    segment_host: str | None = None
    """Segment's address for your region, such as `https://events.eu1.segmentapis.com`. Unset: its
    default one."""
    segment_environment: str = "production"
    """Name of the environment in usage events, also in those to New Relic."""
    new_relic_license_key: str | None = Field(None, repr=False)
    """License key of New Relic, for usage events without content and timings of requests. Needs
    `pip install 'opik-assist[newrelic]'`; the agent's other `NEW_RELIC_…` variables work as well.
    Unset: nothing is sent."""
    new_relic_config_file: str | None = None
    """Configuration file of New Relic's agent, which may hold the license key."""
    sentry_dsn: str | None = Field(None, repr=False)
    """Sentry address for unexpected errors, such as `https://key@host/1`. Unset: nothing is
    reported."""
    sentry_environment: str = "production"
    """Name of the environment in these reports."""
    sentry_traces_sample_rate: float = Field(0, ge=0, le=1)
    """Share of requests whose timing Sentry gets: 0 to 1."""
    sentry_profiles_sample_rate: float = Field(0, ge=0, le=1)
    """Share of these requests that are also profiled: 0 to 1."""
    sentry_send_default_pii: bool = False
    """true or false: report the user's IP address. Cookies, headers and content are never
    reported."""
    opik_internal_url: str | None = None
    """Address of an Opik backend that gets a trace of each turn of OpikAssist. Needs the Opik SDK:
    `pip install 'opik-assist[opik]'`, or an image built with `EXTRAS=opik`. Unset: nothing is sent,
    the SDK is not loaded."""
    opik_internal_api_key: str | None = Field(None, repr=False)
    """API key for that backend. Unset: none is sent."""
    opik_internal_workspace: str | None = None
    """Workspace in that backend. Unset: its default workspace."""
    opik_internal_project: str = "opik-assist"
    """Project in that backend that gets the traces."""
    opik_internal_content: Literal["none", "full"] = "none"
    """none: names, counts, times, tokens and error codes. full: also questions, answers, tool
    arguments and tool results."""

    @field_validator("opik_ui_url")
    @classmethod
    def _check_ui_url(cls, value: str) -> str:
        return _check_address(value) if value else ""

    @field_validator("opik_ui_span_url", "opik_ui_trace_url")
    @classmethod
    def _check_ui_pattern(cls, value: str, info: ValidationInfo) -> str:
        if not re.match(r"\{ui\}[/?#]", value):
            raise ValueError("must start with {ui} and a slash, as the default does")
        allowed = re.findall(r"\{\w+\}", cls.model_fields[info.field_name or ""].default)
        if unknown := set(re.findall(r"\{[\w-]+\}", value)).difference(allowed):
            raise ValueError(f"{min(unknown)} is unknown; allowed are {', '.join(allowed)}")
        return value

    @field_validator("url_prefix")
    @classmethod
    def _check_prefix(cls, value: str) -> str:
        value = value.strip().rstrip("/")
        if value and not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", value):
            raise ValueError("must be a path such as /opik-ai (letters, digits and . _ ~ -)")
        return value

    @field_validator("allowed_origins")
    @classmethod
    def _check_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if not re.fullmatch(r"https?://[^\s/*?#@]+", origin):
                raise ValueError(
                    "must be origins such as http://localhost:5173, without a path; * is refused"
                )
        return value

    @field_validator("allowed_hosts")
    @classmethod
    def _check_hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for host in value:
            if not re.fullmatch(r"(\*\.)?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", host):
                raise ValueError("must be host names such as opik.example.com, without a port")
        return value

    @field_validator("sentry_dsn")
    @classmethod
    def _check_sentry_dsn(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(
            r"https?://[^\s/@:]+(:[^\s/@]*)?@[^\s/@]+(/[^\s?#]*)?/\d+", value
        ):
            raise ValueError("must be an address such as https://key@host/1")
        return value

    @field_validator("opik_internal_url")
    @classmethod
    def _check_internal_url(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if find_spec("opik") is None:
            raise ValueError(
                "needs the Opik SDK: pip install 'opik-assist[opik]', or build the image with"
                " EXTRAS=opik"
            )
        return _check_address(value)


def database_url(uri: str) -> URL:
    """The database's address with the driver that we use.

    Every `mysql` driver name means asyncmy, every `sqlite` one pysqlite. Raises ValueError, in a
    message without the password, for anything else.
    """
    try:
        url = make_url(uri)
    except (ArgumentError, ValueError):  # the latter quotes what stands where the port should
        raise ValueError("must be an address such as mysql://user:password@host/name") from None
    backend, _, driver = url.drivername.partition("+")
    if backend in {"mysql", "mariadb"} and (not driver or driver in _MYSQL_DRIVERS):
        if not url.database:
            raise ValueError("must name a database, as in mysql://user:password@host/name")
        if "@" in (url.host or "") or "/" in url.database:
            raise ValueError("must have %40 for @ in its password, and %2F for /")
        return url.set(drivername="mysql+asyncmy").update_query_dict({"charset": "utf8mb4"})
    if backend == "sqlite" and driver in {"", "aiosqlite", "pysqlite"}:
        return url.set(drivername="sqlite+pysqlite")
    raise ValueError("must start with mysql:// or sqlite:///")


def _describe_fault(error: Mapping[str, Any]) -> str:
    """One fault of pydantic's, with the name of the variable; never its value."""
    name = "_".join(str(part) for part in error["loc"][:1]).upper()
    if error["type"] == "missing" and len(error["loc"]) == 1:
        return f"{name} is not set"
    return f"{name}: {error['msg'].removeprefix('Value error, ')}"
