"""The service itself: its address, its log, its start and its end."""

import re
from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

from app.settings.lists import Names


class ServiceSettings(BaseSettings):
    host: str = Field("0.0.0.0", description="Address to listen on.")  # noqa: S104 - a container
    port: int = Field(8081, ge=1, le=65535, description="Port to listen on.")
    url_prefix: str = Field("", description="Path before every route; Opik's nginx: `/opik-ai`.")
    allowed_origins: Names = Field(
        (), description="Foreign origins that may call with credentials. `*` is refused."
    )
    log_format: Literal["console", "json"] = Field("console", description="How log lines look.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="The least severe line to log."
    )
    migrate_at_start: bool = Field(True, description="Bring the schema up to date at start.")
    heartbeat_seconds: float = Field(
        15, gt=0, description="Silence on a stream after which a comment line is sent."
    )
    access_cache_seconds: float = Field(
        60, ge=0, description="How long a permission to read a trace is remembered."
    )
    drain_seconds: float = Field(
        5,
        ge=0,
        description="How long connections are still taken after SIGTERM, while `readyz` says 503"
        " and questions are refused in words: load balancers need time to notice.",
    )
    shutdown_seconds: float = Field(
        10, ge=0, description="How long running turns may go on after that."
    )
    body_seconds: float = Field(
        10, gt=0, description="How long the body of a request may take to come."
    )
    reader_seconds: float = Field(
        60,
        gt=0,
        description="A reader of a stream that takes nothing for so long counts as gone.",
    )

    @field_validator("url_prefix")
    @classmethod
    def _path(cls, value: str) -> str:
        value = value.strip().rstrip("/")
        if value and not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", value):
            raise ValueError("must be a path such as /opik-ai")
        return value

    @field_validator("allowed_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if not re.fullmatch(r"https?://[^\s/*?#@]+", origin):
                raise ValueError("needs origins such as http://localhost:5173; * is refused")
        return value
