"""Which models a workspace may use: its providers' keys and the models that the backend knows.

Of a key's record only the provider, its name, its models and its mode are ever read: the rest (a
masked key, headers, addresses) is dropped while parsing and never kept, logged or sent on.
"""

import re
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter

from app.caller import Caller
from app.opik.rest_client import RestClient

_BODY_BYTES = 4 * 1024 * 1024


def _split_names(value: Any) -> Any:
    """Model names are one text with commas."""
    if isinstance(value, str):
        return tuple(name for part in value.split(",") if (name := part.strip()))
    return ()


def _object_or_empty(value: Any) -> Any:
    return value if isinstance(value, dict) else {}


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class _Configuration(_Record):
    models: Annotated[tuple[str, ...], BeforeValidator(_split_names)] = ()
    openai_pipeline_mode: str | None = None


class ProviderKey(_Record):
    """A provider that the workspace has a key for."""

    provider: str
    provider_name: str | None = None
    configuration: Annotated[_Configuration, BeforeValidator(_object_or_empty)] = _Configuration()

    @property
    def models(self) -> tuple[str, ...]:
        """The names that this key's provider serves, as the proxy routes them."""
        return self.configuration.models

    @property
    def responses_mode(self) -> bool:
        """Whether OpenAI is spoken to through its Responses API."""
        mode = self.configuration.openai_pipeline_mode or ""
        return re.fullmatch("responses(_api)?", mode, re.IGNORECASE) is not None


class OfferedBackendModel(_Record):
    """A model that the backend knows."""

    id: str
    qualified_name: str | None = Field(
        None, validation_alias=AliasChoices("qualifiedName", "qualified_name")
    )
    reasoning: bool | None = None


class _Keys(_Record):
    content: tuple[ProviderKey, ...]


_MODELS = TypeAdapter(dict[str, tuple[OfferedBackendModel, ...]])


class BackendModels:
    """Reads them with a caller's rights; None where the backend does not tell this caller."""

    def __init__(self, transport: RestClient) -> None:
        self._transport = transport

    async def keys(self, caller: Caller) -> tuple[ProviderKey, ...] | None:
        """The providers with a key. Raises BackendUnavailable."""
        body = await self._read(caller, "/llm-provider-key")
        try:
            return None if body is None else _Keys.model_validate_json(body).content
        except ValueError:
            return None

    async def models(self, caller: Caller) -> dict[str, tuple[OfferedBackendModel, ...]] | None:
        """The models by provider. Raises BackendUnavailable."""
        body = await self._read(caller, "/llm/models")
        try:
            return None if body is None else _MODELS.validate_json(body)
        except ValueError:
            return None

    async def _read(self, caller: Caller, path: str) -> bytes | None:
        answer = await self._transport.exchange(caller, "GET", path, limit=_BODY_BYTES)
        return answer.body if answer.status == 200 and answer.end == "whole" else None
