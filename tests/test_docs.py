"""The documents say what the code does."""

import re

from scripts.settings_table import README, written


def test_the_readme_lists_every_setting_as_it_is() -> None:
    text = README.read_text()
    assert "<!-- settings -->" in text
    assert written(text) == text, "run: python scripts/settings_table.py"


def test_every_test_that_a_promise_names_is_there() -> None:
    root = README.parent
    promises = (root / "docs" / "reliability.md").read_text()
    named = set(re.findall(r"`((?:\w+/)+(?:\w+\.py)?|\w+/\w+\.py)`", promises)) - {"tests/"}
    assert len(named) > 20
    folders = (root / "tests", root)
    assert [name for name in named if not any((each / name).exists() for each in folders)] == []
