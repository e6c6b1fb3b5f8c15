"""A table that one test works through runs every case and names each that failed."""

import pytest

from testkit.case_tables import each_case


def test_every_case_runs_and_each_failed_one_is_named() -> None:
    seen = []

    @each_case("number, word", [(1, "one"), (2, "two"), (3, "three"), (4, "four")])
    def check(number: int, word: str) -> None:
        seen.append(number)
        assert number % 2, f"{word} is even"

    with pytest.raises(AssertionError, match="2 of 4 cases failed") as failed:
        check()
    assert seen == [1, 2, 3, 4]
    assert "number=2, word='two'" in str(failed.value)
    assert "four is even" in str(failed.value)
    assert "'one'" not in str(failed.value)


async def test_cases_of_a_coroutine_run_one_after_the_other() -> None:
    seen = []

    @each_case("text", ["a", "b"])
    @each_case("number", [1, 2])
    async def check(text: str, number: int) -> None:
        seen.append((text, number))

    await check()
    assert seen == [("a", 1), ("a", 2), ("b", 1), ("b", 2)]


@each_case("text", ["a"])
def test_fixtures_reach_every_case(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert text == "a"
    assert tmp_path_factory.getbasetemp().is_dir()


def test_a_failed_expectation_of_an_error_is_a_failed_case() -> None:
    @each_case("number", [1])
    def check(number: int) -> None:
        with pytest.raises(KeyError):
            str(number)

    with pytest.raises(AssertionError, match="1 of 1 cases failed"):
        check()
