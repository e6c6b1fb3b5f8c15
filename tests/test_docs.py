"""The documents say what the code does."""

from scripts.settings_table import README, written


def test_the_readme_lists_every_setting_as_it_is() -> None:
    text = README.read_text()
    assert "<!-- settings -->" in text
    assert written(text) == text, "run: python scripts/settings_table.py"
