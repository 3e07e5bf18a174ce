"""The page about testing shows tests that pass."""

import re
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

PAGE = Path(__file__).parents[2] / "docs/testing.md"
PROGRAM = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.usefixtures("no_server_is_given")
def test_the_page_s_tests_pass(pytester: pytest.Pytester) -> None:
    """A project that holds the page's tests, and nothing else, passes them."""
    for number, program in enumerate(PROGRAM.findall(PAGE.read_text())):
        if "def test_" in program:
            pytester.makepyfile(**{f"test_{number}": program})
    ran = pytester.runpytest_subprocess("-W", "error")
    ran.assert_outcomes(passed=5)


def test_the_page_s_fixtures_are_the_kit_s(pytester: pytest.Pytester) -> None:
    """Its table names all fixtures of the kit, and no others."""
    pytester.makepyfile("")
    shown = pytester.runpytest_subprocess("--fixtures").stdout.str()
    ours = set(re.findall(r"^(\w+).* -- \S*_testing/plugin\.py", shown, re.MULTILINE))
    table = PAGE.read_text().partition("## The fixtures")[2].partition("None is")[0]
    assert ours == set(re.findall(r"`(\w+)`", re.sub(r"\|[^|]*\|\n", "\n", table)))
