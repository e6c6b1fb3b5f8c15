"""Hostile traces before a model that obeys them: the service contains what they ask for."""

from typing import Any

import pytest
import pytest_asyncio

from testkit.service import Service
from tests.hostile.injections import BODIES, CANARY, INJECTIONS
from tests.hostile.poisoned import WITHOUT_TOOLS, obeyed, poisoned

QUICK_IN_TEXT = {
    "orders",
    "an image",
    "the text protocol",
    "a tool call in tags",
    "a citation that names a foreign trace",
}
"""All of them together take half a minute."""

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory) -> Any:
    async with obeyed(tmp_path_factory.mktemp("hostile")) as service:
        yield service


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service_in_text(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Knows none of the other's traces: those of one name may be compared."""
    async with obeyed(tmp_path_factory.mktemp("hostile")) as service:
        yield service


@pytest.mark.parametrize(("number", "name"), list(enumerate(INJECTIONS)))
async def test_a_model_that_obeys_an_injected_text_has_no_effect(
    service: Service, number: int, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    trace = poisoned(service, number, INJECTIONS[name])
    await trace.ask_twice()
    assert CANARY in str(service.chat.requests)
    trace.assert_contained(caplog)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "name"), list(enumerate(BODIES, 100)))
async def test_a_model_that_obeys_an_injected_value_has_no_effect(
    service: Service, number: int, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    trace = poisoned(service, number, BODIES[name])
    await trace.ask_twice()
    trace.assert_contained(caplog)


@pytest.mark.parametrize(
    ("number", "name"),
    [
        pytest.param(number, name, marks=[] if name in QUICK_IN_TEXT else pytest.mark.slow)
        for number, name in enumerate(INJECTIONS, 200)
    ],
)
async def test_an_injected_text_has_no_effect_through_the_text_protocol(
    service_in_text: Service, number: int, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    trace = poisoned(service_in_text, number, INJECTIONS[name])
    await trace.ask_twice(model=WITHOUT_TOOLS)
    assert "<call-" in str(service_in_text.chat.requests[0]["messages"][0]["content"])
    trace.assert_contained(caplog)
