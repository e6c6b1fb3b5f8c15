"""Which model answers a turn: by configuration, by the workspace's keys, and by trying."""

import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import anyio
import structlog
from cachetools import TTLCache

from app.backend_http import BackendHttp
from app.caller import Caller
from app.chat.capabilities import (
    Capabilities,
    LearnedCapabilities,
    find_capabilities,
    guess_provider,
    normalize_provider,
)
from app.chat.model import ChatOptions, ProxyModel
from app.chat.native_tools import wire_model
from app.chat.provider_errors import build_model_failed
from app.errors import InvalidRequest, ModelFailed, OpikAssistError
from app.messages import Message, OfferedModel, Reply, ToolSpec

log = structlog.get_logger(__name__)

AUTO = "auto"
_PER_WILDCARD = 3
_EXACT_NAME_PROVIDERS = frozenset({"openai", "anthropic", "gemini"})
_MODELS_LISTED_IN_KEY = frozenset({"custom-llm", "bedrock", "ollama"})
_OPENROUTER = "openrouter/"
_ROUTERS = frozenset({"openrouter", "requesty", "orcarouter"})
_FREE_PROVIDER = "opik-free"


class CatalogKey(Protocol):
    """A provider that the workspace has a key for."""

    @property
    def provider(self) -> str: ...
    @property
    def models(self) -> tuple[str, ...]: ...
    @property
    def responses_mode(self) -> bool: ...


class CatalogModel(Protocol):
    """A model that the backend knows."""

    @property
    def id(self) -> str: ...
    @property
    def qualified_name(self) -> str | None: ...
    @property
    def reasoning(self) -> bool | None: ...


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model to try: the configured name, the name on the wire, its provider ("" if unknown)."""

    name: str
    wire: str
    provider: str
    capabilities: Capabilities


@dataclass(frozen=True, slots=True)
class WorkspaceModels:
    """What the backend tells of a workspace; None where it tells nothing."""

    keys: Sequence[CatalogKey] | None = None
    offers: Mapping[str, Sequence[CatalogModel]] | None = None

    def usable(self, candidate: Candidate) -> bool | None:
        """Whether this model can answer here; None where only trying would tell."""
        if self.keys is None or not candidate.provider:
            return None
        if candidate.provider == _FREE_PROVIDER and self._offered(_FREE_PROVIDER):
            return True
        if not any(normalize_provider(key.provider) == candidate.provider for key in self.keys):
            return False
        if candidate.provider in _MODELS_LISTED_IN_KEY:
            return any(candidate.wire in key.models for key in self.keys)
        offered = self._offered(candidate.provider)
        if candidate.provider in _EXACT_NAME_PROVIDERS and offered:
            return any(offer.id == candidate.wire for offer in offered)
        return True

    def candidates(self, names: Iterable[str]) -> list[Candidate]:
        """The models that these names may mean, each once, in order."""
        found: dict[str, Candidate] = {}
        for name in names:
            for each in self._meant(name):
                found.setdefault(each.wire, each)
        return list(found.values())

    def choose(self, names: Sequence[str], order: Sequence[str]) -> list[Candidate]:
        """The models to try in turn: of `names` first, then of `order`.

        Those that are known not to work are left out, unless nothing else is left: then the first
        one stays, for the backend to say what is wrong with it.
        """
        wanted = self.candidates([*(name for name in names if name != AUTO), *order])
        usable = [each for each in wanted if self.usable(each) is not False]
        return usable or wanted[:1]

    def _meant(self, name: str) -> list[Candidate]:
        provider, _, rest = name.partition("/")
        if rest == "*":
            provider = normalize_provider(provider)
            return [self._candidate(each, each) for each in self._all_of(provider)][:_PER_WILDCARD]
        wire = wire_model(name)
        meant = [self._candidate(name, wire)]
        if wire != name:
            routed = "google/" + rest if provider == "gemini" else name
            offered = self._offered("openrouter")
            if not offered or any(offer.id == routed for offer in offered):
                meant.append(self._candidate(name, _OPENROUTER + routed))
        return meant

    def _candidate(self, name: str, wire: str) -> Candidate:
        provider = self._provider_of(wire)
        capabilities = find_capabilities(
            provider,
            wire,
            responses_mode=provider == "openai" and self._in_responses_mode(),
            reasons=self._reasons(provider, wire),
        )
        return Candidate(name, wire, provider, capabilities)

    def _provider_of(self, wire: str) -> str:
        """By the keys' own lists, by the backend's models, and by the name, in this order."""
        for key in self.keys or ():
            if wire in key.models:
                return normalize_provider(key.provider)
        for provider, offers in (self.offers or {}).items():
            if any(wire in {offer.id, offer.qualified_name} for offer in offers):
                return normalize_provider(provider)
        return guess_provider(wire)

    def _in_responses_mode(self) -> bool:
        """The proxy takes a provider's first key."""
        of_openai = (key for key in self.keys or () if normalize_provider(key.provider) == "openai")
        first = next(of_openai, None)
        return first is not None and first.responses_mode

    def _reasons(self, provider: str, wire: str) -> bool | None:
        known = {offer.id: offer.reasoning for offer in self._offered(provider)}
        return known.get(wire, known.get(wire.removeprefix(_OPENROUTER)))

    def _all_of(self, provider: str) -> Iterator[str]:
        """The names on the wire of what a provider offers."""
        for key in self.keys or ():
            if normalize_provider(key.provider) == provider:
                yield from key.models
        for offer in self._offered(provider):
            if provider in _ROUTERS:
                yield f"{provider}/{offer.id.removeprefix(f'{provider}/')}"
            elif provider == "vertex-ai":
                yield offer.qualified_name or f"vertex_ai/{offer.id}"
            elif provider not in _MODELS_LISTED_IN_KEY:
                yield offer.id

    def _offered(self, provider: str) -> Sequence[CatalogModel]:
        return next(
            (
                each
                for name, each in (self.offers or {}).items()
                if normalize_provider(name) == provider
            ),
            (),
        )


