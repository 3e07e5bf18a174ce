"""What cannot be generated correctly is refused, all of it in one go."""

from typing import NamedTuple


class Problem(NamedTuple):
    """One reason to refuse: where, what is wrong, and what to do about it."""

    where: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}; {self.remedy}"


class RefusedError(Exception):
    """The request cannot be answered correctly."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(f"  {problem}" for problem in problems))


class Problems:
    """The problems found so far in one run."""

    def __init__(self) -> None:
        self.found: list[Problem] = []
        # What is told though it keeps nothing from being generated.
        self.warnings: list[str] = []

    def add(self, where: str, what: str, remedy: str) -> None:
        """Note a problem, once."""
        problem = Problem(where, what, remedy)
        if problem not in self.found:
            self.found.append(problem)

    def include(self, other: "Problems") -> None:
        """Note another run's problems and warnings, each once."""
        for problem in other.found:
            self.add(*problem)
        for warning in other.warnings:
            self.warn(warning)

    def warn(self, warning: str) -> None:
        """Note a warning, once."""
        if warning not in self.warnings:
            self.warnings.append(warning)

    def raise_if_any(self) -> None:
        """Refuse if there was a problem.

        Raises:
            RefusedError: with everything found so far.
        """
        if self.found:
            raise RefusedError(self.found)
