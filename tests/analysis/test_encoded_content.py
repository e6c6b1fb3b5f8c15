"""Attachments and other encoded content in texts, replaced by kind and size."""

import base64
import random

from app.analysis.text.encoded_content import find_encoded, shorten_encoded
from testkit.case_tables import each_case

_RANDOM = random.Random(7).randbytes(49_000)
_PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + _RANDOM).decode()
_WAV = base64.b64encode(b"RIFF\x00\x00\x00\x00WAVE" + _RANDOM[:9_000]).decode()
_BYTES = base64.b64encode(_RANDOM[:3_000]).decode()
_URL_SAFE = base64.urlsafe_b64encode(_RANDOM[:3_000]).decode()
_HEX = _RANDOM[:500].hex()


@each_case(
    "text, shown",
    [
        (_PNG, "[image/png, 48 KB]"),
        (f"see data:image/webp;base64,{_BYTES} there", "see [image/webp, 3 KB] there"),
        (f"data:;base64,{_BYTES}", "[base64, 3 KB]"),
        (f'{{"image": "{_PNG}", "n": 3}}', '{"image": "[image/png, 48 KB]", "n": 3}'),
        (f"{_WAV} and {_BYTES}", "[audio/wav, 9 KB] and [base64, 3 KB]"),
        (_URL_SAFE, "[base64, 3 KB]"),
        (f"digest {_HEX}.", "digest [hex, 500 bytes]."),
    ],
)
def test_encoded_content_is_replaced_by_its_kind_and_size(text: str, shown: str) -> None:
    assert shorten_encoded(text, limit=300) == shown


@each_case(
    "text",
    [
        "An answer of some words, twice. " * 9,
        "x" * 250,
        "=" * 250,
        "a-long-slug-of-many-words/and_a/path-of-names/" * 6,
        "0123456789" * 25,
        "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
        "\u533a\u9593" * 120,
        "",
    ],
)
def test_ordinary_texts_stay_as_they_are(text: str) -> None:
    assert shorten_encoded(text, limit=1_000) == text


def test_content_is_recognised_wherever_it_begins() -> None:
    for before in range(0, 700, 13):
        text = f"{'word ' * (before // 5)}data:image/png;base64,{_PNG} end"
        assert shorten_encoded(text, limit=900).endswith("[image/png, 48 KB] end")


@each_case(
    "text, label",
    [
        (_PNG, "[image/png, 48 KB]"),
        (f"data:audio/ogg;base64,{_BYTES}", "[audio/ogg, 3 KB]"),
        (f"{_PNG} and a word", ""),
        (f"see {_PNG}", ""),
        ("iVBORw0KGgo=", ""),
        ("a word " * 100, ""),
    ],
)
def test_a_text_that_is_only_encoded_content_has_a_label(text: str, label: str) -> None:
    assert find_encoded(text) == label


def test_of_a_long_text_only_the_beginning_is_read() -> None:
    assert len(shorten_encoded("a b " * 1_000_000, limit=300)) <= 320
    assert shorten_encoded(_PNG * 90, limit=300) == "[image/png, 1.4 MB or more]"
