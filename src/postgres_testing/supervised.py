"""A server process in a folder of its own, both gone as soon as their owner is.

The owner holds one end of a pipe, a small shell the other. When the pipe closes, by
the owner's will or by its death, the shell stops the server and removes the folder.
The shell leads a session of its own, so that Ctrl-C at the terminal passes it by.
A process the owner forks (without starting a program in it) holds the pipe, too.
"""

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Self

from postgres_testing import server_cache
from postgres_testing.server_cache import ServerError

__all__ = ["SupervisedServer", "sweep"]

# $1: the cluster to copy, $2: the server's folder, $3: the server, then its arguments.
# Standard input is the pipe, standard output keeps the folder's lock, standard error
# is the log. The loop: a shell's background program ignores SIGQUIT until it installs
# a handler of its own, so that a single signal might be lost.
_SUPERVISOR = """
umask 077
cluster=$1 folder=$2 server=$3
shift 3
exec 3<&0
if cp -R "$cluster" "$folder/data"; then
    "$server" -D "$folder/data" "$@" </dev/null >&2 3<&- &
    server=$!
    {
        read -r _
        for _ in 1 2 3 4 5 6 7 8 9 10; do
            kill -QUIT $server || break
            sleep 0.2
        done
    } <&3 2>/dev/null &
    stopper=$!
    wait $server
    kill $stopper
fi
[ -e "$folder/saving" ] || rm -rf "$folder"
"""

_PREFIX = "postgres-for-tests-"
_START_SECONDS = 60.0
_LOG_TAIL_LINES = 15


class SupervisedServer:
    """A running `postgres`, to be ended by `stop`."""

    def __init__(
        self,
        folder: Path,
        lock: int,
        log: IO[str],
        supervisor: "subprocess.Popen[bytes]",
    ) -> None:
        self.folder = folder
        self._lock = lock
        self._log = log
        self._supervisor = supervisor
        self._is_left = False

    @classmethod
    def launch(
        cls, program: Path, arguments: Sequence[str], *, cluster: Path, directory: Path
    ) -> Self:
        """Start `program` on a copy of `cluster`, in a new folder in `directory`.

        Returns when it takes connections. Raises ServerError, with the end of its log,
        where it ends instead or takes too long.
        """
        folder, lock = _make_folder(directory)
        log = (folder / "log").open("w+")
        supervisor = subprocess.Popen(
            ["/bin/sh", "-c", _SUPERVISOR, "sh", cluster, folder, program, *arguments],
            stdin=subprocess.PIPE,
            stdout=lock,
            stderr=log,
            cwd="/",
            env=server_cache.ENVIRONMENT,
            start_new_session=True,
            **server_cache.account(),
        )
        server = cls(folder, lock, log, supervisor)
        try:
            server._wait_until_ready()
        except BaseException:
            server.stop()
            raise
        return server

    def stop(self) -> None:
        """End the server at once, without saving anything, and remove its folder.

        Does nothing to a server that was left running.
        """
        if self._is_left:
            return
        if self._supervisor.stdin is not None:
            self._supervisor.stdin.close()
        self._supervisor.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
        self._log.close()
        os.close(self._lock)

    def save(self, to: Path) -> None:
        """End the server in order, and move its data to a new folder.

        That has to be on the disk of the server's own folder. Call `stop` then, too.
        """
        (self.folder / "saving").touch()
        os.kill(self._process_id(), signal.SIGINT)
        self._supervisor.wait()
        (self.folder / "data").rename(to)

    def leave(self, seconds: int) -> int:
        """Have the server outlive its owner, for so long at most.

        The process whose id this gives holds the pipe then: its end is the server's.
        """
        assert self._supervisor.stdin is not None
        # The shell's own background job would have its standard input closed.
        holder = subprocess.check_output(
            ["/bin/sh", "-c", f"exec 3<&0; sleep {seconds} >/dev/null 2>&1 & echo $!"],
            stdin=self._supervisor.stdin,
            start_new_session=True,
        )
        self._supervisor.stdin.close()
        self._log.close()
        self._supervisor.returncode = 0  # or Python would warn that it still runs
        self._is_left = True
        return int(holder)

    def _process_id(self) -> int:
        return int((self.folder / "data/postmaster.pid").read_text().split()[0])

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not self._is_ready():
            if self._supervisor.poll() is not None:
                raise ServerError(f"the server did not start:\n{self._log_tail()}")
            if time.monotonic() > deadline:
                raise ServerError(
                    f"the server is not ready after {_START_SECONDS:.0f} s:\n"
                    f"{self._log_tail()}"
                )
            time.sleep(0.005)

    def _log_tail(self) -> str:
        """Give the last lines of the log, also when its file has gone."""
        self._log.seek(0)
        return "".join(self._log.readlines()[-_LOG_TAIL_LINES:]).strip()

    def _is_ready(self) -> bool:
        """Read what the server says of itself, as pg_ctl does: line 8 is its state."""
        try:
            lines = (self.folder / "data" / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[7].strip() == "ready"


def sweep(directory: Path) -> None:
    """Remove the folders whose owner and shell were both killed.

    A server left over notices within a minute that its folder is gone, and ends.
    """
    for folder in directory.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):  # in use, not ours, or gone meanwhile
            if folder.lstat().st_uid == server_cache.owner_id():
                os.close(_lock(folder))
                shutil.rmtree(folder, ignore_errors=True)


def _make_folder(directory: Path) -> tuple[Path, int]:
    """Make a private folder, locked before it gets the name that `sweep` looks for."""
    try:
        made = Path(tempfile.mkdtemp(prefix=f".{_PREFIX}", dir=directory))
    except OSError as error:
        raise ServerError(
            f"cannot make a folder in {directory} ({error.strerror}): "
            "give a directory that you can write"
        ) from error
    server_cache.give(made)
    lock = _lock(made)
    return made.rename(directory / made.name.removeprefix(".")), lock


def _lock(folder: Path) -> int:
    """Lock a folder; what is locked stays so while anybody holds the descriptor.

    Raises BlockingIOError where somebody else has locked it.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
