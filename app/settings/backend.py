"""The Opik backend: where it is, and how patiently it is asked."""

import re

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

from app.settings.addresses import http_address
from app.settings.lists import Numbers


class BackendSettings(BaseSettings):
    agent_opik_url: str = Field(
        description="Required. The Opik backend, such as `http://backend:8080`, or"
        " `https://host/api` through Opik's own nginx."
    )
    opik_ui_url: str = Field(
        "",
        description="The address of Opik's UI, for links to the spans and traces an answer cites.",
    )
    opik_ui_span_url: str = Field(
        "{ui}/{workspace}/projects/{project_id}/logs?trace={trace_id}&span={span_id}",
        description="The address of a span in Opik's UI, each part encoded as it is filled in.",
    )
    opik_ui_trace_url: str = Field(
        "{ui}/{workspace}/projects/{project_id}/logs?trace={trace_id}",
        description="The address of a trace in Opik's UI, filled in likewise.",
    )
    opik_backend_timeout: float = Field(
        30, gt=0, description="Seconds for one REST call to the backend."
    )
    retry_statuses: Numbers = Field(
        (429, 502, 503, 504), description="Answers of the backend that are tried again."
    )
    retry_max_attempts: int = Field(3, ge=1, description="Attempts of one call in all.")
    retry_backoff_factor: float = Field(
        0.5, ge=0, description="Seconds before the second attempt; doubles each time."
    )
    usual_seconds: float = Field(
        1.5,
        ge=0,
        description="How long Opik may take to tell, beside the loading of a trace, how long others"
        " of its name take; 0 asks never.",
    )
    max_spans: int = Field(50_000, ge=1, description="Most spans read of one trace.")

    @field_validator("agent_opik_url")
    @classmethod
    def _http_address(cls, value: str) -> str:
        return http_address(value)

    @field_validator("opik_ui_url")
    @classmethod
    def _ui_address(cls, value: str) -> str:
        return http_address(value) if value else ""

    @field_validator("opik_ui_span_url", "opik_ui_trace_url")
    @classmethod
    def _starts_at_the_ui(cls, value: str) -> str:
        if not re.match(r"\{ui\}[/?#]", value):
            raise ValueError("must start with {ui} and a slash")
        return value
