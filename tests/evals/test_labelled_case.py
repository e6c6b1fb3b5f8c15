"""Cases: generated ones, and files of the user's own."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evals.cases import CaseParameters
from evals.labelled_case import InvalidCase, generate_labelled_case, read_case_folder
from tests.evals.case_files import as_json, write_case

FAULTY = generate_labelled_case(CaseParameters("sqlbot", "locked_table", 10, 1, 924874))

Change = Callable[[dict[str, Any]], object]


def test_a_generated_case_is_the_same_each_time_and_shares_no_id_with_another() -> None:
    again = generate_labelled_case(CaseParameters("sqlbot", "locked_table", 10, 1, 924874))
    other = generate_labelled_case(CaseParameters("sqlbot", "locked_table", 10, 1, 5))
    assert again == FAULTY
    assert not {span.id for span in other.spans} & {span.id for span in FAULTY.spans}
    assert other.trace.id != FAULTY.trace.id


def test_ids_of_generated_spans_sort_by_time_as_those_of_the_sdk() -> None:
    by_id = sorted(FAULTY.spans, key=lambda span: span.id)
    seconds = [int(span.start_time.timestamp()) for span in by_id if span.start_time]
    assert seconds == sorted(seconds)
    assert len(set(seconds)) > 5


def test_the_culprit_is_right_and_the_spans_around_it_are_wrong() -> None:
    (turn,) = FAULTY.turns
    spans = {span.id: span for span in FAULTY.spans}
    (culprit,) = turn.right
    assert spans[culprit].name == "run_sql"
    assert spans[culprit].parent_span_id in turn.wrong


def test_a_healthy_case_is_labelled_healthy() -> None:
    (turn,) = generate_labelled_case(CaseParameters("sqlbot", "", 10, 1, 730802)).turns
    assert turn.healthy
    assert not turn.right


def test_cases_are_read_from_a_folder_plain_or_packed(tmp_path: Path) -> None:
    write_case(tmp_path / "plain.json", FAULTY)
    packed = gzip.compress(json.dumps(as_json(FAULTY)).encode())
    (tmp_path / "packed.json.gz").write_bytes(packed)
    (tmp_path / "notes.txt").write_text("not a case")
    packed_case, plain_case = read_case_folder(tmp_path)
    assert (packed_case.name, plain_case.name) == ("packed", "plain")
    assert plain_case.trace == packed_case.trace == FAULTY.trace
    assert plain_case.turns == list(FAULTY.turns)


def test_a_folder_without_cases_is_reported(tmp_path: Path) -> None:
    with pytest.raises(InvalidCase, match="in this folder"):
        read_case_folder(tmp_path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda case: case.pop("trace"), "trace: Field required"),
        (lambda case: case["spans"][2].pop("id"), "spans.2.id: Field required"),
        (lambda case: case["spans"][0].update(id="s1"), "not a lower-case UUID"),
        (lambda case: case["spans"][0].update(start_time=None), "has no start_time"),
        (lambda case: case["trace"].update(id=case["spans"][0]["id"]), "belongs to another trace"),
        (lambda case: case.update(turns=[]), "turns: List should have at least 1 item"),
        (lambda case: case["turns"][0].update(rigth=[]), "turns.0.rigth: Extra inputs"),
        (lambda case: case["turns"][0].update(wrong=["x"]), "turns.0 names a span that is not"),
        (lambda case: case["turns"][0].update(right=[], wrong=[]), "no question has a label"),
        (lambda case: case["turns"][0].update(healthy=True), "exclude each other"),
    ],
)
def test_a_broken_case_names_its_file_and_the_place(
    change: Change, words: str, tmp_path: Path
) -> None:
    case = as_json(FAULTY)
    change(case)
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(case))
    with pytest.raises(InvalidCase) as broken:
        read_case_folder(tmp_path)
    assert str(path) in str(broken.value)
    assert words in str(broken.value)


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"[]", b"{}"])
def test_a_file_that_is_not_a_case_is_named(content: bytes, tmp_path: Path) -> None:
    for name in ("a.json", "b.json.gz"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / name).write_bytes(content)
        with pytest.raises(InvalidCase, match=name):
            read_case_folder(folder)


def test_a_broken_case_is_reported_without_its_content(tmp_path: Path) -> None:
    case = as_json(FAULTY)
    case["spans"][0]["start_time"] = "a-private-text"
    (tmp_path / "mine.json").write_text(json.dumps(case))
    with pytest.raises(InvalidCase) as broken:
        read_case_folder(tmp_path)
    assert "a-private-text" not in str(broken.value)
