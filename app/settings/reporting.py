"""Where unexpected errors are reported to, and what answering questions looked like."""

import re
from importlib.util import find_spec
from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

from app.settings.addresses import http_address


class ReportingSettings(BaseSettings):
    sentry_dsn: str | None = Field(
        None, repr=False, description="Where unexpected errors are reported. Unset: nowhere."
    )
    sentry_environment: str = Field(
        "production", description="The environment that those reports name."
    )
    sentry_traces_sample_rate: float = Field(
        0, ge=0, le=1, description="Share of requests whose timing is reported to Sentry."
    )
    sentry_profiles_sample_rate: float = Field(
        0, ge=0, le=1, description="Share of those requests that are profiled as well."
    )
    sentry_send_default_pii: bool = Field(
        False, description="Report the caller's address too; never cookies, headers or content."
    )

    opik_internal_url: str | None = Field(
        None,
        description="An Opik backend to which OpikAssist sends a trace of each turn of its own."
        " Needs the Opik SDK (`opik-assist[opik]`, an image built with `EXTRAS=opik`)."
        " Unset: nothing is sent, the SDK is not loaded.",
    )
    opik_internal_api_key: str | None = Field(
        None, repr=False, description="The API key for that backend, if it wants one."
    )
    opik_internal_workspace: str | None = Field(
        None, description="The workspace there, if the backend has several."
    )
    opik_internal_project: str = Field(
        "opik-assist", description="The project there that gets the traces."
    )
    opik_internal_content: Literal["none", "full"] = Field(
        "none",
        description="`none`: names, counts, times, tokens and codes of errors. `full`: questions,"
        " answers, tool arguments and results, too.",
    )

    @field_validator("opik_internal_url")
    @classmethod
    def _internal_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if find_spec("opik") is None:
            raise ValueError(
                "needs the Opik SDK: pip install 'opik-assist[opik]', or an image built with"
                " EXTRAS=opik"
            )
        return http_address(value)

    @field_validator("sentry_dsn")
    @classmethod
    def _report_address(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(
            r"https?://[^\s/@:]+(:[^\s/@]*)?@[^\s/@]+(/[^\s?#]*)?/\d+", value
        ):
            raise ValueError("must be an address such as https://key@host/1")
        return value
