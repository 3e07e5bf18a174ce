"""`make licences` refuses what pyproject.toml neither allows nor excuses."""

import subprocess
import sysconfig
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OPTIONS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pip-licenses"]


def checked(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the check with the pyproject.toml of a folder."""
    return subprocess.run(
        [Path(sysconfig.get_path("scripts"), "pip-licenses"), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_all_licences_are_allowed_or_excused() -> None:
    """Each package in this environment has one of them, or a reason beside its name."""
    assert checked(ROOT).returncode == 0


@pytest.mark.parametrize("package", OPTIONS["ignore-packages"])
def test_what_is_excused_would_be_refused(package: str, tmp_path: Path) -> None:
    """An excuse is for a package that is here, under a licence that needs one."""
    done = checked(
        tmp_path, "--packages", package, f"--allow-only={OPTIONS['allow-only']}"
    )
    assert done.returncode == 1
    assert package in done.stderr


def test_no_licence_that_binds_others_is_allowed() -> None:
    """None of the GNU or Mozilla licences is, and no package may say nothing."""
    allowed = OPTIONS["allow-only"].split(";")
    assert [name for name in allowed if "GPL" in name or "MPL" in name] == []
    assert "UNKNOWN" not in allowed
