"""A throwaway server starts anywhere, is private, and ends with its owner."""

import fcntl
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

import psycopg
import pytest

from postgres_testing import embedded, server_cache

PROJECT = Path(__file__).parents[2]
PATIENCE_SECONDS = 30

# Owns a server until its standard input ends.
OWNER = """
import signal, sys
from pathlib import Path
from postgres_testing import embedded

directory, *options = sys.argv[1:]
# Said either way: the children of a job in the background begin with Ctrl-C ignored.
ignored = "ignore-interrupt" in options
signal.signal(signal.SIGINT, signal.SIG_IGN if ignored else signal.default_int_handler)
with embedded.start(directory=Path(directory)) as server:
    print(server.url, flush=True)
    sys.stdin.read()
"""


@dataclass(frozen=True)
class Owner:
    """Another process, its server's URL and folder, and the folder's descriptor."""

    process: "subprocess.Popen[str]"
    url: str
    folder: Path
    descriptor: int

    @property
    def server_id(self) -> int:
        """Read the server's process id."""
        return int((self.folder / "data" / "postmaster.pid").read_text().split()[0])


@pytest.fixture
def directory() -> Generator[Path]:
    """Give a folder of the server's user; pytest's own are closed to `nobody`."""
    made = Path(tempfile.mkdtemp(dir=embedded.default_directory()))
    made.chmod(0o755)
    server_cache.give(made)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def cold_cache(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let this test's processes use an empty cache, and give its folder."""
    monkeypatch.setenv("EMBEDDED_POSTGRES_CACHE", str(directory))
    return directory / "postgres-testing"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_server_ends_with_its_owner(directory: Path, number: signal.Signals) -> None:
    """Neither process nor folder is left once a signal has ended the owner."""
    with owner(directory) as owning:
        server_id = owning.server_id
        owning.process.send_signal(number)
        wait_until_unlocked(owning)
    assert_gone(server_id, directory)


def test_ctrl_c_passes_the_server_by(directory: Path) -> None:
    """Ctrl-C signals a whole process group: the owner decides what comes of it."""
    with owner(directory, "ignore-interrupt") as owning:
        server_id = owning.server_id
        os.killpg(owning.process.pid, signal.SIGINT)
        with psycopg.connect(owning.url) as conn:
            conn.execute("SELECT 1")
        owning.process.communicate()
        wait_until_unlocked(owning)
    assert_gone(server_id, directory)


def test_ctrl_c_ends_owner_and_server(directory: Path) -> None:
    """Ctrl-C leaves neither process nor folder."""
    with owner(directory) as owning:
        server_id = owning.server_id
        os.killpg(owning.process.pid, signal.SIGINT)
        wait_until_unlocked(owning)
    assert_gone(server_id, directory)


def test_servers_of_one_owner_are_apart(directory: Path) -> None:
    """Ending one server leaves another one, and its folder, as it was."""
    with ExitStack() as first, embedded.start(directory=directory) as second:
        ended = first.enter_context(embedded.start(directory=directory))
        first.close()
        with psycopg.connect(second.url) as conn:
            conn.execute("SELECT 1")
        assert len(list(directory.iterdir())) == 1
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(ended.url)
    assert not list(directory.iterdir())


def test_owners_share_a_cold_cache(directory: Path, cold_cache: Path) -> None:
    """Two processes that start at once make one cluster, and both get their server."""
    with owner_starting(directory) as one, owner_starting(directory) as other:
        for process in (one, other):
            with psycopg.connect(read_url(process)) as conn:
                conn.execute("SELECT 1")
    made = {path.name for path in cold_cache.iterdir()}
    assert len({name for name in made if name.startswith("cluster-")}) == 1
    assert not {name for name in made if name.startswith("partial-")}


def test_what_a_killed_maker_left_is_not_used(
    directory: Path, cold_cache: Path
) -> None:
    """A half-made cluster is swept away, and a whole one made."""
    half_made = cold_cache / "partial-of-a-killed-maker"
    (half_made / "data").mkdir(parents=True)
    with embedded.start(directory=directory):
        assert not half_made.exists()


def test_leftovers_of_the_dead_are_swept(directory: Path) -> None:
    """A start removes the folders nobody holds any more, and no others."""
    left = directory / "postgres-for-tests-left"
    left.mkdir()
    (left / "data").mkdir()
    server_cache.give(left)
    foreign = directory / "postgres-for-tests.txt"
    foreign.touch()
    with embedded.start(directory=directory):
        assert not left.exists()
        assert foreign.exists()


def test_nobody_gets_in_without_the_password(directory: Path) -> None:
    """The loopback interface is everybody's: a connection needs the password."""
    with embedded.start(directory=directory) as server:
        port = urlsplit(server.url).port
        for password in ("", "wrong"):
            with pytest.raises(psycopg.OperationalError, match="password"):
                psycopg.connect(
                    host="127.0.0.1", port=port, user="postgres", password=password
                )


def test_a_server_s_files_are_its_user_s_alone(
    directory: Path, cold_cache: Path
) -> None:
    """No other user can enter the cluster, in use or in the cache."""
    with embedded.start(directory=directory):
        private = [*directory.glob("postgres-for-*"), *cold_cache.glob("cluster-*")]
        assert len(private) == 2
        for folder in private:
            found = folder.stat()
            assert found.st_uid == server_cache.owner_id()
            assert stat.S_IMODE(found.st_mode) == 0o700


def test_a_closed_project_stays_closed(directory: Path, cold_cache: Path) -> None:
    """Programs in a folder of mode 0700 serve root too, from a copy in its cache."""
    closed = directory / "closed"
    closed.mkdir(mode=0o700)
    binaries = copy_wheel(closed) / "pginstall" / "bin"
    with (
        embedded.start(binaries, directory=directory) as server,
        psycopg.connect(server.url) as conn,
    ):
        conn.execute("SELECT 1")
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    copies = list(cold_cache.glob("binaries-*"))
    assert len(copies) == (1 if os.geteuid() == 0 else 0)
    for path in (file for copy in copies for file in (copy, *copy.rglob("*"))):
        assert path.stat().st_uid == 0
        assert stat.S_IMODE(path.stat().st_mode) == 0o755


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_an_ordinary_user_starts_a_server(directory: Path) -> None:
    """A user with nothing but a home of its own gets a server that ends with it."""
    user = pwd.getpwnam("nobody").pw_uid
    python = python_for(user)
    project = directory / "project"
    shutil.copytree(PROJECT / "src/postgres_testing", project / "postgres_testing")
    copy_wheel(project)
    home = {"HOME": str(directory)}
    with owner(
        directory, python=python, project=project, user=user, env=home
    ) as owning:
        server_id = owning.server_id
        with psycopg.connect(owning.url) as conn:
            conn.execute("SELECT 1")
        owning.process.kill()
        wait_until_unlocked(owning)
    assert_gone(server_id, directory)
    assert list((directory / ".cache").rglob("cluster-*"))


def test_another_port_is_taken_where_the_first_is_lost(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start survives that somebody binds its port before the server does."""
    with embedded.start(directory=directory) as first:
        free = embedded.free_port()
        ports = iter([urlsplit(first.url).port, free])
        monkeypatch.setattr(embedded, "free_port", lambda: next(ports))
        with embedded.start(directory=directory) as second:
            assert f":{free}/" in second.url


def test_settings_decide_on_durability(directory: Path) -> None:
    """Without settings the server is as durable as PostgreSQL's defaults."""
    names = sorted(embedded.FAST)
    for settings, expected in ((embedded.FAST, "off"), ({}, "on")):
        with (
            embedded.start(directory=directory, settings=settings) as server,
            psycopg.connect(server.url) as conn,
        ):
            shown = conn.execute(
                "SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [names]
            )
            assert dict(shown) == dict.fromkeys(names, expected)


def test_a_bad_setting_shows_in_the_error(directory: Path) -> None:
    """A server that does not start says why, in its own words, and leaves nothing."""
    with (
        pytest.raises(embedded.ServerError, match=r"shared_buffers.*plenty"),
        embedded.start(directory=directory, settings={"shared_buffers": "plenty"}),
    ):
        pass
    assert not list(directory.iterdir())


def test_a_failed_initdb_shows_in_the_error(directory: Path, cold_cache: Path) -> None:
    """Broken programs give initdb's words, and no cluster in the cache."""
    package = copy_wheel(directory)
    (package / "pginstall" / "share" / "postgres.bki").unlink()
    with (
        pytest.raises(embedded.ServerError, match=r"postgres\.bki"),
        embedded.start(package / "pginstall" / "bin", directory=directory),
    ):
        pass
    assert [path.name for path in cold_cache.iterdir()] == ["lock"]


def test_missing_programs_are_named(tmp_path: Path) -> None:
    """A folder without a server is an error that names it."""
    with (
        pytest.raises(
            embedded.ServerError, match=f"no PostgreSQL server in {tmp_path}"
        ),
        embedded.start(tmp_path),
    ):
        pass


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    """A missing folder for data is an error that names it."""
    missing = tmp_path / "missing"
    with (
        pytest.raises(embedded.ServerError, match=f"in {missing}"),
        embedded.start(directory=missing),
    ):
        pass


def test_a_cache_that_cannot_be_made_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cache in an impossible place is an error that says how to move it."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("EMBEDDED_POSTGRES_CACHE", str(tmp_path / "file"))
    with (
        pytest.raises(embedded.ServerError, match="set EMBEDDED_POSTGRES_CACHE"),
        embedded.start(),
    ):
        pass


def python_for(user: int) -> str:
    """Find a Python that another user can run; this one's folder may be closed."""
    for python in (sys.executable, "/usr/local/bin/python3", "/usr/bin/python3"):
        with suppress(OSError):
            asked = subprocess.run(
                [python, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"],
                check=False,
                user=user,
                cwd="/",
            )
            if asked.returncode == 0:
                return python
    pytest.skip("no Python of 3.11 or newer that `nobody` can run")


def copy_wheel(to: Path) -> Path:
    """Copy the wheel's package and the libraries beside it; give the package."""
    package = embedded.wheel_binaries().parents[1]
    for folder in (package, package.with_name(f"{package.name}.libs")):
        if folder.is_dir():
            shutil.copytree(folder, to / folder.name)
    return to / package.name


@contextmanager
def owner_starting(
    directory: Path,
    *options: str,
    python: str = sys.executable,
    project: Path = PROJECT,
    user: int | None = None,
    env: Mapping[str, str] | None = None,
) -> Generator["subprocess.Popen[str]"]:
    """Run a process that starts a server, in a process group of its own."""
    with subprocess.Popen(
        [python, "-W", "error", "-c", OWNER, directory, *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=project,
        env=env,
        user=user,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            try:
                process.communicate(timeout=PATIENCE_SECONDS)
            except BaseException:
                process.kill()
                raise


@contextmanager
def owner(
    directory: Path,
    *options: str,
    python: str = sys.executable,
    project: Path = PROJECT,
    user: int | None = None,
    env: Mapping[str, str] | None = None,
) -> Generator[Owner]:
    """Run a process whose server takes connections."""
    with owner_starting(
        directory, *options, python=python, project=project, user=user, env=env
    ) as process:
        url = read_url(process)
        (folder,) = directory.glob("postgres-for-tests-*")
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            yield Owner(process, url, folder, descriptor)
        finally:
            os.close(descriptor)


def read_url(process: "subprocess.Popen[str]") -> str:
    """Wait for the owner's word."""
    assert process.stdout is not None
    line = process.stdout.readline().strip()
    if not line:
        pytest.fail(f"the owner failed: {process.communicate()[1]}")
    return line


def wait_until_unlocked(owning: Owner) -> None:
    """Wait until neither the owner nor the supervisor holds the folder any more."""

    def give_up(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError(f"{owning.folder} is still held")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(PATIENCE_SECONDS)
    try:
        fcntl.flock(owning.descriptor, fcntl.LOCK_EX)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def assert_gone(server_id: int, directory: Path) -> None:
    """Check that the server's process and folder are gone."""
    with pytest.raises(ProcessLookupError):
        os.kill(server_id, 0)
    assert not list(directory.glob("postgres-for-tests-*"))
