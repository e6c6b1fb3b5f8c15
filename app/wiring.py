"""The parts of the service, made from its settings."""

from uuid import uuid4

import anyio.abc
import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from app.agent.context import TurnLimits
from app.backend_http import BackendHttp, RetryPolicy
from app.chat.model import ChatOptions
from app.chat.model_selection import ModelPreferences, ModelSelector
from app.conversation.admission import AdmissionLimits
from app.conversation.conversations import Conversations, TurnPolicy
from app.conversation.event_writer import Lease, StorageTimeouts
from app.conversation.ports import Observer
from app.conversation.retention import Retention
from app.conversation.token_usage import TokenPrice
from app.db.retention_batches import RetentionBatches
from app.db.store import Quotas, Store
from app.opik.access import BackendAccess
from app.opik.client import OpikClient
from app.opik.models import ModelCatalog
from app.opik.rest_client import RestClient
from app.settings import ModelPrice, Settings
from app.telemetry.error_reports import ErrorReports
from app.telemetry.turn_observer import OwnTraces
from app.token_estimate import CHARACTERS_PER_TOKEN
from app.tools import TOOLS
from app.tools.trace.loader import LoadLimits, TraceLoader
from app.tools.trace.trace_context import OUTLINE_TOKENS, ToolLimits, TraceOpener

RETENTION_LEASE_SECONDS = 60
_PARTS_OF_CONTEXT = 4
"""The outline is one; instructions, what was said, and tool results have to fit in as well."""


def build_conversations(
    settings: Settings,
    store: Store,
    *,
    http: httpx.AsyncClient,
    tasks: anyio.abc.TaskGroup,
    observer: Observer,
    system: str,
) -> Conversations:
    """The conversations on this store, with this HTTP client, their turns run in `tasks`.

    `system` is the model's instructions.
    """
    backend = build_backend(settings, http)
    rest = RestClient(backend, timeout=settings.opik_backend_timeout)
    client = OpikClient(rest)
    loader = TraceLoader(
        client, LoadLimits(spans=settings.max_spans, seconds=settings.turn_seconds)
    )
    limits = ToolLimits(
        result_characters=settings.tool_result_characters,
        seconds=settings.tool_seconds,
        outline_tokens=min(OUTLINE_TOKENS, settings.agent_context_tokens // _PARTS_OF_CONTEXT),
    )
    opener = TraceOpener(client, loader, TOOLS, limits, usual_seconds=settings.usual_seconds)
    return Conversations(
        store,
        BackendAccess(client, owner_key=store.owner_key, seconds=settings.access_cache_seconds),
        open_trace=opener.open_trace,
        open_model=_models(settings, backend, rest),
        observer=observer,
        policy=build_turn_policy(settings, system),
        tasks=tasks,
    )


def build_backend(settings: Settings, http: httpx.AsyncClient) -> BackendHttp:
    """The backend's API at the configured address."""
    retries = RetryPolicy(
        statuses=frozenset(settings.retry_statuses),
        attempts=settings.retry_max_attempts,
        backoff=settings.retry_backoff_factor,
    )
    return BackendHttp(http, base_url=settings.agent_opik_url, retries=retries)


def build_turn_policy(settings: Settings, system: str) -> TurnPolicy:
    """How turns are run, with these instructions for the model."""
    limits = TurnLimits(
        steps=settings.turn_steps,
        calls_per_step=settings.turn_calls_per_step,
        seconds=settings.turn_seconds,
        tokens=settings.turn_tokens,
        tool_characters=settings.turn_tool_characters,
        context_characters=settings.agent_context_tokens * CHARACTERS_PER_TOKEN,
    )
    return TurnPolicy(
        limits=limits,
        lease=Lease(settings.lease_seconds),
        timeouts=StorageTimeouts(end=settings.storing_seconds),
        system=system,
        admission=AdmissionLimits(
            turns=settings.concurrent_turns,
            quotas=_quotas(settings),
            busy_wait_seconds=settings.busy_wait_seconds,
        ),
        prices={name: _price(each) for name, each in settings.model_prices.items()},
    )


def _quotas(settings: Settings) -> Quotas:
    return Quotas(
        owner_turns=settings.user_turns or None,
        owner_turns_per_minute=settings.user_turns_per_minute or None,
        owner_conversations=settings.user_conversations or None,
        owner_events=settings.user_events or None,
        workspace_turns=settings.workspace_turns or None,
        workspace_tokens_per_day=settings.workspace_tokens_per_day or None,
    )


def build_retention(
    settings: Settings, engine: AsyncEngine, observer: Observer
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


def _price(price: ModelPrice) -> TokenPrice:
    cached = price.prompt if price.cached is None else price.cached
    return TokenPrice(price.prompt, price.completion, cached)


def _models(settings: Settings, backend: BackendHttp, rest: RestClient) -> ModelSelector:
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
    )


def build_chat_options(settings: Settings) -> ChatOptions:
    """How replies are asked for."""
    return ChatOptions(
        max_completion_tokens=settings.agent_max_completion_tokens,
        temperature=settings.agent_temperature,
        reasoning_effort=settings.agent_reasoning_effort,
        silence_seconds=settings.model_silence_seconds,
        reply_bytes=settings.reply_bytes,
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


def build_own_traces(settings: Settings) -> OwnTraces:
    """What sends traces of our own turns, if it is configured."""
    return OwnTraces(
        url=settings.opik_internal_url,
        api_key=settings.opik_internal_api_key,
        workspace=settings.opik_internal_workspace,
        project=settings.opik_internal_project,
        full=settings.opik_internal_content == "full",
    )
