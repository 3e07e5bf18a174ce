"""The lock files are those of pyproject.toml: `make lock` follows each change of it."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
LOCKS = {
    "requirements.lock": ("dev", ["migrate", "completion"]),
    "requirements-demo.lock": ("demo", ["migrate"]),
    "requirements-deploy.lock": (None, ["migrate"]),
}


def group(project: dict[str, Any], name: str) -> list[str]:
    """Give the requirements of a dependency group, and of those it includes."""
    return [
        requirement
        for entry in project["dependency-groups"][name]
        for requirement in (
            [entry]
            if isinstance(entry, str)
            else group(project, entry["include-group"])
        )
    ]


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_file_pins_what_is_asked_for(name: str) -> None:
    """Each requirement has a pinned version there, which it allows."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    pins = dict(
        re.findall(
            r"^([\w.-]+)(?:\[.*\])?==(\S+)", (ROOT / name).read_text(), re.MULTILINE
        )
    )
    group_name, extras = LOCKS[name]
    wanted = [
        *project["project"]["dependencies"],
        *(
            each
            for extra in extras
            for each in project["project"]["optional-dependencies"][extra]
        ),
        *(group(project, group_name) if group_name else []),
    ]
    for requirement in map(Requirement, wanted):
        assert requirement.name in pins
        assert pins[requirement.name] in requirement.specifier, requirement
