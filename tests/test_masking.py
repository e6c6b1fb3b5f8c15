"""What is shown of other people's texts."""

from hypothesis import given
from hypothesis import strategies as st

from app.masking import excerpt, mask
from testkit.case_tables import each_case

HEX = "9f86d081884c7d659a2feaa0c55ad015"
BASE62 = "Zx81kLmN0pQrStUvWxYz2a3b4"
BASE64 = "AbCdEf0123/ghIJkl+MNop456/qrSTuv+789wxYZ/aB=="


@each_case(
    "text, secret",
    [
        ("Incorrect API key provided: sk-proj-abc123DEF456.", "sk-proj-abc123DEF456"),
        ("Incorrect API key provided: sk-proj-abc****wxyz.", "wxyz"),
        ("bad key AIzaSyA-1234567890abcdefghij", "AIzaSyA"),
        ("used gsk_abcdefgh12345678", "abcdefgh12345678"),
        ("used hf_abcdefghijkl", "abcdefghijkl"),
        ("AKIAABCDEFGHIJKLMNOP is not known", "AKIAABCDEFGH"),
        ("Authorization: Bearer abc.def", "abc.def"),
        ("authorization=Basic dXNlcg==", "dXNlcg"),
        ("got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.s5Sig", "s5Sig"),
        ("x-api-key: hunter22 was refused", "hunter22"),
        ('{"api_key": "hunter22"}', "hunter22"),
        ("see /v1?key=hunter22&x=1", "hunter22"),
        ("sessionToken=hunter-22; path=/", "hunter-22"),
        ("password = hunter22", "hunter22"),
        ("API key provided: hunter22", "hunter22"),
        (f"key {HEX} unknown", HEX),
        (f"key {BASE62} unknown", BASE62),
        (f"signed {BASE64} wrongly", "ghIJkl"),
        ("POST http://10.1.2.3:8080/v1/chat?x=1 failed", "10.1.2.3"),
        ("go to www.example.com/keys now", "example"),
    ],
)
def test_what_looks_like_a_credential_or_an_address_is_masked(text: str, secret: str) -> None:
    assert secret in text
    assert secret not in mask(text)


@each_case(
    "text",
    [
        "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.",
        "max_completion_tokens: 8192 is too large, total_tokens=9000",
        "API key not configured for LLM. provider='openai', model='gpt-4.1'",
        "The model claude-sonnet-4-5-20250929 does not exist",
        "trace 0198f0c2-7b1e-7c3a-9d4e-0123456789ab was not found",
        "Unsupported value: 'temperature' does not support 0.2 with this model.",
        "anthropic/claude-3-5-sonnet-20241022-v2 is not a valid model ID",
        "12345678901234567890123456789012 tokens",
    ],
)
def test_ordinary_words_stay_readable(text: str) -> None:
    assert mask(text) == text


def test_an_excerpt_is_one_short_line() -> None:
    text = excerpt("one\r\n\ttwo\u2028three\x00 " + "word " * 100)
    assert text.startswith("one two three word")
    assert len(text) <= 300
    assert text.endswith("…")
    assert excerpt("  short \n") == "short"


def test_a_key_at_the_cut_is_masked_and_not_halved() -> None:
    assert "sk-" not in excerpt("x " * 145 + "sk-proj-abc123DEF456")
    assert "abc" not in excerpt("http://" + "u" * 3_980 + " sk-abcdefghijklmnop")


@given(st.text())
def test_any_text_is_masked_without_an_error(text: str) -> None:
    assert len(excerpt(text)) <= 300


@each_case("part", ["a", "A1", "key", "key ", "-_", "=", "eyJ", "sk-", "x:", "Bearer "])
def test_masking_long_monotonous_texts_ends(part: str) -> None:
    assert isinstance(mask(part * 20_000), str)
