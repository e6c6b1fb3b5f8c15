"""Writes what lists settings from the Settings class.

That is docs/settings.md, the README's table, the variables that docker-compose.yml hands on, and
the settings and secrets that the Helm chart's values may hold.
"""

import ast
import functools
import inspect
import json
import re
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from app.settings import Settings

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
SETTINGS_PAGE = ROOT / "docs" / "settings.md"
COMPOSE_FILE = ROOT / "docker-compose.yml"
VALUES_SCHEMA = ROOT / "deploy" / "helm" / "opik-assist" / "values.schema.json"

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
_CHART_DECIDES = {"migrate_at_start", "metrics_enabled"}
"""Settings that follow from other values of the chart."""

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
    return _INTRODUCTION.format(
        secrets=", ".join(f"`{name}_FILE`" for name in _find_secrets())
    ) + "".join(tables)


def _find_secrets() -> list[str]:
    return [name.upper() for name, field in Settings.model_fields.items() if not field.repr]


def format_compose(text: str) -> str:
    """The compose file's text with each setting, whose value there is kept if it has one."""
    values = dict(re.findall(r"^  ([A-Z_]+): (\$\{.*\})$", text, re.MULTILINE))
    lines = []
    for name in Settings.model_fields:
        if name in _SECTIONS:
            lines.append(f"  # {_SECTIONS[name]}")
        variable = name.upper()
        lines.append(f"  {variable}: {values.get(variable, '')}".rstrip())
        if variable in _find_secrets():
            lines.append(f"  {variable}_FILE:")
    block = "x-settings: &settings\n" + "\n".join(lines) + "\n\n"
    return re.sub(r"x-settings: &settings\n.*?\n\n", lambda _: block, text, flags=re.DOTALL)


def format_schema(text: str) -> str:
    """The schema of the chart's values with each setting and each secret."""
    schema = json.loads(text)
    config: dict[str, Any] = {}
    for name, field in Settings.model_fields.items():
        if not field.repr:
            config[f"{name.upper()}_FILE"] = {"type": ["string", "null"]}
        if not field.repr or name in _CHART_DECIDES:
            continue
        kinds = ["string", "number", "boolean", "null"]
        if isinstance(field.default, tuple):
            kinds.append("array")
        if isinstance(field.default, dict):
            kinds.append("object")
        config[name.upper()] = {
            "type": kinds,
            "description": _read_descriptions()[name],
        }
    schema["properties"]["config"]["properties"] = config
    schema["properties"]["secrets"]["properties"] = {
        name: {"type": "string", "minLength": 1} for name in _find_secrets()
    }
    return json.dumps(schema, indent=2) + "\n"


def _format_table(names: Iterable[str]) -> str:
    lines = ["| Variable | Default | Meaning |", "| --- | --- | --- |"]
    for name in names:
        field = Settings.model_fields[name]
        meaning = _read_descriptions()[name]
        lines.append(f"| `{name.upper()}` | {_format_default(field)} | {meaning} |")
    return "\n".join(lines) + "\n"


@functools.cache
def _read_descriptions() -> dict[str, str]:
    """The text below each setting.

    Pydantic could fill them in (`use_attribute_docstrings`), but at each start, in 40 ms.
    """
    descriptions = dict.fromkeys(Settings.model_fields, "")
    for each in Settings.__mro__:
        if not issubclass(each, BaseSettings) or each is BaseSettings:
            continue
        definition = ast.parse(inspect.getsource(each)).body[0]
        assert isinstance(definition, ast.ClassDef)
        for field, text in pairwise(definition.body):
            match field, text:
                case (
                    ast.AnnAssign(target=ast.Name(id=name)),
                    ast.Expr(value=ast.Constant(value=str(text))),
                ):
                    descriptions[name] = " ".join(text.split())
    return descriptions


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
    COMPOSE_FILE.write_text(format_compose(COMPOSE_FILE.read_text()))
    VALUES_SCHEMA.write_text(format_schema(VALUES_SCHEMA.read_text()))
