"""Writes the table of settings in the README from the Settings class."""

import re
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from app.settings import Settings

README = Path(__file__).parents[1] / "README.md"
_TABLE = re.compile(r"(<!-- settings -->\n).*?(<!-- end of settings -->)", re.DOTALL)


def table() -> str:
    """The settings as a Markdown table, one line each, in the order of the class."""
    lines = ["| Variable | Default | Meaning |", "| --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        lines.append(f"| `{name.upper()}` | {_default(field)} | {field.description} |")
    return "\n".join(lines) + "\n"


def written(readme: str) -> str:
    """The README's text with the table as it has to be."""
    return _TABLE.sub(lambda found: found[1] + table() + found[2], readme)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value: Any = field.default
    if value is None or value == ():
        return ""
    if isinstance(value, tuple):
        value = ",".join(str(each) for each in value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return f"`{value}`"


if __name__ == "__main__":
    README.write_text(written(README.read_text()))
