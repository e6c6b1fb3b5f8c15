"""A tool is a documented async function; a toolbox offers, checks and runs tools.

The first parameter of the function is the context that all tools of a toolbox share. The others
become the tool's JSON Schema, and the docstring its description. The returned text is what the
model reads. The function raises ToolFailed for a failure that the model can act on.
"""

import inspect
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import anyio
import structlog
from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from app.errors import OpikAssistError
from app.events import ToolOutcome
from app.messages import ToolCall, ToolSpec

log = structlog.get_logger(__name__)

ToolFunction = Callable[..., Awaitable[str]]


class UnfinishedText(str):
    """A result that the same call continues, such as that of a search which reached a limit."""


@dataclass(frozen=True, slots=True)
class CallLine:
    """A call as the user reads it, in plain text, and the ids of the spans that it names."""

    text: str
    spans: tuple[str, ...] = ()


DisplayCall = Callable[..., CallLine | str]


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool function with its schema; `display` describes a call to the user."""

    function: ToolFunction
    display: DisplayCall
    arguments: type[BaseModel]
    spec: ToolSpec


@dataclass(frozen=True, slots=True)
class CompletedCall:
    """The outcome of one call and the text that the model reads; `repeatable` says that the same
    call may give more."""

    outcome: ToolOutcome
    text: str
    milliseconds: int = 0
    repeatable: bool = False


def tool(*, display: DisplayCall) -> Callable[[ToolFunction], Tool]:
    """Makes a documented async function a tool.

    `display` takes the same arguments and returns the line that the user reads while a call runs.
    """

    def make(function: ToolFunction) -> Tool:
        parameters = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
        fields: dict[str, Any] = {
            parameter.name: (
                parameter.annotation,
                ... if parameter.default is parameter.empty else parameter.default,
            )
            for parameter in parameters
        }
        name = function.__name__
        arguments = create_model(name, __config__=ConfigDict(extra="forbid"), **fields)
        spec = ToolSpec(name, inspect.cleandoc(function.__doc__ or ""), _build_schema(arguments))
        return Tool(function, display, arguments, spec)

    return make


class Toolbox:
    """The tools of one turn, bound to their context."""

    def __init__(
        self,
        tools: Sequence[Tool],
        context: Any,
        *,
        seconds: float,
        characters: int,
        prepare: Callable[[], Awaitable[str]] | None = None,
    ) -> None:
        """`seconds` limits one call, `characters` one result; `prepare` is awaited before a call,
        and the text that it returns stands before the result."""
        self._tools = {each.spec.name: each for each in tools}
        self._context = context
        self._seconds = seconds
        self._characters = characters
        self._prepare = prepare

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        return tuple(each.spec for each in self._tools.values())

    def describe_call(self, call: ToolCall) -> CallLine:
        """The line that the user reads while the call runs."""
        tool = self._tools.get(call.name)
        if tool is None:
            return CallLine("Calling an unknown tool")
        try:
            arguments = _parse_arguments(tool, call.arguments)
        except ValueError:
            return CallLine(tool.spec.name.replace("_", " ").capitalize())
        line = tool.display(self._context, **dict(arguments))
        return line if isinstance(line, CallLine) else CallLine(line)

    def normalize(self, call: ToolCall) -> tuple[str, str]:
        """The name and the arguments in one spelling: equal for calls that ask for the same."""
        tool = self._tools.get(call.name)
        if tool is not None:
            try:
                return call.name, _parse_arguments(tool, call.arguments).model_dump_json()
            except ValueError:
                pass
        return call.name, call.arguments

    async def run(self, call: ToolCall, *, seconds: float) -> CompletedCall:
        """Runs one call for at most `seconds`; every failure becomes a result as well."""
        started_at = anyio.current_time()
        added = await self._prepare() if self._prepare else ""
        outcome, text = await self._check_and_run(call, min(seconds, self._seconds))
        milliseconds = round((anyio.current_time() - started_at) * 1000)
        repeatable = outcome != "ok" or isinstance(text, UnfinishedText)
        result = _cut_result(text, self._characters)
        result = f"{added}\n\n{result}" if added else result
        return CompletedCall(outcome, result, milliseconds, repeatable)

    async def _check_and_run(self, call: ToolCall, seconds: float) -> tuple[ToolOutcome, str]:
        tool = self._tools.get(call.name)
        if tool is None:
            offered = ", ".join(self._tools)
            return "failed", f"There is no tool of this name. The tools are: {offered}."
        try:
            arguments = _parse_arguments(tool, call.arguments)
        except ValueError as error:
            return "failed", f"The arguments do not fit: {error}"
        try:
            with anyio.fail_after(seconds):
                return "ok", await tool.function(self._context, **dict(arguments))
        except TimeoutError:
            return "failed", f"The call took longer than {seconds:.0f} s and was ended."
        except OpikAssistError as error:
            return "failed", error.message
        except Exception:
            log.exception("tool_failed", tool=call.name)
            return "failed", "The tool failed because of an internal error; try another tool."


def _parse_arguments(tool: Tool, arguments: str) -> BaseModel:
    """Parses and checks the arguments; raises ValueError with a message for the model."""
    try:
        values = json.loads(arguments) if arguments.strip() else {}
    except (ValueError, RecursionError):
        raise ValueError("they are not valid JSON.") from None
    if values is None:
        values = {}
    if not isinstance(values, dict):
        raise ValueError("they must be a JSON object.")
    try:
        return tool.arguments.model_validate(values)
    except ValidationError as error:
        problems = [
            f"{'.'.join(str(part) for part in problem['loc']) or 'arguments'}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)
        ]
        allowed = ", ".join(tool.arguments.model_fields) or "none"
        raise ValueError(f"{'; '.join(problems[:5])}. Parameters: {allowed}.") from None


def _build_schema(arguments: type[BaseModel]) -> dict[str, Any]:
    schema = arguments.model_json_schema()
    schema.pop("title", None)
    properties = schema.get("properties", {})
    schema["properties"] = {name: _simplify_parameter(each) for name, each in properties.items()}
    return schema


def _simplify_parameter(schema: dict[str, Any]) -> dict[str, Any]:
    """Shortens a parameter's schema to save tokens.

    An optional parameter does not offer null, although null is accepted.
    """
    schema.pop("title", None)
    kinds = schema.get("anyOf", [])
    if {"type": "null"} in kinds and len(kinds) == 2 and schema.get("default", "") is None:
        del schema["anyOf"], schema["default"]
        schema |= next(each for each in kinds if each != {"type": "null"})
    return schema


def _cut_result(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    note = f"\n[cut: {len(text):,} characters in all; ask for less at once]"
    return text[: limit - len(note)] + note
