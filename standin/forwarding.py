"""Hands the chat proxy's requests on to any OpenAI-compatible server."""

import json
import os
from collections.abc import AsyncIterator
from typing import Any

import httpx

from standin.chat import Chat, ChatError, Chunk
from standin.offline_model import OfflineModel

SILENCE_SECONDS = 120.0


class ForwardingChat:
    """A provider at `base_url` (up to and with `/v1`); `model` replaces the requested name.

    `silence` is how many seconds without a byte are taken for the server's end.
    """

    def __init__(
        self,
        base_url: str,
        *,
        key: str = "",
        model: str = "",
        silence: float = SILENCE_SECONDS,
    ) -> None:
        self._url = f"{base_url.rstrip('/')}/chat/completions"
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._model = model
        self._silence = silence

    async def reply(self, request: dict[str, Any], /) -> AsyncIterator[Chunk]:
        """Streams the server's chunks as they come; raises ChatError for its refusals.

        The request goes on as it came, but for the model's name and that it is always a stream;
        so the server sends its usage only where `stream_options` ask for it.
        """
        body = {**request, "stream": True}
        if self._model:
            body["model"] = self._model
        try:
            async with (
                httpx.AsyncClient(timeout=self._silence) as http,
                http.stream("POST", self._url, json=body, headers=self._headers) as response,
            ):
                if response.status_code != 200:
                    message = (await response.aread()).decode("utf-8", "replace")
                    raise ChatError(response.status_code, message[:2_000])
                async for line in response.aiter_lines():
                    data = line.removeprefix("data:").strip()
                    if line.startswith("data:") and data != "[DONE]":
                        yield json.loads(data)
        except (httpx.TransportError, ValueError) as error:
            raise ChatError(502, f"The model's server failed: {type(error).__name__}") from error


def chat_from_environment() -> Chat:
    """The model that `DEMO_LLM_BASE_URL`, `_API_KEY` and `_MODEL` name, else the offline one."""
    base_url = os.environ.get("DEMO_LLM_BASE_URL", "")
    if not base_url:
        return OfflineModel()
    key = os.environ.get("DEMO_LLM_API_KEY", "")
    return ForwardingChat(base_url, key=key, model=os.environ.get("DEMO_LLM_MODEL", ""))
