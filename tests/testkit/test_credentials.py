"""The search that goes through what every test leaves behind finds what it is for."""

from pathlib import Path

from testkit import credentials
from testkit.case_tables import each_case


@each_case("credential", credentials.ALL)
def test_each_made_up_credential_is_found_wherever_it_stands(credential: str) -> None:
    assert credential in (credentials.find_credential(f"\0who: {credential}.".encode()) or "")


@each_case(
    "text",
    [
        "Cookie: sessionToken=x",
        "Authorization: Basic eA==",
        "bearer: Bearer x",
        "key sk-0123456789",
        "mysql://me:word@host/d",
    ],
)
def test_text_shaped_like_a_credential_is_found_too(text: str) -> None:
    assert credentials.find_credential(text.encode())


@each_case(
    "text",
    [
        "",
        "sent Authorization: [masked]",
        "http://127.0.0.1:80/a and me@host",
        '{"url":"http://127.0.0.1:80"}\nme@host',
    ],
)
def test_text_that_is_no_credential_is_not_reported(text: str) -> None:
    assert credentials.find_credential(text.encode()) is None


def test_output_of_processes_is_searched_once() -> None:
    credentials.collected_output += [b"nothing", credentials.ANNA.encode(), b"nothing"]
    assert credentials.find_credential_in_collected_output()
    assert credentials.find_credential_in_collected_output() is None


def test_a_database_is_searched_with_its_journal_in_whatever_folder_it_is(tmp_path: Path) -> None:
    found = tmp_path / "found"
    (found / "deep").mkdir(parents=True)
    (found / "deep" / "a.db").write_bytes(b"nothing")
    assert credentials.find_databases_with_credentials(found) == []
    journal = found / "deep" / "a.db-wal"
    journal.write_bytes(credentials.BOB.encode())
    assert [
        str(journal) in each for each in credentials.find_databases_with_credentials(found)
    ] == [True]
    journal.unlink()
