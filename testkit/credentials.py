"""All credentials that tests use, and the search for them in logs, reports and databases.

Add every new test credential here: the search finds only what this list has.
"""

import re
from pathlib import Path

ANNA = "anna-1"
ANNA_AGAIN = "anna-2"
BOB = "bob-1"
BOB_AGAIN = "bob-2"
ADA = "ada-token-1"
ADA_AGAIN = "ada-token-2"
EVE = "eve-token-1"
TOKEN = "tok3n-9d1c77aa52f04e6b"
OTHER_COOKIE = "0ther-c00kie-4b1d"
BEARER = "b3arer-77e0aa19c3"
API_KEY = "opik-ap1-key-30cf"
PROVIDER_KEY = "sk-proj-Zq81mKx03vTbW9"
PASSWORD = "pa55-of-0perator"
OWN_TRACES_KEY = "key-7d2a"
OPERATOR = "session-of-the-operator"
SESSION = "a-session-of-ada"
PLAIN_ID = "4f7f0c62-3a44-4b0e-9d0a-5f0f6f1b2c3d"
SERVER_KEY = "sk-of-the-server"
REPORTED_COOKIE = "cookie-8cf2"
REPORTED_HEADER = "head-19ab"

ALL = tuple(value for name, value in list(vars().items()) if name.isupper())

_SHAPES = re.compile(
    rb"sessionToken=|Authorization(?!: \[masked\])|Bearer |sk-[A-Za-z0-9]{6}"
    rb"|://[^/\s\"]+:[^/@\s\"]+@"
)

collected_output: list[bytes] = []
"""Logs of processes and bodies of reports that have not been searched yet."""


def find_credential(data: bytes) -> str | None:
    """The first credential or text that looks like one, with 60 bytes around it; None for none."""
    places = [data.find(each.encode()) for each in ALL]
    shape = _SHAPES.search(data)
    found = [place for place in (*places, shape.start() if shape else -1) if place >= 0]
    if not found:
        return None
    return data[max(0, min(found) - 60) : min(found) + 60].decode("utf-8", "replace")


def find_credential_in_collected_output() -> str | None:
    """The same for all collected output, which is then dropped."""
    everything = b"\n".join(collected_output)
    collected_output.clear()
    return find_credential(everything)


def find_databases_with_credentials(folder: Path) -> list[str]:
    """SQLite files and journals below this folder that hold one, with the text around it."""
    files = [each for each in folder.rglob("*.db*") if each.is_file() and not each.is_symlink()]
    found = ((file, find_credential(file.read_bytes())) for file in files)
    return [f"{file}: {credential}" for file, credential in found if credential]
