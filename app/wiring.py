"""Builds the parts of the service from its settings."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

import anyio.abc
import httpx

from app.agent.context import CALLS_PER_STEP, TURN_TOOL_CHARACTERS, TurnLimits
from app.backend_http import BackendHttp, RetryPolicy
from app.chat.model import REPLY_BYTES, ChatOptions
from app.chat.model_selection import ModelPreferences, ModelSelector
from app.conversation.admission import BUSY_WAIT_SECONDS, AdmissionLimits
from app.conversation.answer import TurnPolicy
from app.conversation.conversations import Conversations
from app.conversation.event_writer import (
    END_SECONDS,
    LEASE_SECONDS,
    SHOW_SECONDS,
    STORE_PAUSE_SECONDS,
    StorageTimeouts,
)
from app.conversation.health import Health
from app.conversation.ports import Observer
from app.conversation.preparation import Preparation
from app.conversation.prices import PriceTable, TokenPrice
from app.conversation.retention import Retention
from app.db.migrations import SchemaCheck
from app.db.quotas import OWNER_CONVERSATIONS, OWNER_EVENTS, Quotas
from app.db.retention_batches import RetentionBatches
from app.db.store import Store
from app.explorer.explorer import Explorer
from app.extras import importing_extra
from app.opik.access import BackendAccess
from app.opik.client import OpikClient, is_reachable
from app.opik.lists import ListClient
from app.opik.models import ModelCatalog
from app.opik.rest_client import RestClient
from app.settings import ModelPrice, Settings
from app.telemetry.error_reports import ErrorReports
from app.telemetry.reporting import Reporting
from app.telemetry.turn_traces import OwnTraces
from app.telemetry.usage_reports import UsageReports
from app.token_estimate import CHARACTERS_PER_TOKEN
from app.tools import TOOLS
from app.tools.trace.loader import MAX_SPANS, LoadLimits, TraceLoader
from app.tools.trace.trace_context import OUTLINE_TOKENS, TOOL_SECONDS, ToolLimits
from app.tools.trace.trace_opener import TraceOpener
from app.web.markdown.ui_urls import UiLinks

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from app.mcp.http import McpEndpoint

BACKEND_PROBE_SECONDS = 2.0
"""A readiness check that waits longer would time out at most load balancers."""
RETENTION_LEASE_SECONDS = 60
"""Longer than the transaction of a batch may take, which renews it; after so long another process
goes on for one that died."""
_PARTS_OF_CONTEXT = 4
"""The outline is one; instructions, messages, and tool results have to fit in as well."""


def build_conversations(
    settings: Settings,
    store: Store,
    *,
    backend: BackendHttp,
    rest: RestClient,
    tasks: anyio.abc.TaskGroup,
    observer: Observer,
    system: str,
) -> Conversations:
    """The conversations on this store, with this backend, their turns run in `tasks`.

    `system` is the model's instructions.
    """
    client = OpikClient(rest)
    loader = TraceLoader(client, build_load_limits(settings))
    opener = TraceOpener(
        client, loader, TOOLS, build_tool_limits(settings), start_soon=tasks.start_soon
    )
    return Conversations(
        store,
        BackendAccess(client, owner_key=store.owner_key),
        open_trace=opener.begin,
        preparation=Preparation(opener.prepare, tasks=tasks),
        open_model=_build_model_selector(settings, backend, rest, tasks),
        observer=observer,
        policy=build_turn_policy(settings, system),
        tasks=tasks,
    )


def build_explorer(rest: RestClient) -> Explorer:
    """What reads projects and traces for the page."""
    return Explorer(OpikClient(rest), ListClient(rest))


def build_health(
    settings: Settings,
    http: httpx.AsyncClient,
    schema: SchemaCheck,
    *,
    is_draining: Callable[[], bool],
) -> Health:
    """What answers whether this process can answer questions."""
    backend_answers = partial(
        is_reachable, http, base_url=settings.agent_opik_url, seconds=BACKEND_PROBE_SECONDS
    )
    return Health(
        schema_fault=schema.find_fault_for_turns,
        backend_answers=backend_answers,
        draining=is_draining,
    )


def build_backend(settings: Settings, http: httpx.AsyncClient) -> BackendHttp:
    """The backend's API at the configured address."""
    retries = RetryPolicy(
        statuses=frozenset(settings.retry_statuses),
        attempts=settings.retry_max_attempts,
        backoff=settings.retry_backoff_factor,
    )
    return BackendHttp(http, base_url=settings.agent_opik_url, retries=retries)


def build_load_limits(settings: Settings) -> LoadLimits:
    """How much of a trace is read before the first model call."""
    return LoadLimits(spans=MAX_SPANS, seconds=settings.turn_seconds)


