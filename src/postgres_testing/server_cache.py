"""What a server needs and is slow to make: made once, then shared by all starts.

In the cache lie a fresh data directory for each build of PostgreSQL, a few that have a
schema's template besides, and, for root alone, a copy of binaries that root's server
may not read where they lie.
PostgreSQL refuses to run as root, so root's servers run as `nobody`.
"""

import fcntl
import functools
import hashlib
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TypedDict

from postgres_testing import schemas

__all__ = [
    "ENVIRONMENT",
    "Account",
    "ServerError",
    "account",
    "data_directory",
    "give",
    "owner_id",
    "readable_binaries",
    "version",
    "with_schema",
]

# Nothing of the caller's: PGPORT, PGDATA or a locale would change the server.
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C"}

_FOLDER = "postgres-testing"
_WITH_SCHEMA = "schema-"
_DAY_SECONDS = 86400
_CLUSTER_OPTIONS = (
    "--username=postgres",
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
)


class ServerError(Exception):
    """A PostgreSQL server could not be made or started."""


class Account(TypedDict, total=False):
    """The arguments of `subprocess` that run a program as the server's user."""

    user: int
    group: int
    extra_groups: list[int]


def account() -> Account:
    """Say whom to run the server as: the caller, or `nobody` where that is root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def owner_id() -> int:
    """Give the id of the user the server runs as."""
    return account().get("user", os.geteuid())


def give(path: Path) -> None:
    """Make the server's user the owner of a file or folder the caller has made."""
    os.chown(path, owner_id(), account().get("group", -1))


@functools.cache
def version(binaries: Path) -> str:
    """Read the server's version, such as "18.6".

    Raises ServerError where no PostgreSQL server lies in the folder.
    """
    try:
        line = subprocess.check_output([binaries / "postgres", "--version"], text=True)
    except OSError as error:
        raise ServerError(
            f"no PostgreSQL server in {binaries} ({error.strerror}): "
            "name the folder that holds `postgres`"
        ) from error
    return line.split()[2]


def readable_binaries(binaries: Path) -> Path:
    """Give a folder whose programs the server's user can run: the same, or a copy.

    Only a root whose project is closed to others gets a copy; no permission is changed.
    """
    if not account() or _can_run(binaries):
        return binaries
    copy = _cached(f"binaries-{_build(binaries)}", lambda to: _copy(binaries, to))
    readable = copy / "server" / binaries.parent.name / "bin"
    if not _can_run(readable):
        raise ServerError(
            "the user `nobody`, as whom root's server runs, can run initdb neither in "
            f"{binaries} nor as the copy in {readable}: check the mount (noexec?)"
        )
    return readable


def data_directory(binaries: Path) -> Path:
    """Give the folder with a fresh cluster, `data`, and its superuser's `password`.

    Both are the server's user's alone. Raises ServerError where initdb fails.
    """
    options = hashlib.sha256("\0".join(_CLUSTER_OPTIONS).encode()).hexdigest()[:12]
    name = f"cluster-{_build(binaries)}-{options}-{owner_id()}"
    return _cached(name, lambda to: _initdb(binaries, to))


def with_schema(cluster: Path, key: str, build: Callable[[Path], None]) -> Path:
    """Give the cluster that has a schema's template, too; `build` makes it.

    Others that were not used for a day go, but for the last few.
    """
    made = _cached(f"{cluster.name}-{_WITH_SCHEMA}{key[:12]}", build)
    os.utime(made)
    others = made.parent.glob(f"cluster-*-{_WITH_SCHEMA}*")
    by_use = sorted(others, key=_last_use, reverse=True)
    for old in by_use[schemas.TEMPLATES_KEPT :]:
        if _last_use(old) < time.time() - _DAY_SECONDS:
            shutil.rmtree(old, ignore_errors=True)
    return made


def _last_use(folder: Path) -> float:
    """Give when a folder was last used; one that has just gone was not."""
    try:
        return folder.stat().st_mtime
    except FileNotFoundError:
        return 0


def _cached(name: str, make: Callable[[Path], None]) -> Path:
    """Give the cache's folder of this name; it is whole, since renaming is atomic."""
    root = _cache_root()
    folder = root / name
    if folder.exists():
        return folder
    with _locked(root):
        for abandoned in root.glob("partial-*"):  # its maker was killed
            shutil.rmtree(abandoned, ignore_errors=True)
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=root, prefix="partial-") as partial:
                Path(partial).chmod(0o755)
                make(Path(partial, name))
                Path(partial, name).rename(folder)
    return folder


def _cache_root() -> Path:
    """Give the cache: where EMBEDDED_POSTGRES_CACHE says, else where users' caches go.

    Root's default is a place that `nobody` can read, and only root can write.
    """
    if chosen := os.environ.get("EMBEDDED_POSTGRES_CACHE"):
        caches = Path(chosen)
    elif os.geteuid() == 0:
        caches = Path("/var/cache")
    else:
        caches = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
    root = caches / _FOLDER
    try:
        root = root.expanduser()
        if not root.is_dir():
            root.mkdir(parents=True, exist_ok=True)
            root.chmod(0o755)  # whatever the umask is
    except (OSError, RuntimeError) as error:
        raise ServerError(
            f"cannot make the cache folder {root} ({error}): "
            "set EMBEDDED_POSTGRES_CACHE to a folder that you can write"
        ) from error
    return root


@contextmanager
def _locked(folder: Path) -> Generator[None]:
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@functools.cache
def _build(binaries: Path) -> str:
    """Name a build of the server by its content, so that a rebuilt one is not mixed."""
    with (binaries / "postgres").open("rb") as program:
        digest = hashlib.file_digest(program, "sha256").hexdigest()
    return f"{version(binaries)}-{digest[:12]}"


def _can_run(binaries: Path) -> bool:
    try:
        asked = subprocess.run(
            [binaries / "initdb", "--version"],
            capture_output=True,
            check=False,
            cwd="/",
            env=ENVIRONMENT,
            **account(),
        )
    except PermissionError:
        return False
    return asked.returncode == 0


def _copy(binaries: Path, to: Path) -> None:
    """Copy what the server needs, in the layout its relative paths rely on.

    A wheel keeps its shared libraries beside its package, in `<package>.libs`.
    """
    prefix, package = binaries.parent, binaries.parent.parent
    libraries = package.with_name(f"{package.name}.libs")
    unneeded = shutil.ignore_patterns("*.a", "pgxs", "pkgconfig", "doc")
    copied = to / "server" / prefix.name
    (copied / "bin").mkdir(parents=True)
    for program in ("postgres", "initdb"):
        shutil.copy(binaries / program, copied / "bin")
    for folder in ("lib", "share"):
        shutil.copytree(prefix / folder, copied / folder, ignore=unneeded)
    if libraries.is_dir():
        shutil.copytree(libraries, to / libraries.name)
    for path in (to, *to.rglob("*")):  # whatever the umask was, here or at the source
        path.chmod(0o755)
    os.sync()  # before the rename makes it count, lest a power cut leave empty files


def _initdb(binaries: Path, to: Path) -> None:
    to.mkdir(mode=0o700)
    give(to)
    password = to / "password"
    password.touch(mode=0o600)
    give(password)
    password.write_text(secrets.token_hex(16))
    made = subprocess.run(
        [
            binaries / "initdb",
            f"--pgdata={to / 'data'}",
            f"--pwfile={password}",
            *_CLUSTER_OPTIONS,
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env=ENVIRONMENT,
        **account(),
    )
    if made.returncode != 0:
        raise ServerError(f"initdb failed ({binaries}):\n{made.stderr.strip()}")
