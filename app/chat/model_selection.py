"""Which model answers a turn: by configuration, by the workspace's keys, and by trying."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import anyio
import httpx
import structlog
from cachetools import TTLCache

from app.caller import Caller
from app.chat.candidates import AUTO, Candidate, Key, Knowledge, Offer
from app.chat.capabilities import Learnt
from app.chat.model import ProxyModel
from app.chat.parameters import ChatOptions
from app.chat.provider_errors import failed
from app.errors import InvalidRequest, ModelFailed, OpikAssistError
from app.messages import Message, OfferedModel, Reply, ToolSpec

log = structlog.get_logger(__name__)

_REMEMBERED = 10_000
_KNOWLEDGE_SECONDS = 300
# The backend's lists only make the choice better: nobody waits long for them.
_ASKING_SECONDS = 5
_NEXT = frozenset({"no_key", "model_unknown"})


class Offers(Protocol):
    """Tells what a workspace may use; None where the backend does not."""

    async def keys(self, caller: Caller) -> Sequence[Key] | None: ...
    async def models(self, caller: Caller) -> Mapping[str, Sequence[Offer]] | None: ...


@dataclass(frozen=True, slots=True)
class Wishes:
    """The configured models: those to use, those to fall back to, those a question may name."""

    models: Sequence[str]
    order: Sequence[str] = ()
    allowed: Sequence[str] = ()


class ModelDesk:
    """Opens the model of a turn; what it finds out serves all turns of the process."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        offers: Offers,
        *,
        base_url: str,
        wishes: Wishes,
        options: ChatOptions,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._http = http
        self._offers = offers
        self._base_url = base_url
        self._wishes = wishes
        self._options = options
        self._learnt = Learnt(clock=clock)
        self._known: TTLCache[str, Knowledge] = TTLCache(
            _REMEMBERED, _KNOWLEDGE_SECONDS, timer=clock
        )
        # By workspace: the names on the wire that the proxy cannot route, the providers (as
        # `provider/*`) for which it has no key.
        self._refused: TTLCache[tuple[str | None, str], bool] = TTLCache(
            _REMEMBERED, _KNOWLEDGE_SECONDS, timer=clock
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
            self._http,
            base_url=self._base_url,
            caller=caller,
            model=candidate.wire,
            options=self._options,
            abilities=candidate.abilities,
            learnt=self._learnt,
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

    async def _knowledge(self, caller: Caller) -> Knowledge:
        known = self._known.get(caller.digest())
        if known is None:
            known = await self._ask(caller)
            if known.keys is not None:
                self._known[caller.digest()] = known
        return known

    async def _ask(self, caller: Caller) -> Knowledge:
        found: dict[str, Any] = {}

        async def ask(name: str, read: Callable[[Caller], Awaitable[object]]) -> None:
            try:
                found[name] = await read(caller)
            except OpikAssistError as error:
                log.info("models_not_listed", what=name, code=error.code)

        with anyio.move_on_after(_ASKING_SECONDS):
            async with anyio.create_task_group() as group:
                group.start_soon(ask, "keys", self._offers.keys)
                group.start_soon(ask, "offers", self._offers.models)
        return Knowledge(**found)


class ChosenModel:
    """`agent.ports.Model`: the first of the candidates that the proxy can route, from then on."""

    def __init__(
        self, desk: ModelDesk, caller: Caller, *, token: str, requested: str | None
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
                if error.reason not in _NEXT:
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
            raise failed("no_model")
        raise failure


def _unless(usable: set[bool | None]) -> bool | None:
    """What a set without a True says."""
    return None if None in usable or not usable else False
