"""The pause that an answer asks for, in whatever form a server or a gateway writes it."""

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.retry_after import parse_retry_after

NOW = "Sun, 22 Nov 2026 10:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "3"}, 3.0),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"Retry-After": "0"}, 0.0),
        ({"Retry-After": "86400"}, 86_400.0),
        ({"RateLimit-Reset": "2"}, 2.0),
        ({"Retry-After": "3", "RateLimit-Reset": "2"}, 3.0),
        ({"Retry-After": "soon", "RateLimit-Reset": "2"}, 2.0),
        ({"Retry-After": "Sun, 22 Nov 2026 10:00:04 GMT", "Date": NOW}, 4.0),
        ({"Retry-After": "Sun, 22 Nov 2026 11:00:04 +0100", "Date": NOW}, 4.0),
        ({"Retry-After": "Sun, 22 Nov 2026 09:59:00 GMT", "Date": NOW}, 0.0),
    ],
)
def test_a_pause_is_a_number_of_seconds_or_a_date(headers: dict[str, str], seconds: float) -> None:
    assert parse_retry_after(httpx.Headers(headers)) == seconds


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Retry-After": ""},
        {"Retry-After": "soon"},
        {"Retry-After": "-5"},
        {"Retry-After": "nan"},
        {"Retry-After": "inf"},
        {"Retry-After": "1e3"},
        {"Retry-After": "9" * 400},
        {"Retry-After": "Sun, 22 Nov 2026 10:00:04 GMT"},
        {"Retry-After": "Sun, 22 Nov 2026 10:00:04 -0000", "Date": NOW},
        {"Retry-After": "Sun, 22 Nov 2026 10:00:04 +99999999999999999999", "Date": NOW},
        {"Retry-After": "Sun, 22 Nov 99999999999999999999 10:00:04 GMT", "Date": NOW},
    ],
)
def test_what_cannot_be_read_as_a_pause_is_none(headers: dict[str, str]) -> None:
    assert parse_retry_after(httpx.Headers(headers)) is None


_DATES = st.from_regex(r"\A(Sun, )?\d{1,25} Nov \d{1,25} \d{1,25}:\d{1,25}:\d{1,25} [+-]\d{1,25}\Z")


@given(st.one_of(_DATES, st.text(max_size=40)), st.one_of(_DATES, st.just(NOW)))
def test_no_header_is_an_error(value: str, date: str) -> None:
    headers = httpx.Headers([(b"Retry-After", value.encode()), (b"Date", date.encode())])
    pause = parse_retry_after(headers)
    assert pause is None or pause >= 0
