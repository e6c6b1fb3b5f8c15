"""How a caller's credentials are kept out of what others write."""

import html
import json
from urllib.parse import quote, quote_plus

import pytest

from app.caller import Caller

TOKEN = 'a/b+c=="d<é 1%2F2'


@pytest.mark.parametrize(
    "spelling",
    [
        TOKEN,
        quote(TOKEN),
        quote(TOKEN, safe=""),
        quote(TOKEN, safe="", encoding="latin-1"),
        quote(TOKEN, safe="").replace("%2B", "%2b").replace("%3D", "%3d").replace("%2F", "%2f"),
        quote(quote(TOKEN, safe="")),
        quote_plus(TOKEN),
        TOKEN.replace("%2F", "/"),
        json.dumps(TOKEN)[1:-1],
        json.dumps(TOKEN)[1:-1].replace("/", r"\/"),
        html.escape(TOKEN),
    ],
)
def test_a_token_is_masked_in_every_spelling_in_which_servers_quote_it(spelling: str) -> None:
    text = f"No such session: {spelling}; try again"
    assert Caller(token=TOKEN).mask_token(text) == "No such session: [masked]; try again"


def test_a_short_token_masks_no_word() -> None:
    assert Caller(token="try").mask_token("try again") == "try again"
