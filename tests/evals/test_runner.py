"""Cases asked through the whole service, of models that answer in a known way."""

import json
from dataclasses import dataclass, field

import anyio
import pytest

from evals.analysis_only import analyse_case
from evals.cases import CaseParameters
from evals.labelled_case import generate_labelled_case
from evals.results import ResultRow
from evals.runner import NO_MODEL, Endpoint, Variant, run_evals
from standin.serving import serve_in_thread
from testkit import credentials
from tests.evals.fake_model_server import FakeServer

FAULTY = CaseParameters("agent", "wrapped_raise", 10, 2, 303080)
HEALTHY = CaseParameters("sqlbot", "", 10, 1, 730802)
VARIANTS = [
    *(
        Variant(name)
        for name in ("finds", "no-brackets", "names-the-top", "refuses", "looks-first")
    ),
    *(Variant(name, baseline=True) for name in ("finds", "looks-first", "small-window")),
    NO_MODEL,
]


@dataclass
class Ran:
    server: FakeServer = field(default_factory=FakeServer)
    rows: list[ResultRow] = field(default_factory=list)

    def of(self, variant: str, setting: CaseParameters) -> ResultRow:
        name = generate_labelled_case(setting).name
        (found,) = (each for each in self.rows if (each.variant, each.case) == (variant, name))
        return found


@pytest.fixture(scope="module")
def ran() -> Ran:
    """Two cases asked of all variants once."""
    ran = Ran()

    async def ask_all() -> None:
        await run_evals(
            [lambda: generate_labelled_case(FAULTY), lambda: generate_labelled_case(HEALTHY)],
            VARIANTS,
            endpoint=Endpoint(f"{url}/v1", key=credentials.SERVER_KEY),
            repeat=1,
            at_once=4,
            report=ran.rows.append,
        )

    with serve_in_thread(ran.server.app()) as url:
        anyio.run(ask_all)
    return ran


@pytest.mark.parametrize(
    ("variant", "faulty", "healthy"),
    [
        ("finds", "culprit", "quiet"),
        ("no-brackets", "culprit", "quiet"),
        ("names-the-top", "symptom", "false_alarm"),
        ("refuses", "failed", "failed"),
        ("looks-first", "culprit", "quiet"),
        ("finds (baseline)", "culprit", "quiet"),
        ("looks-first (baseline)", "culprit", "quiet"),
        ("small-window (baseline)", "failed", "failed"),
        ("first finding, no model", "culprit", "quiet"),
    ],
)
def test_the_verdict_says_what_the_model_did(
    ran: Ran, variant: str, faulty: str, healthy: str
) -> None:
    assert ran.of(variant, FAULTY).verdict == faulty
    assert ran.of(variant, HEALTHY).verdict == healthy


def test_every_question_is_asked_of_every_variant_once(ran: Ran) -> None:
    assert len(ran.rows) == len(VARIANTS) * 2


def test_replies_tool_calls_and_tokens_are_counted(ran: Ran) -> None:
    looked, found_case = ran.of("looks-first", FAULTY), ran.of("finds", FAULTY)
    assert (looked.steps, looked.tool_calls, looked.prompt_tokens) == (2, 1, 200)
    assert (found_case.steps, found_case.tool_calls, found_case.completion_tokens) == (1, 0, 10)
    assert found_case.place == 1
    assert found_case.seconds > 0


def test_without_a_model_the_spans_of_the_first_finding_are_the_answer(ran: Ran) -> None:
    case = generate_labelled_case(FAULTY)
    first, *others = analyse_case(case.trace, case.spans).findings
    got = ran.of(NO_MODEL.name, FAULTY)
    assert (got.named, got.answer, got.place) == (first.spans, first.sentence, 1)
    assert not {each for other in others for each in other.spans} & set(got.named)
    assert (got.prompt_tokens, got.steps) == (0, 0)


def test_a_failure_keeps_its_code_and_message_without_the_key(ran: Ran) -> None:
    failed = ran.of("refuses", FAULTY)
    assert failed.code == "bad_key"
    assert "custom provider refused" in failed.failure
    assert "sk-made-up-secret" not in failed.failure


def test_a_prompt_too_long_for_the_model_fails_the_baseline_with_its_code(ran: Ran) -> None:
    assert ran.of("small-window (baseline)", FAULTY).code == "context_too_long"


def test_the_key_reaches_only_the_models_server(ran: Ran) -> None:
    assert set(ran.server.keys) == {f"Bearer {credentials.SERVER_KEY}"}
    assert credentials.SERVER_KEY not in repr(ran.rows)


def test_the_baseline_reads_the_spans_without_their_bodies_and_no_outline(ran: Ran) -> None:
    case = generate_labelled_case(FAULTY)
    read = [str(each["messages"][1]["content"]) for each in ran.server.requests]
    shown = next(text for text in read if text.startswith("{") and case.trace.id in text[:80])
    trace, *spans = [json.loads(line) for line in shown.splitlines()]
    assert "input" in trace
    assert {span["id"] for span in spans} == {span.id for span in case.spans}
    assert not any("input" in span or "output" in span for span in spans)


def test_the_baseline_looks_up_a_span_by_its_id(ran: Ran) -> None:
    got = ran.of("looks-first (baseline)", FAULTY)
    assert (got.steps, got.tool_calls) == (2, 1)
    asked = [each["messages"] for each in ran.server.requests if each["model"] == "looks-first"]
    (read,) = (
        each
        for each in asked
        if each[-1]["role"] == "tool"
        and generate_labelled_case(FAULTY).trace.id in each[1]["content"]
    )
    wanted = json.loads(read[-2]["tool_calls"][0]["function"]["arguments"])["span_id"]
    span = next(each for each in generate_labelled_case(FAULTY).spans if each.id == wanted)
    assert json.loads(read[-1]["content"].splitlines()[1])["input"] == span.input
