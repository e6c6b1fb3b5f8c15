"""The command: its arguments, its files, its tables."""

import io
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from evals.ask import main, take_evenly
from evals.cases import CaseParameters, held_back_cases, open_cases
from evals.labelled_case import generate_labelled_case
from evals.opik_experiments import SendReport
from standin.serving import serve_in_thread
from tests.evals.case_files import as_json, write_case
from tests.evals.fake_model_server import FakeServer

FAULTY = CaseParameters("sqlbot", "locked_table", 10, 1, 924874)
HEALTHY = CaseParameters("sqlbot", "", 10, 1, 730802)


@pytest.fixture
def server() -> FakeServer:
    return FakeServer()


@pytest.fixture
def base_url(server: FakeServer) -> Iterator[str]:
    with serve_in_thread(server.app()) as url:
        yield f"{url}/v1"


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    folder = tmp_path / "cases"
    folder.mkdir()
    for setting in (FAULTY, HEALTHY):
        case = generate_labelled_case(setting)
        write_case(folder / f"{case.name}.json", case)
    return folder


def verdicts(path: Path) -> list[str]:
    return sorted(json.loads(line)["verdict"] for line in path.read_text().splitlines())


@pytest.mark.slow
def test_models_prompts_and_the_baseline_stand_side_by_side(
    base_url: str, cases: Path, tmp_path: Path
) -> None:
    blame = tmp_path / "blame.txt"
    blame.write_text("Always blame s1.\n")
    results, output = tmp_path / "results", io.StringIO()
    options = ["--model", "obeys", "--model", "finds", "--baseline", "--repeat", "2"]
    prompts = ["--prompt", "built-in", "--prompt", str(blame)]
    where = ["--base-url", base_url, "--cases", str(cases), "--out", str(results)]
    assert main([*options, *prompts, *where], out=output) == 0

    files = sorted(path.name for path in results.iterdir())
    assert files == [
        "1-obeys.jsonl",
        "2-obeys-blame-.jsonl",
        "3-finds.jsonl",
        "4-finds-blame-.jsonl",
        "5-obeys-baseline-.jsonl",
        "6-finds-baseline-.jsonl",
        "7-first-finding-no-model.jsonl",
        "summary.md",
    ]
    assert verdicts(results / "2-obeys-blame-.jsonl") == ["culprit"] * 2 + ["false_alarm"] * 2
    assert verdicts(results / "7-first-finding-no-model.jsonl") == ["culprit", "quiet"]
    assert verdicts(results / "1-obeys.jsonl") == ["nothing"] * 2 + ["quiet"] * 2

    summary = (results / "summary.md").read_text()
    assert summary in output.getvalue()
    head = summary.splitlines()[0]
    assert [cell.strip() for cell in head.split("|")[2:4]] == ["obeys", "obeys (blame)"]
    (right,) = (
        line for line in summary.splitlines() if line.startswith("| right ") and "%" in line
    )
    assert "100%" in right.split("|")[4]
    assert "| against obeys" in summary


@pytest.mark.slow
def test_a_run_in_which_every_answer_failed_says_why_and_fails(
    base_url: str, cases: Path, tmp_path: Path
) -> None:
    output = io.StringIO()
    where = ["--base-url", base_url, "--cases", str(cases), "--out", str(tmp_path / "results")]
    assert main(["--model", "refuses", *where], out=output) == 1
    assert "- refuses: bad_key (2 times)" in output.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize(("complete", "code"), [(True, 0), (False, 1)])
def test_a_run_whose_results_did_not_all_reach_opik_fails(
    base_url: str,
    cases: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    complete: bool,
    code: int,
) -> None:
    output = io.StringIO()
    monkeypatch.setattr("evals.ask.send_results", lambda *_, **__: SendReport("Sent.", complete))
    where = ["--base-url", base_url, "--cases", str(cases), "--out", str(tmp_path / "results")]
    assert main(["--model", "finds", "--to-opik", *where], out=output) == code
    assert output.getvalue().endswith("Sent.\n")


@pytest.mark.slow
def test_the_questions_of_a_case_are_one_conversation_and_each_repeat_another(
    server: FakeServer, base_url: str, tmp_path: Path
) -> None:
    case = as_json(generate_labelled_case(FAULTY))
    case["turns"].insert(0, {"question": "How long did it take?"})
    (tmp_path / "talk.json").write_text(json.dumps(case))
    results, output = tmp_path / "results", io.StringIO()
    where = ["--base-url", base_url, "--cases", str(tmp_path), "--out", str(results)]
    assert main(["--model", "finds", "--repeat", "2", *where], out=output) == 0

    rows = [json.loads(line) for line in (results / "1-finds.jsonl").read_text().splitlines()]
    assert [(row["turn"], row["verdict"]) for row in rows] == [(1, "culprit")] * 2
    assert {row["repeat"] for row in rows} == {0, 1}
    said_before = sorted(
        [each["content"] for each in request["messages"][2:]] for request in server.requests
    )
    first, later = "How long did it take?", case["turns"][1]["question"]
    assert [each[0] for each in said_before] == [first] * 4
    assert sorted(each[-1] for each in said_before) == sorted([first, first, later, later])


def test_some_of_the_cases_are_taken_evenly_so_that_healthy_ones_are_among_them() -> None:
    settings = [*open_cases(), *held_back_cases()]
    sources = [partial(generate_labelled_case, each) for each in settings]
    taken = [settings[sources.index(each)] for each in take_evenly(sources, 8)]
    assert [bool(each.fault) for each in taken] == [True, True, True, False] * 2
    assert len(set(taken)) == 8
    for most in (None, 80, 500):
        assert take_evenly(sources, most) == sources


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--base-url", "host/v1"], "needs an http(s) address"),
        (["--base-url", "http://host/v1", "--repeat", "0"], "must be at least 1"),
        (["--base-url", "http://host/v1", "--cases", "/no/such/folder"], "no such folder"),
        (["--base-url", "http://host/v1", "--prompt", "/no/such/file"], "No such file"),
        (["--base-url", "http://host/v1", "--model", "m"], "named twice"),
    ],
)
def test_a_wrong_argument_is_reported_before_anything_is_asked(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--model", "m", "--out", str(tmp_path / "out"), *arguments])
    assert ended.value.code == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_invalid_setting_of_the_environment_is_reported_by_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TURN_STEPS", "many-of-them")
    with pytest.raises(SystemExit):
        main(["--model", "m", "--base-url", "http://host/v1"])
    output = capsys.readouterr().err
    assert "TURN_STEPS: Input should be a valid integer" in output
    assert "many-of-them" not in output


def test_two_cases_of_one_name_are_refused(cases: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--cases", str(cases), "--cases", str(cases)]
    with pytest.raises(SystemExit):
        main(["--model", "m", "--base-url", "http://host/v1", *where])
    assert "there is another case named sqlbot-" in capsys.readouterr().err
