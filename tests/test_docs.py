"""The documents say what the code does."""

import re
from pathlib import Path

import pytest

from app.removed_settings import REMOVED_VARIABLES
from scripts.settings_table import (
    COMPOSE_FILE,
    README,
    ROOT,
    SETTINGS_PAGE,
    VALUES_SCHEMA,
    format_compose,
    format_readme,
    format_schema,
    format_settings_page,
)

_WRITE = "run: python scripts/settings_table.py"


def test_the_settings_page_lists_every_setting_as_it_is() -> None:
    assert SETTINGS_PAGE.read_text() == format_settings_page(), _WRITE


def test_the_readme_has_its_settings_as_they_are() -> None:
    text = README.read_text()
    assert "<!-- settings -->" in text
    assert format_readme(text) == text, _WRITE


def test_compose_and_the_chart_know_every_setting() -> None:
    compose, schema = COMPOSE_FILE.read_text(), VALUES_SCHEMA.read_text()
    assert format_compose(compose) == compose, _WRITE
    assert format_schema(schema) == schema, _WRITE


_NAMING_SETTINGS = [
    *(ROOT / name for name in ("README.md", "SECURITY.md", "Dockerfile")),
    *(ROOT / name for name in ("evals/README.md", "demo/README.md", "docs/operations.md")),
    *(ROOT / name for name in ("docs/reliability.md", "deploy/nginx/opik-ai.conf")),
    *ROOT.glob("docker-compose*.yml"),
]


@pytest.mark.parametrize("path", _NAMING_SETTINGS, ids=lambda path: path.name)
def test_documents_name_no_setting_that_was_removed(path: Path) -> None:
    named = set(re.findall(r"\b[A-Z][A-Z_]+\b", path.read_text()))
    assert named & set(REMOVED_VARIABLES) == set()


def test_every_test_that_a_promise_names_is_there() -> None:
    promises = (ROOT / "docs" / "reliability.md").read_text()
    named = set(re.findall(r"`((?:\w+/)+(?:\w+\.py)?|\w+/\w+\.py)`", promises)) - {"tests/"}
    assert len(named) > 20
    folders = (ROOT / "tests", ROOT)
    assert [name for name in named if not any((each / name).exists() for each in folders)] == []


@pytest.mark.parametrize(
    "page", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "docs/decisions.md"]
)
def test_every_path_that_a_page_names_exists(page: str) -> None:
    """In code spans: from the top folder, or from `app/` as imports go; but what is installed."""
    text = (ROOT / page).read_text()
    named = set(re.findall(r"`((?:[\w.]+/)+(?:[\w.-]+\.[a-z]+)?)`", text)) - {".venv/bin/"}
    links = set(re.findall(r"\]\((?!https?:)([^)#]+)\)", text))
    missing = [
        *(name for name in named if not any((top / name).exists() for top in (ROOT, ROOT / "app"))),
        *(link for link in links if not (ROOT / page).parent.joinpath(link).exists()),
    ]
    assert missing == []
