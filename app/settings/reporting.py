"""Where unexpected errors are reported to."""

import re

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings


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

    @field_validator("sentry_dsn")
    @classmethod
    def _report_address(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(
            r"https?://[^\s/@:]+(:[^\s/@]*)?@[^\s/@]+(/[^\s?#]*)?/\d+", value
        ):
            raise ValueError("must be an address such as https://key@host/1")
        return value
