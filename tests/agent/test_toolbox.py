"""What a tool is to the model, and how long its results may be."""

from typing import Annotated

import pytest
from pydantic import Field

from app.agent.toolbox import Toolbox, tool
from app.messages import ToolCall


@tool(display=lambda _context, text, **_: f"Echoing {text}")
async def echo(
    _context: None, text: Annotated[str, Field(description="What to say.")], times: int = 1
) -> str:
    """Says the text again."""
    return text * times


@pytest.mark.parametrize("length", [999, 1_000])
async def test_a_result_as_long_as_allowed_stays_whole(length: int) -> None:
    assert await read_result(length) == "a" * length


@pytest.mark.parametrize("length", [1_001, 5_000])
async def test_a_result_longer_than_allowed_is_cut_to_that_and_says_so(length: int) -> None:
    text = await read_result(length)
    assert len(text) == 1_000
    assert f"[cut: {length:,} characters in all" in text


async def read_result(length: int) -> str:
    toolbox = Toolbox([echo], None, seconds=5, characters=1_000)
    call = ToolCall("1", "echo", f'{{"text": "a", "times": {length}}}', "1")
    return (await toolbox.run(call, seconds=5)).text


def test_a_tool_is_described_by_its_function() -> None:
    spec = Toolbox([echo], None, seconds=1, characters=100).specs[0]
    assert (spec.name, spec.description) == ("echo", "Says the text again.")
    properties = spec.parameters["properties"]
    assert properties["text"] == {"description": "What to say.", "type": "string"}
    assert spec.parameters["required"] == ["text"]
    assert spec.parameters["additionalProperties"] is False
