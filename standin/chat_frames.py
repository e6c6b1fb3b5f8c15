"""How a chat stream looks on the wire in each generation of the backend."""

import json
from typing import Any

from standin.chat import ChatError
from standin.switches import Generation

GENERIC_MESSAGE = "Unexpected error calling LLM provider"


def encode_frame(value: dict[str, Any], generation: Generation) -> bytes:
    """One chunk as a frame."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return f"{text}\r\n".encode() if generation == "A" else f"data: {text}\n\n".encode()


def end(generation: Generation) -> bytes:
    """The end of a stream: in generation A the connection simply ends."""
    return b"" if generation == "A" else b"data: [DONE]\n\n"


def error(problem: ChatError, generation: Generation) -> bytes:
    """A failure within the stream, as a frame."""
    if generation == "C":
        code = str(problem.status)
        body = {"message": problem.message, "type": "server_error", "code": code}
        return encode_frame({"error": body}, generation)
    return encode_frame(flat_error(problem, generation), generation)


def flat_error(problem: ChatError, generation: Generation) -> dict[str, Any]:
    """A failure as `{code, message, details}`; generation A knows two provider codes only."""
    status = problem.status
    if generation == "A" and problem.details:
        status = 401 if problem.details == "invalid_api_key" else 500
    body = {"code": status, "message": problem.message, "details": problem.details}
    return {name: value for name, value in body.items() if value is not None}
