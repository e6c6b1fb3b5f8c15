"""Limits and options as the service has them by default, but for what a test changes."""

from dataclasses import replace
from typing import Any

from app.agent.context import TurnLimits
from app.chat.model import ChatOptions
from app.settings import Settings
from app.tools.trace.loader import LoadLimits
from app.tools.trace.trace_context import ToolLimits
from app.wiring import build_chat_options, build_load_limits, build_tool_limits, build_turn_policy

# Constructed without a look at the environment.
_DEFAULTS = Settings.model_construct(agent_opik_url="http://opik")


def chat_options(**changes: Any) -> ChatOptions:
    return replace(build_chat_options(_DEFAULTS), **changes)


def turn_limits(**changes: Any) -> TurnLimits:
    return replace(build_turn_policy(_DEFAULTS, "").limits, **changes)


def load_limits(**changes: Any) -> LoadLimits:
    return replace(build_load_limits(_DEFAULTS), **changes)


def tool_limits(**changes: Any) -> ToolLimits:
    return replace(build_tool_limits(_DEFAULTS), **changes)
