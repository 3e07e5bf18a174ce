"""Runs state machines, and says how many examples each has run.

There is a profile for long runs: `pytest tests/property --hypothesis-profile thorough`.
"""

from collections.abc import Callable
from typing import Protocol, cast

import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

__all__ = ["RunMachine"]

settings.register_profile(
    "thorough",
    settings.get_profile("database"),
    max_examples=2000,
    derandomize=False,
    print_blob=True,
)


class RunMachine(Protocol):
    """Runs what the callable makes, once an example."""

    def __call__(
        self,
        make: Callable[[], RuleBasedStateMachine],
        *,
        settings: settings | None = None,
    ) -> None:
        """Run it; None stands for the profile's settings."""


@pytest.fixture
def run_machine(record_property: Callable[[str, object], None]) -> RunMachine:
    """Give what runs a state machine and counts its examples."""

    def run(
        make: Callable[[], RuleBasedStateMachine],
        *,
        settings: settings | None = None,
    ) -> None:
        examples = 0

        def counted() -> RuleBasedStateMachine:
            nonlocal examples
            examples += 1
            return make()

        # Any callable will do, says its docstring, though not its annotation.
        machine = cast("type[RuleBasedStateMachine]", counted)
        run_state_machine_as_test(machine, settings=settings)
        record_property("examples", examples)

    return run
