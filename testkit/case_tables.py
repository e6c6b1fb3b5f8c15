"""Tables of cases that one test works through: every case runs, and each that fails is named."""

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import pytest

_SHOWN = 20
"""So many failed cases are quoted in full; a fault in common code fails all of them."""


def each_case(names: str | Sequence[str], cases: Iterable[Any]) -> Callable[[Any], Any]:
    """Like `pytest.mark.parametrize`, but one test: for tables of texts, bytes or splits.

    The cases of a table share the test's fixtures, so a case must not depend on what another left
    there.
    """
    arguments = [each.strip() for each in names.split(",")] if isinstance(names, str) else names
    table = [case if len(arguments) > 1 else (case,) for case in cases]

    def decorate(test: Any) -> Any:
        signature = inspect.signature(test)
        kept = [each for name, each in signature.parameters.items() if name not in arguments]

        if inspect.iscoroutinefunction(test):

            @functools.wraps(test)
            async def run_all(**fixtures: Any) -> None:
                failures = _Failures(arguments)
                for case in table:
                    with failures.collect(case):
                        await test(**fixtures, **dict(zip(arguments, case, strict=True)))
                failures.report(len(table))

        else:

            @functools.wraps(test)
            def run_all(**fixtures: Any) -> None:
                failures = _Failures(arguments)
                for case in table:
                    with failures.collect(case):
                        test(**fixtures, **dict(zip(arguments, case, strict=True)))
                failures.report(len(table))

        run_all.__signature__ = signature.replace(parameters=kept)  # type: ignore[attr-defined]
        return run_all

    return decorate


class _Failures:
    """The failed cases of one table."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self._arguments = arguments
        self._failed: list[tuple[Sequence[Any], BaseException]] = []

    @contextlib.contextmanager
    def collect(self, case: Sequence[Any]) -> Iterator[None]:
        """Keeps a failure within the block as one of this case."""
        try:
            yield
        except (Exception, pytest.fail.Exception) as error:
            self._failed.append((case, error))

    def report(self, cases: int) -> None:
        """Fails the test with every failed case, and with the traceback of the first."""
        if not self._failed:
            return
        lines = [f"{len(self._failed)} of {cases} cases failed"]
        for case, error in self._failed[:_SHOWN]:
            values = zip(self._arguments, case, strict=True)
            shown = ", ".join(f"{name}={value!r}" for name, value in values)
            lines.append(f"- {shown}: {type(error).__name__}: {error}")
        lines += [f"- {case!r}" for case, _ in self._failed[_SHOWN:]]
        raise AssertionError("\n".join(lines)) from self._failed[0][1]
