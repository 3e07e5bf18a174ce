"""`make` sets up what it needs, and a set-up that failed can be repeated.

In a folder with the Makefile and a lock file of seven small packages of the real one's,
which pip has in its cache since it made this environment.
"""

import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
PACKAGES = "editables|hatchling|packaging|pathspec|pluggy|tomlkit|trove-classifiers"
PYTHON = f"{sys.base_prefix}/bin/python3.{sys.version_info.minor}"
OFFLINE = {
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_FIND_LINKS": "",
    "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
    "PIP_NO_CACHE_DIR": "1",
    "PIP_RETRIES": "0",
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Give a checkout in which `make` has not run yet."""
    for name in (
        "Makefile",
        "tools/set_up.py",
        "pyproject.toml",
        "README.md",
        "LICENSE",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "src/store").mkdir(parents=True)
    lock(tmp_path, PACKAGES)
    return tmp_path


def lock(checkout: Path, packages: str) -> None:
    """Write a lock file of some of the real one's packages."""
    entries = re.findall(
        rf"^(?:{packages})==.*\n(?: .*\n)+",
        (ROOT / "requirements.lock").read_text(),
        re.MULTILINE,
    )
    assert len(entries) == len(packages.split("|"))
    (checkout / "requirements-demo.lock").write_text("".join(entries))


def command(python: str | Path = PYTHON) -> list[str]:
    """Give the command that makes what the demo needs."""
    return ["make", f"PYTHON={python}", ".venv/.ready-demo"]


def make(
    checkout: Path, python: str | Path = PYTHON, **environment: str
) -> tuple[int, str]:
    """Set up; give exit code and output."""
    done = subprocess.run(
        command(python),
        cwd=checkout,
        env={**os.environ, "MAKEFLAGS": "", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def works(checkout: Path) -> bool:
    """Tell whether what was installed can be imported."""
    python = checkout / ".venv/bin/python"
    return not subprocess.call([python, "-c", "import hatchling.build, editables"])


def test_it_is_done_once(checkout: Path) -> None:
    """The second call has nothing to do; one after a change of the lock file has."""
    assert make(checkout)[0] == 0
    assert works(checkout)
    assert "is up to date" in make(checkout)[1]
    lock(checkout, f"{PACKAGES}|iniconfig")
    code, output = make(checkout)
    assert (code, "8 packages, 1 of them new" in output) == (0, True), output
    assert "\r" not in output


def test_a_terminal_shows_the_package_that_pip_has_come_to(checkout: Path) -> None:
    """One line counts the packages, and gives way to the next."""
    terminal, other_end = pty.openpty()
    with subprocess.Popen(command(), cwd=checkout, stdout=other_end) as process:
        os.close(other_end)
        shown = b""
        while chunk := read(terminal):
            shown += chunk
    assert process.returncode == 0
    counts = re.findall(rb"\r\x1b\[K  (\d) of 7: \S+", shown)
    assert counts == [b"1", b"2", b"3", b"4", b"5", b"6", b"7"]


def read(terminal: int) -> bytes:
    """Read what there is; at the end, Linux fails."""
    try:
        return os.read(terminal, 1024)
    except OSError:
        return b""


def test_one_that_was_killed_is_repeated(checkout: Path) -> None:
    """What a killed set-up left, half of an environment, is thrown away."""
    with subprocess.Popen(command(), cwd=checkout, start_new_session=True) as process:
        while not (checkout / ".venv/bin").exists() and process.poll() is None:
            time.sleep(0.005)
        os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    code, output = make(checkout)
    assert (code, works(checkout)) == (0, True), output
    assert "beginning anew" in output


def test_it_says_what_is_missing_where_python_makes_no_environments(
    checkout: Path, tmp_path: Path
) -> None:
    """As on Debian without python3-venv; once that is installed, `make` succeeds."""
    lacking = without_ensurepip(tmp_path / "python")
    code, output = make(checkout, lacking)
    assert code == 2
    assert f"apt install python3.{sys.version_info.minor}-venv" in output
    code, output = make(checkout)
    assert (code, works(checkout)) == (0, True), output


def without_ensurepip(prefix: Path) -> Path:
    """Make a Python like this one, whose standard library lacks ensurepip."""
    library = Path(sysconfig.get_path("stdlib"))
    there = prefix / library.relative_to(sys.base_prefix)
    there.mkdir(parents=True)
    for entry in library.iterdir():
        if entry.name != "ensurepip":
            (there / entry.name).symlink_to(entry)
    (prefix / "bin").mkdir()
    return Path(shutil.copy(PYTHON, prefix / "bin"))


def test_without_a_network_nothing_is_lost(checkout: Path) -> None:
    """It says so; what was set up before works, and is brought up to date later."""
    assert make(checkout)[0] == 0
    lock(checkout, f"{PACKAGES}|iniconfig")
    code, output = make(checkout, **OFFLINE)
    assert (code, "no package index answered" in output) == (2, True), output
    assert works(checkout)
    code, output = make(checkout)
    assert (code, "beginning anew" in output) == (0, False), output


def test_a_python_that_is_named_is_the_one_used(checkout: Path) -> None:
    """Also where another one's environment is there and up to date."""
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    others = [
        path
        for path in (Path("/usr/bin"), *sorted(root.glob("versions/3.1[1-9].*/bin")))
        for path in path.glob("python3.1[1-9]")
        if path.name != Path(PYTHON).name
    ]
    if not others:
        pytest.skip("NOT TESTED: there is no other Python here")
    assert make(checkout)[0] == 0
    code, output = make(checkout, others[-1])
    assert (code, "beginning anew" in output) == (0, True), output
    assert (checkout / ".venv/lib" / others[-1].name).exists()
