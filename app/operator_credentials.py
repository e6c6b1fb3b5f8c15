"""The credentials with which an operator's command reads from Opik, found as the Opik SDK does."""

import configparser
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.caller import DEFAULT_WORKSPACE, Caller
from app.errors import StartRefused


@dataclass(frozen=True, slots=True)
class OperatorCredentials:
    """An API key or the cookie of a browser that is signed in, with the workspace and address."""

    api_key: str | None = field(repr=False)
    session_token: str | None = field(repr=False)
    workspace: str
    url: str | None

    def build_caller(self) -> Caller:
        """Who asks the backend. A key counts more than a cookie, which expires sooner."""
        if self.api_key is not None:
            return Caller(workspace=self.workspace, api_key=self.api_key)
        return Caller(self.session_token, self.workspace)


def read_credentials(environment: Mapping[str, str]) -> OperatorCredentials:
    """The credentials of OPIK_API_KEY, OPIK_WORKSPACE, OPIK_URL_OVERRIDE and OPIK_SESSION_TOKEN.

    What these leave out comes from the file that `opik configure` writes: OPIK_CONFIG_PATH, else
    `~/.opik.config`. Raises StartRefused for a file that cannot be read as one.
    """
    path = Path(environment.get("OPIK_CONFIG_PATH") or os.path.expanduser("~/.opik.config"))
    # No interpolation: a key may hold percent signs.
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read(path, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError, OSError):
        raise StartRefused(f"{path} cannot be read as a configuration of the Opik SDK") from None
    file = dict(parser["opik"]) if parser.has_section("opik") else {}

    def find(name: str) -> str | None:
        return environment.get(f"OPIK_{name.upper()}") or file.get(name) or None

    return OperatorCredentials(
        api_key=find("api_key"),
        session_token=environment.get("OPIK_SESSION_TOKEN") or None,
        workspace=find("workspace") or DEFAULT_WORKSPACE,
        url=find("url_override"),
    )
