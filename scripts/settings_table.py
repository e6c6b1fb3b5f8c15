"""Writes docs/settings.md and the README's table of settings from the Settings class."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from app.settings import Settings

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
SETTINGS_PAGE = ROOT / "docs" / "settings.md"

_README_TABLE = re.compile(r"(<!-- settings -->\n).*?(<!-- end of settings -->)", re.DOTALL)
_README_SETTINGS = (
    "agent_opik_url",
    "session_service_uri",
    "url_prefix",
    "port",
    "opik_ui_url",
    "agent_model",
    "agent_context_tokens",
    "workspace_tokens_per_day",
    "retention_days",
    "log_format",
)
"""Those that a first installation decides about."""

# Titles of the page's tables by the first setting of each.
_SECTIONS = {
    "session_service_uri": "Database",
    "agent_opik_url": "Opik backend",
    "host": "Service",
    "opik_ui_url": "Links to Opik's UI",
    "agent_model": "Model",
    "turn_steps": "Limits",
    "log_format": "Logs and error reports",
    "opik_internal_url": "Traces of OpikAssist itself",
}
_INTRODUCTION = """\
<!-- Written by scripts/settings_table.py from app/settings.py: change it there. -->
# Settings

Settings are environment variables. A file `.env` in the working directory is read as well; the
environment takes precedence. A variable that is set but empty counts as unset. A wrong value stops
the start with one line that names the variable and the allowed values. Variables of version 0.1
that are no settings any more are ignored; the start logs their names as `settings_ignored`.

A secret can also come from a file, as Docker, Kubernetes and Vault provide them: the variable with
`_FILE` at its end holds the file's path and wins over the variable itself:
{secrets}.
"""


def format_readme(readme: str) -> str:
    """The README's text with the table as it has to be."""
    table = _format_table(_README_SETTINGS)
    return _README_TABLE.sub(lambda found: found[1] + table + found[2], readme)


def format_settings_page() -> str:
    """All settings, in the order of the class."""
    sections: list[list[str]] = []
    for name in Settings.model_fields:
        if name in _SECTIONS:
            sections.append([])
        sections[-1].append(name)
    tables = [f"\n## {_SECTIONS[names[0]]}\n\n{_format_table(names)}" for names in sections]
    return _INTRODUCTION.format(secrets=_list_secrets()) + "".join(tables)


def _list_secrets() -> str:
    names = [name for name, field in Settings.model_fields.items() if not field.repr]
    return ", ".join(f"`{name.upper()}_FILE`" for name in names)


def _format_table(names: Iterable[str]) -> str:
    lines = ["| Variable | Default | Meaning |", "| --- | --- | --- |"]
    for name in names:
        field = Settings.model_fields[name]
        meaning = " ".join((field.description or "").split())
        lines.append(f"| `{name.upper()}` | {_format_default(field)} | {meaning} |")
    return "\n".join(lines) + "\n"


def _format_default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value: Any = field.default
    if value is None or value in ((), "", {}):
        return "unset"
    if isinstance(value, bool):
        value = str(value).lower()
    if isinstance(value, tuple):
        value = ", ".join(str(each) for each in value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return f"`{value}`"


if __name__ == "__main__":
    README.write_text(format_readme(README.read_text()))
    SETTINGS_PAGE.write_text(format_settings_page())
