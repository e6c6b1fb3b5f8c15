"""The recorded programs of `evals/` with their faults, small ones with a bit of noise."""

from app.analysis.analyse_trace import analyse_trace
from evals.generated_trace import RECORDINGS, generate_trace
from testkit.case_tables import each_case

NAMES = sorted(path.name.removesuffix(".json.gz") for path in RECORDINGS.glob("*.json.gz"))
FAULTY = [name for name in NAMES if not name.endswith("-healthy")]
HEALTHY = [name for name in NAMES if name.endswith("-healthy")]


@each_case("name", FAULTY)
def test_the_culprit_of_a_recorded_fault_is_among_the_first_three_findings(name: str) -> None:
    case = generate_trace(name, size=60, noise=1, seed=5)
    findings = analyse_trace(case.trace, case.spans).findings[:3]
    assert case.culprit is not None
    assert any(case.culprit in finding.spans for finding in findings)


@each_case("name", HEALTHY)
@each_case("noise", [0, 1, 2])
def test_a_recorded_healthy_run_has_no_findings(name: str, noise: int) -> None:
    case = generate_trace(name, size=150, noise=noise, seed=5)
    assert analyse_trace(case.trace, case.spans).findings == ()


def test_equal_arguments_make_equal_cases() -> None:
    one, other = (generate_trace("agent-loop", size=100, noise=2, seed=7) for _ in range(2))
    assert one == other
