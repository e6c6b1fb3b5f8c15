"""How much a request, a turn, a process, a user and a workspace may use, and for how long."""

from pydantic import Field
from pydantic_settings import BaseSettings


class LimitSettings(BaseSettings):
    turn_steps: int = Field(12, ge=1, description="Replies of the model in one turn.")
    turn_calls_per_step: int = Field(16, ge=1, description="Tool calls run of one reply.")
    turn_seconds: float = Field(
        240, gt=0, description="Seconds for one turn, and as many to read its trace."
    )
    turn_tokens: int = Field(200_000, ge=1, description="Tokens of one turn.")
    tool_seconds: float = Field(30, gt=0, description="Seconds for one tool call.")
    tool_result_characters: int = Field(
        8_000, ge=500, description="Most characters of one tool result."
    )
    turn_tool_characters: int = Field(
        120_000, ge=1_000, description="Characters that the tool results of one turn share."
    )
    reply_bytes: int = Field(262_144, ge=1_024, description="Most bytes of one reply.")
    message_characters: int = Field(
        32_000, ge=1, description="Most characters of a user's message."
    )
    body_bytes: int = Field(262_144, ge=64, description="Most bytes of a request's body.")
    concurrent_turns: int = Field(
        100, ge=1, description="Turns at once in one process; more are refused in words."
    )
    user_turns: int = Field(
        4, ge=0, description="Turns at once of one user, over all processes. 0: any number."
    )
    user_turns_per_minute: int = Field(
        20, ge=0, description="Questions of one user within a minute. 0: any number."
    )
    user_conversations: int = Field(
        10_000, ge=0, description="Conversations kept for one user. 0: any number."
    )
    user_events: int = Field(
        500_000,
        ge=0,
        description="Stored events of one user (some twenty a question) above which no turn begins."
        " 0: any number.",
    )
    workspace_turns: int = Field(
        100, ge=0, description="Turns at once in one workspace, over all processes. 0: any number."
    )
    workspace_tokens_per_day: int = Field(
        0,
        ge=0,
        description="Tokens of one workspace since 00:00 UTC above which no turn begins. 0: any"
        " number.",
    )
    busy_wait_seconds: float = Field(
        3, ge=0, description="How long a second question waits for the first to end."
    )
    lease_seconds: float = Field(
        20, gt=0, description="How long a conversation stays taken by a process that died."
    )
    storing_seconds: float = Field(
        10,
        ge=0,
        description="How long an answer's end waits for a database that does not take it.",
    )
    retention_days: float | None = Field(
        None,
        gt=0,
        le=36_500,
        description="Days after which a conversation in which nothing was said is removed. Unset:"
        " never.",
    )