_CACHE_SIZE = 10_000
_CACHE_SECONDS = 300
# The backend's lists only make the choice better: nobody waits long for them.
_LISTING_SECONDS = 5
_TRY_NEXT = frozenset({"no_key", "model_unknown"})


class ModelCatalog(Protocol):
    """Tells what a workspace may use; None where the backend does not."""

    async def keys(self, caller: Caller) -> Sequence[CatalogKey] | None: ...
    async def models(self, caller: Caller) -> Mapping[str, Sequence[CatalogModel]] | None: ...


@dataclass(frozen=True, slots=True)
class ModelPreferences:
    """The configured models: those to use, those to fall back to, those a question may name."""

    models: Sequence[str]
    order: Sequence[str] = ()
    allowed: Sequence[str] = ()


class ModelSelector:
    """Opens the model of a turn; what it finds out serves all turns of the process."""

    def __init__(
        self,
        backend: BackendHttp,
        offers: ModelCatalog,
        *,
        wishes: ModelPreferences,
        options: ChatOptions,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._backend = backend
        self._offers = offers
        self._wishes = wishes
        self._options = options
        self._learned = LearnedCapabilities(clock=clock)
        self._known: TTLCache[str, WorkspaceModels] = TTLCache(
            _CACHE_SIZE, _CACHE_SECONDS, timer=clock
        )
        # By workspace: the names on the wire that the proxy cannot route, the providers (as
        # `provider/*`) for which it has no key.
        self._refused: TTLCache[tuple[str | None, str], bool] = TTLCache(
            _CACHE_SIZE, _CACHE_SECONDS, timer=clock
        )

    def admit(self, requested: str | None) -> str:
        """The name that stands for the turn's model until one has answered.

        Raises InvalidRequest for a requested one that is not among the allowed.
        """
        if requested is None:
            return self._wishes.models[0]
        if requested not in self._wishes.allowed:
            raise InvalidRequest(
                "This model cannot be chosen here; GET models lists those that can."
            )
        return requested

    def __call__(self, caller: Caller, *, token: str, requested: str | None) -> "ChosenModel":
        return ChosenModel(self, caller, token=token, requested=requested)

    async def offered(self, caller: Caller) -> list[OfferedModel]:
        """The models that a question may name, and which of them work in this workspace."""
        knowledge = await self._knowledge(caller)
        offered = []
        for name in self._wishes.allowed:
            candidates = [] if name == AUTO else knowledge.candidates([name])
            usable = {knowledge.usable(each) for each in candidates}
            offered.append(OfferedModel(name, True if True in usable else _unless(usable)))
        return offered

    async def candidates(self, caller: Caller, requested: str | None) -> list[Candidate]:
        """The models to try in turn. Whoever asked for one model is not answered by another."""
        knowledge = await self._knowledge(caller)
        wishes = self._wishes
        if requested is None or requested == AUTO:
            names = wishes.models if requested is None else [AUTO]
            found = knowledge.choose(names, wishes.order)
        else:
            found = knowledge.choose([requested], ())
        return [each for each in found if not self._is_refused(caller, each)] or found[:1]

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

    def refuse(self, caller: Caller, candidate: Candidate, *, for_want_of_key: bool) -> None:
        """Takes note that the proxy cannot route this model, or none of its provider.

        Where the backend lists its keys they are read anew the next time, since they have changed;
        elsewhere the model is passed over for some minutes.
        """
        if self._known.pop(caller.digest(), None) is None:
            of_provider = for_want_of_key and candidate.provider
            name = f"{candidate.provider}/*" if of_provider else candidate.wire
            self._refused[caller.workspace, name] = True

    def _is_refused(self, caller: Caller, candidate: Candidate) -> bool:
        names = (candidate.wire, f"{candidate.provider}/*")
        return any((caller.workspace, name) in self._refused for name in names)

    async def _knowledge(self, caller: Caller) -> WorkspaceModels:
        known = self._known.get(caller.digest())
        if known is None:
            known = await self._ask(caller)
            if known.keys is not None:
                self._known[caller.digest()] = known
        return known

    async def _ask(self, caller: Caller) -> WorkspaceModels:
        found: dict[str, Any] = {}

        async def ask(name: str, read: Callable[[Caller], Awaitable[object]]) -> None:
            try:
                found[name] = await read(caller)
            except OpikAssistError as error:
                log.info("models_not_listed", what=name, code=error.code)

        with anyio.move_on_after(_LISTING_SECONDS):
            async with anyio.create_task_group() as group:
                group.start_soon(ask, "keys", self._offers.keys)
                group.start_soon(ask, "offers", self._offers.models)
        return WorkspaceModels(**found)


class ChosenModel:
    """`agent.ports.Model`: the first of the candidates that the proxy can route, from then on."""

    def __init__(
        self, desk: ModelSelector, caller: Caller, *, token: str, requested: str | None
    ) -> None:
        self._desk = desk
        self._caller = caller
        self._token = token
        self._requested = requested
        self._model: ProxyModel | None = None

    async def reply(
        self, messages: Sequence[Message], *, tools: Sequence[ToolSpec], say: Callable[[str], None]
    ) -> Reply:
        """See `agent.ports.Model`; where no candidate works the first one's failure is raised."""
        if self._model is not None:
            return await self._model.reply(messages, tools=tools, say=say)
        failure: ModelFailed | None = None
        keyless: set[str] = set()
        for candidate in await self._desk.candidates(self._caller, self._requested):
            if candidate.provider in keyless:
                continue
            model = self._desk.open(self._caller, candidate, token=self._token)
            try:
                reply = await model.reply(messages, tools=tools, say=say)
            except ModelFailed as error:
                if error.reason not in _TRY_NEXT:
                    self._model = model
                    raise
                failure = failure or error
                keyless_provider = error.reason == "no_key"
                self._desk.refuse(self._caller, candidate, for_want_of_key=keyless_provider)
                if keyless_provider and candidate.provider:
                    keyless.add(candidate.provider)
                log.info("model_not_usable", model=candidate.wire, reason=error.reason)
                continue
            self._model = model
            log.info("model_chosen", model=candidate.wire, provider=candidate.provider)
            return reply
        if failure is None:
            raise build_model_failed("no_model")
        raise failure


def _unless(usable: set[bool | None]) -> bool | None:
    """What a set without a True says."""
    return None if None in usable or not usable else False
