"""Requests of all kinds, made from the published description and from its opposite.

That every described request is accepted is not looked at: no schema says that a message may not be
all blanks, or that 1.0 is no thumb.
"""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from anyio.from_thread import start_blocking_portal
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from app import __version__
from app.web.openapi import describe_interface
from testkit.credentials import find_credential
from testkit.service import PREFIX, Service, running

SCHEMA = schemathesis.openapi.from_dict(describe_interface(PREFIX, __version__, with_page=True))
OPERATIONS = [each.ok() for each in SCHEMA.get_all_operations()]
# What takes no parameters cannot be asked wrongly.
WRONGLY = [each for each in OPERATIONS if "{" in each.path]
RIGHT, WRONG = GenerationMode.POSITIVE, GenerationMode.NEGATIVE


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    uri = f"sqlite:///{tmp_path_factory.mktemp('fuzz')}/opik-assist.db"
    limits = {"busy_wait_seconds": 0.1}
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(running(uri, **limits)) as service,
    ):
        yield service


@pytest.mark.slow
@pytest.mark.parametrize(
    ("operation", "mode"),
    [*((each, RIGHT) for each in OPERATIONS), *((each, WRONG) for each in WRONGLY)],
    ids=lambda each: each.value if isinstance(each, GenerationMode) else each.label,
)
def test_any_request_is_answered_as_described_or_refused_with_a_message(
    service: Service, operation: Any, mode: GenerationMode, caplog: pytest.LogCaptureFixture
) -> None:
    @settings(max_examples=150, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def ask(data: st.DataObject) -> None:
        case = data.draw(operation.as_strategy(generation_mode=mode))
        # Strings of the project's own code are drawn too, those of testkit.credentials among them,
        # and the access log repeats every address.
        sent = repr((case.path_parameters, case.query, case.body))
        assume(find_credential(sent.encode("utf-8", "replace")) is None)
        response = case.call(base_url=service.url + PREFIX, timeout=20)
        assert response.status_code != 500
        case.validate_response(response, excluded_checks=[positive_data_acceptance])

    ask()
    assert [each for each in caplog.records if each.levelname in {"ERROR", "CRITICAL"}] == []
