"""The part of Opik's traces and spans that we read.

Field names are the backend's. Times are UTC; durations and time to first token are milliseconds;
costs are USD. `input`, `output` and `metadata` may be any JSON value. Everything but the ids is
optional and whatever else a backend sends is ignored, so that old and new backends both fit.
"""

import math
from datetime import datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

_LARGEST_NUMBER = 1e15


def _plausible_number(value: Any) -> Any:
    """The number; None for NaN, infinities and numbers too large for any duration or cost."""
    if isinstance(value, int | float) and not abs(value) <= _LARGEST_NUMBER:
        return None
    return value


def _keep_numbers(value: Any) -> Any:
    """The numbers of a usage map; old SDKs also sent nulls, texts and nested maps."""
    if not isinstance(value, dict):
        return {}
    return {
        key: number
        for key, number in value.items()
        if isinstance(number, int | float)
        and not isinstance(number, bool)
        and _plausible_number(number) is not None
    }


def _list_or_empty(value: Any) -> Any:
    return value if isinstance(value, list) else []


Number = Annotated[
    float | None, BeforeValidator(_plausible_number), AfterValidator(_plausible_number)
]
UsageMap = Annotated[dict[str, float], BeforeValidator(_keep_numbers)]
Tags = Annotated[list[str], BeforeValidator(_list_or_empty)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class ErrorInfo(_Record):
    exception_type: str | None = None
    message: str | None = None
    traceback: str | None = None


class FeedbackScore(_Record):
    name: str = ""
    value: Number = None
    category_name: str | None = None
    reason: str | None = None
    source: str | None = None


class GuardrailCheck(_Record):
    name: str | None = None
    result: str | None = None


class GuardrailsValidation(_Record):
    span_id: str | None = None
    checks: Annotated[list[GuardrailCheck], BeforeValidator(_list_or_empty)] = Field(
        default_factory=list
    )


class _Timed(_Record):
    id: str
    project_id: str | None = None
    name: str | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    input: Any = None
    output: Any = None
    metadata: Any = None
    tags: Tags = Field(default_factory=list)
    error_info: ErrorInfo | None = None
    usage: UsageMap = Field(default_factory=dict)
    last_updated_at: datetime | None = None
    feedback_scores: Annotated[list[FeedbackScore], BeforeValidator(_list_or_empty)] = Field(
        default_factory=list
    )
    total_estimated_cost: Number = None
    duration: Number = None
    ttft: Number = None
    environment: str | None = None

    @property
    def has_error(self) -> bool:
        """Whether an error was recorded; SDKs also send an empty `error_info`."""
        error = self.error_info
        return error is not None and bool(error.exception_type or error.message or error.traceback)


class Trace(_Timed):
    """`source` is what sent it: sdk, experiment, playground, optimization or evaluator."""

    thread_id: str | None = None
    source: str | None = None
    span_count: int | None = None
    guardrails_validations: Annotated[
        list[GuardrailsValidation], BeforeValidator(_list_or_empty)
    ] = Field(default_factory=list)


class Span(_Timed):
    trace_id: str
    parent_span_id: str | None = None
    type: str | None = None
    model: str | None = None
    provider: str | None = None


class Thread(_Record):
    """A thread as a whole; its messages are read from its traces."""

    status: str | None = None
    feedback_scores: Annotated[list[FeedbackScore], BeforeValidator(_list_or_empty)] = Field(
        default_factory=list
    )


class Quantiles(_Record):
    """Percentiles: 50 %, 90 % and 99 % of the values are at most these."""

    p50: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    p90: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    p99: Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Stat(_Record):
    name: str = ""
    value: Any = None


class Stats(_Record):
    """Statistics over many records; which there are differs from backend to backend."""

    stats: tuple[Stat, ...]

    def number(self, name: str) -> float | None:
        """A count or an average; None where it is missing or makes no sense."""
        value = self._value(name)
        is_number = isinstance(value, float | int) and not isinstance(value, bool)
        return float(value) if is_number and 0 <= value < math.inf else None

    def quantiles(self, name: str) -> Quantiles | None:
        """The percentiles; None where they are missing or make no sense."""
        try:
            return Quantiles.model_validate(self._value(name))
        except ValidationError:
            return None

    def _value(self, name: str) -> Any:
        return next((stat.value for stat in self.stats if stat.name == name), None)


class TraceListPage(_Record):
    """A page of a list of traces (camelCase on the wire), of which there are `total`.

    For a workspace that is too large to sort the backend sends the newest instead; only an empty
    `sortable` shows it.
    """

    content: tuple[Trace, ...]
    total: int = 0
    sortable: Annotated[list[str], BeforeValidator(_list_or_empty)] = Field(
        [], validation_alias=AliasChoices("sortableBy", "sortable_by")
    )


class Permissions(BaseModel):
    """Who the caller is, as the backend names it (camelCase on the wire)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    user_name: str = Field(alias="userName", min_length=1)
    workspace_name: str | None = Field(None, alias="workspaceName")