def build_tool_limits(settings: Settings) -> ToolLimits:
    """How much one tool call may read and return, and how large the outline is."""
    return ToolLimits(
        result_characters=settings.tool_result_characters,
        seconds=TOOL_SECONDS,
        outline_tokens=min(OUTLINE_TOKENS, settings.agent_context_tokens // _PARTS_OF_CONTEXT),
    )


def build_turn_policy(settings: Settings, system: str) -> TurnPolicy:
    """How turns are run, with these instructions for the model."""
    limits = TurnLimits(
        steps=settings.turn_steps,
        calls_per_step=CALLS_PER_STEP,
        seconds=settings.turn_seconds,
        tokens=settings.turn_tokens,
        tool_characters=TURN_TOOL_CHARACTERS,
        context_characters=settings.agent_context_tokens * CHARACTERS_PER_TOKEN,
    )
    return TurnPolicy(
        limits=limits,
        timeouts=StorageTimeouts(
            lease=LEASE_SECONDS, event=SHOW_SECONDS, pause=STORE_PAUSE_SECONDS, end=END_SECONDS
        ),
        system=system,
        admission=AdmissionLimits(
            turns=settings.concurrent_turns,
            quotas=_build_quotas(settings),
            busy_wait_seconds=BUSY_WAIT_SECONDS,
        ),
        prices=PriceTable(
            {name: _build_price(each) for name, each in settings.model_prices.items()}
        ),
    )


def _build_quotas(settings: Settings) -> Quotas:
    return Quotas(
        owner_turns=settings.user_turns or None,
        owner_turns_per_minute=settings.user_turns_per_minute or None,
        owner_conversations=OWNER_CONVERSATIONS,
        owner_events=OWNER_EVENTS,
        workspace_turns=settings.workspace_turns or None,
        workspace_tokens_per_day=settings.workspace_tokens_per_day or None,
    )


def build_retention(
    settings: Settings, engine: "AsyncEngine", observer: Observer
) -> Retention | None:
    """What removes old conversations, if that is wanted."""
    if settings.retention_days is None:
        return None
    expiry = RetentionBatches(
        engine,
        days=settings.retention_days,
        holder=str(uuid4()),
        lease_seconds=RETENTION_LEASE_SECONDS,
    )
    return Retention(expiry, observer, retry_seconds=RETENTION_LEASE_SECONDS)


def _build_price(price: ModelPrice) -> TokenPrice:
    cached = price.prompt if price.cached is None else price.cached
    return TokenPrice(price.prompt, price.completion, cached)


def _build_model_selector(
    settings: Settings, backend: BackendHttp, rest: RestClient, tasks: anyio.abc.TaskGroup
) -> ModelSelector:
    """Opens models behind the chat proxy, with a caller's rights."""
    return ModelSelector(
        backend,
        ModelCatalog(rest),
        preferences=ModelPreferences(
            models=settings.agent_model,
            order=settings.agent_model_order,
            allowed=settings.agent_models_allowed,
        ),
        options=build_chat_options(settings),
        start_soon=tasks.start_soon,
    )


def build_chat_options(settings: Settings) -> ChatOptions:
    """How replies are asked for."""
    return ChatOptions(
        max_completion_tokens=settings.agent_max_completion_tokens,
        temperature=settings.agent_temperature,
        reasoning_effort=settings.agent_reasoning_effort,
        silence_seconds=settings.model_silence_seconds,
        reply_bytes=REPLY_BYTES,
    )


def build_error_reports(settings: Settings) -> ErrorReports:
    """What reports unexpected errors, if it is configured."""
    return ErrorReports(
        dsn=settings.sentry_dsn,
        environment=settings.sentry_environment,
        traces_sample_rate=settings.sentry_traces_sample_rate,
        profiles_sample_rate=settings.sentry_profiles_sample_rate,
        send_default_pii=settings.sentry_send_default_pii,
    )


def build_reporting(settings: Settings) -> Reporting:
    """Metrics, usage events and traces of our own turns, as far as they are switched on.

    Raises StartRefused where a library for them is not installed.
    """
    return Reporting(
        own_traces=_build_own_traces(settings),
        usage_reports=_build_usage_reports(settings),
        metrics=settings.metrics_enabled,
    )


def build_ui_links(settings: Settings) -> UiLinks:
    """Where an answer's links to Opik's UI lead."""
    return UiLinks(settings.opik_ui_url, settings.opik_ui_span_url, settings.opik_ui_trace_url)


def build_mcp(settings: Settings, ui: UiLinks) -> "McpEndpoint | None":
    """The endpoint for coding agents, if it is switched on.

    Raises StartRefused where its library is not installed.
    """
    if not settings.mcp_enabled:
        return None
    with importing_extra():
        from app.mcp.http import McpEndpoint

        return McpEndpoint(TOOLS, ui)


def _build_own_traces(settings: Settings) -> OwnTraces:
    return OwnTraces(
        url=settings.opik_internal_url,
        api_key=settings.opik_internal_api_key,
        workspace=settings.opik_internal_workspace,
        project=settings.opik_internal_project,
        full=settings.opik_internal_content == "full",
    )


def _build_usage_reports(settings: Settings) -> UsageReports:
    return UsageReports(
        segment_write_key=settings.segment_write_key,
        segment_host=settings.segment_host,
        environment=settings.segment_environment,
        new_relic_license_key=settings.new_relic_license_key,
        new_relic_config_file=settings.new_relic_config_file,
    )
