"""Selects the model of a turn: by configuration, by the workspace's keys, and by trying."""

from collections.abc import (
    Awaitable,
    Callable,
    Coroutine,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import anyio
import structlog
from cachetools import TTLCache

from app.backend_http import BackendHttp
from app.background_result import BackgroundResult
from app.caller import Caller
from app.chat.capabilities import (
    Capabilities,
    LearnedCapabilities,
    find_capabilities,
    guess_provider,
    normalize_provider,
)
from app.chat.model import ChatOptions, ProxyModel
from app.chat.native_tools import remove_provider_prefix
from app.chat.provider_errors import build_model_failed
from app.errors import InvalidRequest, ModelFailed, OpikAssistError
from app.messages import Message, OfferedModel, Reply, ToolSpec
from app.opik.models import CatalogModel, ModelCatalog, ProviderKey

log = structlog.get_logger(__name__)

AUTO = "auto"
_PER_WILDCARD = 3
"""Models tried of a `provider/*`: each that is refused costs a request before the first word."""
_EXACT_NAME_PROVIDERS = frozenset({"openai", "anthropic", "gemini"})
_MODELS_LISTED_IN_KEY = frozenset({"custom-llm", "bedrock", "ollama"})
_OPENROUTER = "openrouter/"
_ROUTERS = frozenset({"openrouter", "requesty", "orcarouter"})
_FREE_PROVIDER = "opik-free"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model to try: the configured name, the name on the wire, its provider ("" if unknown)."""

    name: str
    wire: str
    provider: str
    capabilities: Capabilities


@dataclass(frozen=True, slots=True)
class WorkspaceModels:
    """What the backend lists for a workspace, models by provider; None where it lists nothing."""

    keys: Sequence[ProviderKey] | None = None
    models: Mapping[str, Sequence[CatalogModel]] | None = None
    _selected: dict[tuple[Sequence[str], Sequence[str]], list[Candidate]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def is_usable(self, candidate: Candidate) -> bool | None:
        """Whether this model can answer here; None where only a request would show it."""
        if self.keys is None or not candidate.provider:
            return None
        if candidate.provider == _FREE_PROVIDER and self._models_of(_FREE_PROVIDER):
            return True
        if not any(normalize_provider(key.provider) == candidate.provider for key in self.keys):
            return False
        if candidate.provider in _MODELS_LISTED_IN_KEY:
            return any(candidate.wire in key.models for key in self.keys)
        models = self._models_of(candidate.provider)
        if candidate.provider in _EXACT_NAME_PROVIDERS and models:
            return any(model.id == candidate.wire for model in models)
        return True

    def find_candidates(self, names: Iterable[str]) -> list[Candidate]:
        """The models that these names may stand for, each once, in order."""
        found: dict[str, Candidate] = {}
        for name in names:
            for each in self._candidates_of(name):
                found.setdefault(each.wire, each)
        return list(found.values())

    def select(self, names: Sequence[str], order: Sequence[str]) -> list[Candidate]:
        """The models to try one after the other: of `names` first, then of `order`.

        Those that are known not to work are left out, unless nothing else is left: then the first
        one stays, so that the user reads what is wrong with it.
        """
        question = tuple(names), tuple(order)
        if question not in self._selected:  # asked for in every turn, of hundreds of models
            found = self.find_candidates([*(name for name in names if name != AUTO), *order])
            usable = [each for each in found if self.is_usable(each) is not False]
            self._selected[question] = usable or found[:1]
        return self._selected[question]

    def _candidates_of(self, name: str) -> list[Candidate]:
        provider, _, rest = name.partition("/")
        if rest == "*":
            provider = normalize_provider(provider)
            names = list(self._wire_names(provider))[:_PER_WILDCARD]
            return [self._candidate(each, each) for each in names]
        wire = remove_provider_prefix(name)
        candidates = [self._candidate(name, wire)]
        if wire != name:
            routed = "google/" + rest if provider == "gemini" else name
            models = self._models_of("openrouter")
            if not models or any(model.id == routed for model in models):
                candidates.append(self._candidate(name, _OPENROUTER + routed))
        return candidates

    def _candidate(self, name: str, wire: str) -> Candidate:
        provider = self._provider_of(wire)
        capabilities = find_capabilities(
            provider,
            wire,
            responses_mode=provider == "openai" and self._in_responses_mode(),
            reasons=self._is_reasoning(provider, wire),
        )
        return Candidate(name, wire, provider, capabilities)

    def _provider_of(self, wire: str) -> str:
        """By the keys' own lists, else by the backend's models, else by the name."""
        for key in self.keys or ():
            if wire in key.models:
                return normalize_provider(key.provider)
        for provider, models in (self.models or {}).items():
            if any(wire in {model.id, model.qualified_name} for model in models):
                return normalize_provider(provider)
        return guess_provider(wire)

    def _in_responses_mode(self) -> bool:
        """The proxy uses the first key of a provider, so that its mode counts."""
        of_openai = (key for key in self.keys or () if normalize_provider(key.provider) == "openai")
        first = next(of_openai, None)
        return first is not None and first.responses_mode

    def _is_reasoning(self, provider: str, wire: str) -> bool | None:
        known = {model.id: model.reasoning for model in self._models_of(provider)}
        return known.get(wire, known.get(wire.removeprefix(_OPENROUTER)))

    def _wire_names(self, provider: str) -> Iterator[str]:
        """The names on the wire of all models of a provider."""
        for key in self.keys or ():
            if normalize_provider(key.provider) == provider:
                yield from key.models
        for model in self._models_of(provider):
            if provider in _ROUTERS:
                yield f"{provider}/{model.id.removeprefix(f'{provider}/')}"
            elif provider == "vertex-ai":
                yield model.qualified_name or f"vertex_ai/{model.id}"
            elif provider not in _MODELS_LISTED_IN_KEY:
                yield model.id

    def _models_of(self, provider: str) -> Sequence[CatalogModel]:
        for name, models in (self.models or {}).items():
            if normalize_provider(name) == provider:
                return models
        return ()


_CACHE_SIZE = 10_000
_CACHE_SECONDS = 300
"""How long lists and refused models are remembered, and so how long a new key or a repaired model
may go unnoticed."""
# The backend's lists only improve the choice: a question does not wait long for them.
_LISTING_SECONDS = 5
_TRY_NEXT = frozenset({"no_key", "model_unknown"})


@dataclass(frozen=True, slots=True)
class ModelPreferences:
    """The configured models: `models` to use, `order` to fall back to, `allowed` in a question."""

    models: Sequence[str]
    order: Sequence[str]
    allowed: Sequence[str]


class ModelSelector:
    """Opens the model of a turn; caches what it learns for all turns of the process."""

    def __init__(
        self,
        backend: BackendHttp,
        catalog: ModelCatalog,
        *,
        preferences: ModelPreferences,
        options: ChatOptions,
        start_soon: Callable[[Callable[[], Coroutine[Any, Any, None]]], object],
    ) -> None:
        """`start_soon` runs a function in a task of its own."""
        self._backend = backend
        self._catalog = catalog
        self._preferences = preferences
        self._options = options
        self._start_soon = start_soon
        self._learned = LearnedCapabilities()
        self._workspaces: TTLCache[str, WorkspaceModels] = TTLCache(_CACHE_SIZE, _CACHE_SECONDS)
        # By workspace: names on the wire that the proxy cannot route, and providers (as
        # `provider/*`) for which it has no key.
        self._unusable: TTLCache[tuple[str | None, str], bool] = TTLCache(
            _CACHE_SIZE, _CACHE_SECONDS
        )

    def resolve_name(self, requested: str | None) -> str:
        """The name of the turn's model until one has answered.

        Raises InvalidRequest for a requested model that is not allowed.
        """
        if requested is None:
            return self._preferences.models[0]
        if requested not in self._preferences.allowed:
            raise InvalidRequest(
                "This model cannot be chosen here; GET models lists those that can."
            )
        return requested

    def __call__(self, caller: Caller, *, token: str, requested: str | None) -> "ChosenModel":
        candidates = BackgroundResult(partial(self.candidates, caller, requested))
        self._start_soon(candidates.run)
        return ChosenModel(self, caller, token=token, candidates=candidates)

    async def list_offered(self, caller: Caller) -> list[OfferedModel]:
        """The models that a question may name, and which of them work in this workspace."""
        workspace = await self._workspace_models(caller)
        offered = []
        for name in self._preferences.allowed:
            candidates = [] if name == AUTO else workspace.find_candidates([name])
            usable = {workspace.is_usable(each) for each in candidates}
            offered.append(OfferedModel(name, _any_usable(usable)))
        return offered

    async def candidates(self, caller: Caller, requested: str | None) -> list[Candidate]:
        """The models to try one after the other. A requested model is not replaced by another."""
        workspace = await self._workspace_models(caller)
        if requested is None:
            found = workspace.select(self._preferences.models, self._preferences.order)
        elif requested == AUTO:
            found = workspace.select([], self._preferences.order)
        else:
            found = workspace.select([requested], ())
        return [each for each in found if not self._is_marked_unusable(caller, each)] or found[:1]

    def open(self, caller: Caller, candidate: Candidate, *, token: str) -> ProxyModel:
        return ProxyModel(
            self._backend,
            caller,
            candidate.wire,
            options=self._options,
            capabilities=candidate.capabilities,
            learned=self._learned,
            token=token,
        )

    def mark_unusable(self, caller: Caller, candidate: Candidate, *, no_key: bool) -> None:
        """Remembers that the proxy cannot route this model; with `no_key`, none of its provider.

        Where the backend lists its keys, a missing one means that they have changed: they are read
        again the next time. Otherwise the model is not tried for some minutes.
        """
        known = self._workspaces.get(caller.digest())
        if no_key and known is not None and known.keys is not None:
            del self._workspaces[caller.digest()]
        else:
            whole_provider = no_key and candidate.provider
            name = f"{candidate.provider}/*" if whole_provider else candidate.wire
            self._unusable[caller.workspace, name] = True

    def _is_marked_unusable(self, caller: Caller, candidate: Candidate) -> bool:
        names = (candidate.wire, f"{candidate.provider}/*")
        return any((caller.workspace, name) in self._unusable for name in names)

    async def _workspace_models(self, caller: Caller) -> WorkspaceModels:
        known = self._workspaces.get(caller.digest())
        if known is None:
            known = await self._list(caller)
        return known

    async def _list(self, caller: Caller) -> WorkspaceModels:
        """What the backend lists; kept where it answered, also that it does not list its keys."""
        found: dict[str, Any] = {}

        async def read(name: str, list_all: Callable[[Caller], Awaitable[object]]) -> None:
            try:
                found[name] = await list_all(caller)
            except OpikAssistError as error:
                log.info("model_catalog_unavailable", what=name, code=error.code)

        with anyio.move_on_after(_LISTING_SECONDS):
            async with anyio.create_task_group() as group:
                group.start_soon(read, "keys", self._catalog.list_keys)
                group.start_soon(read, "models", self._catalog.list_models)
        listed = WorkspaceModels(**found)
        if "keys" in found:
            self._workspaces[caller.digest()] = listed
        return listed


class ChosenModel:
    """`agent.ports.Model`: the first of the candidates that the proxy can route, from then on."""

    def __init__(
        self,
        selector: ModelSelector,
        caller: Caller,
        *,
        token: str,
        candidates: BackgroundResult[list[Candidate]],
    ) -> None:
        self._selector = selector
        self._caller = caller
        self._token = token
        self._candidates = candidates
        self._model: ProxyModel | None = None

    async def reply(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[ToolSpec],
        on_text: Callable[[str], None],
        on_withdrawn: Callable[[], None],
    ) -> Reply:
        """See `agent.ports.Model`; where no candidate works the first one's failure is raised."""

        async def request_reply(model: ProxyModel) -> Reply:
            return await model.reply(
                messages, tools=tools, on_text=on_text, on_withdrawn=on_withdrawn
            )

        if self._model is not None:
            return await request_reply(self._model)
        return await self._first_reply(request_reply)

    async def _first_reply(self, request_reply: Callable[[ProxyModel], Awaitable[Reply]]) -> Reply:
        failure: ModelFailed | None = None
        without_key: set[str] = set()
        for candidate in await self._candidates.get():
            if candidate.provider in without_key:
                continue
            model = self._selector.open(self._caller, candidate, token=self._token)
            try:
                reply = await request_reply(model)
            except ModelFailed as error:
                if model.has_text or error.reason not in _TRY_NEXT:
                    self._model = model
                    raise
                failure = failure or error
                no_key = error.reason == "no_key"
                self._selector.mark_unusable(self._caller, candidate, no_key=no_key)
                if no_key and candidate.provider:
                    without_key.add(candidate.provider)
                log.info("model_unusable", model=candidate.wire, reason=error.reason)
                continue
            self._model = model
            log.info("model_chosen", model=candidate.wire, provider=candidate.provider)
            return reply
        raise failure or build_model_failed("no_model")


def _any_usable(usable: set[bool | None]) -> bool | None:
    """True if any is, None where only a request would show it, else False."""
    if True in usable:
        return True
    return None if None in usable or not usable else False
