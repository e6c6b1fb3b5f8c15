"""Lists as operators write them in a variable."""

import json
from typing import Annotated, Any

from pydantic import BeforeValidator
from pydantic_settings import NoDecode


def _split(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        return json.loads(value)
    return [part.strip() for part in value.split(",") if part.strip()]


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
"""A list as JSON (`["a","b"]`) or with commas (`a, b`)."""

Numbers = Annotated[tuple[int, ...], NoDecode, BeforeValidator(_split)]
