"""Which models a workspace may use: its providers' keys and the models that the backend lists.

Of a key's record only the provider, its models and its mode are read: the rest (a masked key,
headers, addresses) is dropped while parsing and never kept, logged or sent on.
"""

import re
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter

from app.caller import Caller
from app.opik.rest_client import RestClient

_BODY_BYTES = 4 * 1024 * 1024
"""Of a list: hundreds of models of some hundred bytes each are far less."""


def _split_names(value: Any) -> Any:
    """The backend sends model names as one text with commas."""
    if isinstance(value, str):
        return tuple(name for part in value.split(",") if (name := part.strip()))
    return ()


def _object_or_empty(value: Any) -> Any:
    return value if isinstance(value, dict) else {}


class _CatalogRecord(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class _Configuration(_CatalogRecord):
    models: Annotated[tuple[str, ...], BeforeValidator(_split_names)] = ()
    openai_pipeline_mode: str | None = None


class ProviderKey(_CatalogRecord):
    """A provider that the workspace has a key for."""

    provider: str
    configuration: Annotated[_Configuration, BeforeValidator(_object_or_empty)] = _Configuration()

    @property
    def models(self) -> tuple[str, ...]:
        """The names on the wire of the models that this key lists."""
        return self.configuration.models

    @property
    def responses_mode(self) -> bool:
        """Whether the proxy calls OpenAI's Responses API."""
        mode = self.configuration.openai_pipeline_mode or ""
        return re.fullmatch("responses(_api)?", mode, re.IGNORECASE) is not None


class CatalogModel(_CatalogRecord):
    """A model that the backend lists; `reasoning` is None where it does not say."""

    id: str
    qualified_name: str | None = Field(
        None, validation_alias=AliasChoices("qualifiedName", "qualified_name")
    )
    reasoning: bool | None = None


class _Keys(_CatalogRecord):
    content: tuple[ProviderKey, ...]


_MODELS = TypeAdapter(dict[str, tuple[CatalogModel, ...]])


class ModelCatalog:
    """Reads both with a caller's rights; None where the backend does not show them."""

    def __init__(self, rest: RestClient) -> None:
        self._rest = rest

    async def list_keys(self, caller: Caller) -> tuple[ProviderKey, ...] | None:
        """The providers with a key. Raises BackendUnavailable."""
        body = await self._read(caller, "/llm-provider-key")
        try:
            return None if body is None else _Keys.model_validate_json(body).content
        except ValueError:
            return None

    async def list_models(self, caller: Caller) -> dict[str, tuple[CatalogModel, ...]] | None:
        """The models by provider. Raises BackendUnavailable."""
        body = await self._read(caller, "/llm/models")
        try:
            return None if body is None else _MODELS.validate_json(body)
        except ValueError:
            return None

    async def _read(self, caller: Caller, path: str) -> bytes | None:
        response = await self._rest.exchange(caller, "GET", path, limit=_BODY_BYTES)
        return response.body if response.status == 200 and response.end == "whole" else None
