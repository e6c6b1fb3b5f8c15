"""Configured names -> the models to try, by what is known of the workspace's keys. No I/O.

Names are written as `provider/model` (`openai/gpt-4.1`), bare (`gpt-4.1`), or as the proxy routes
them (`openrouter/vendor/model`, `custom-llm/…`, `vertex_ai/…`); `provider/*` stands for whatever
the provider offers. A name such as `openai/gpt-4.1` also means OpenRouter's model of that name,
where the workspace has a key for OpenRouter and none for the vendor itself.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.chat.capabilities import Abilities, abilities_of, canonical, provider_by_name
from app.chat.native_tools import wire_model

AUTO = "auto"
_PER_WILDCARD = 3
_BY_EXACT_NAME = frozenset({"openai", "anthropic", "gemini"})
_LISTED_WITH_THE_KEY = frozenset({"custom-llm", "bedrock", "ollama"})
_OPENROUTER = "openrouter/"
_ROUTERS = frozenset({"openrouter", "requesty", "orcarouter"})
_FREE = "opik-free"


class Key(Protocol):
    """A provider that the workspace has a key for."""

    @property
    def provider(self) -> str: ...
    @property
    def models(self) -> tuple[str, ...]: ...
    @property
    def responses_mode(self) -> bool: ...


class Offer(Protocol):
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
    abilities: Abilities


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What the backend tells of a workspace; None where it tells nothing."""

    keys: Sequence[Key] | None = None
    offers: Mapping[str, Sequence[Offer]] | None = None

    def usable(self, candidate: Candidate) -> bool | None:
        """Whether this model can answer here; None where only trying would tell."""
        if self.keys is None or not candidate.provider:
            return None
        if candidate.provider == _FREE and self._offered(_FREE):
            return True
        if not any(canonical(key.provider) == candidate.provider for key in self.keys):
            return False
        if candidate.provider in _LISTED_WITH_THE_KEY:
            return any(candidate.wire in key.models for key in self.keys)
        offered = self._offered(candidate.provider)
        if candidate.provider in _BY_EXACT_NAME and offered:
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
            provider = canonical(provider)
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
        abilities = abilities_of(
            provider,
            wire,
            responses_mode=provider == "openai" and self._in_responses_mode(),
            reasons=self._reasons(provider, wire),
        )
        return Candidate(name, wire, provider, abilities)

    def _provider_of(self, wire: str) -> str:
        """By the keys' own lists, by the backend's models, and by the name, in this order."""
        for key in self.keys or ():
            if wire in key.models:
                return canonical(key.provider)
        for provider, offers in (self.offers or {}).items():
            if any(wire in {offer.id, offer.qualified_name} for offer in offers):
                return canonical(provider)
        return provider_by_name(wire)

    def _in_responses_mode(self) -> bool:
        """The proxy takes a provider's first key."""
        of_openai = (key for key in self.keys or () if canonical(key.provider) == "openai")
        first = next(of_openai, None)
        return first is not None and first.responses_mode

    def _reasons(self, provider: str, wire: str) -> bool | None:
        known = {offer.id: offer.reasoning for offer in self._offered(provider)}
        return known.get(wire, known.get(wire.removeprefix(_OPENROUTER)))

    def _all_of(self, provider: str) -> Iterator[str]:
        """The names on the wire of what a provider offers."""
        for key in self.keys or ():
            if canonical(key.provider) == provider:
                yield from key.models
        for offer in self._offered(provider):
            if provider in _ROUTERS:
                yield f"{provider}/{offer.id.removeprefix(f'{provider}/')}"
            elif provider == "vertex-ai":
                yield offer.qualified_name or f"vertex_ai/{offer.id}"
            elif provider not in _LISTED_WITH_THE_KEY:
                yield offer.id

    def _offered(self, provider: str) -> Sequence[Offer]:
        return next(
            (each for name, each in (self.offers or {}).items() if canonical(name) == provider), ()
        )
