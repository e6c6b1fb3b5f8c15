"""Secrets that are given in files, as orchestrators mount them, instead of in variables."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from app.errors import StartRefused


class SecretFiles(PydanticBaseSettingsSource):
    """Reads each secret whose variable with `_FILE` at its end names a file.

    Such a file wins over the variable itself, which an image may have set. Raises StartRefused for
    a file that cannot be read.
    """

    def __init__(
        self, settings_cls: type[BaseSettings], variables: Mapping[str, str | None]
    ) -> None:
        """`variables` by names in lower case."""
        super().__init__(settings_cls)
        self._variables = variables

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The content of the setting's file without its line end, None where no file is named."""
        path = None if field.repr else self._variables.get(f"{field_name}_file")
        return (
            (_read_secret(f"{field_name}_file".upper(), path) if path else None),
            field_name,
            False,
        )

    def __call__(self) -> dict[str, Any]:
        """The secrets that come from files, by the names of the settings."""
        fields = self.settings_cls.model_fields.items()
        found = {name: self.get_field_value(field, name)[0] for name, field in fields}
        return {name: value for name, value in found.items() if value is not None}


def _read_secret(variable: str, path: str) -> str:
    try:
        value = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text file"
        raise StartRefused(f"Settings: {variable}: cannot read {path}: {reason}") from None
    if not value:
        raise StartRefused(f"Settings: {variable}: {path} is empty")
    return value
