"""How a task waits for an answer: piece by piece, without being woken for each."""

from __future__ import annotations

import asyncio
import fcntl
import gc
import resource
import select
import socket
from collections.abc import Generator
from contextlib import ExitStack, suppress
from pathlib import Path
from traceback import walk_tb
from typing import Any
from weakref import ref

import psycopg
import pytest
from psycopg.abc import PQGen
from psycopg.errors import _WaitTimeout  # pyright: ignore[reportPrivateUsage]
from psycopg.waiting import Ready, Wait

from store._async import waiting
from store._async.waiting import round_trip

_Ends = tuple[socket.socket, socket.socket]
_OPEN = Path("/proc/self/fd")


@pytest.fixture
def ends() -> Generator[_Ends]:
    """Give both ends of a connection, ours first."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        yield ours, theirs


@pytest.fixture(params=["epoll", "none"])
def _epoll(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run where sockets are waited for by an epoll, and as if there were none."""
    if request.param == "none":
        monkeypatch.delattr("select.epoll")


def answer(ours: socket.socket, size: int) -> PQGen[bytes]:
    """Receive so many bytes, as the driver receives a result."""
    received = b""
    while len(received) < size:
        ready = yield Wait.R
        if ready & Ready.R:
            received += ours.recv(1)
    return received


def test_an_answer_in_pieces_wakes_its_task_once(ends: _Ends) -> None:
    """Whatever it comes in, the task that waits runs again at its end."""
    ours, theirs = ends
    wakes = 0

    class Counted:
        """Counts how often what waits for it is sent something."""

        def __await__(self) -> Generator[Any, Any, bytes]:
            nonlocal wakes
            waiting = round_trip(answer(ours, 50), ours.fileno(), 10, 10).__await__()
            with suppress(StopIteration):
                while True:
                    yield next(waiting)
                    wakes += 1
            return b""

    async def both() -> None:
        async def send() -> None:
            for _ in range(50):
                theirs.send(b"x")
                await asyncio.sleep(0)

        sending = asyncio.create_task(send())
        await Counted()
        await sending

    asyncio.run(both())
    assert wakes == 1


def test_what_must_be_written_afterwards_is(ends: _Ends) -> None:
    """A round trip that reads first, and then has to write, is done to its end."""
    ours, theirs = ends

    def read_and_write() -> PQGen[str]:
        yield Wait.R
        ours.recv(1)
        ready = yield Wait.RW
        assert ready & Ready.W
        ours.send(b"y")
        yield Wait.R
        return ours.recv(1).decode()

    async def both() -> str:
        theirs.send(b"xz")
        return await round_trip(read_and_write(), ours.fileno(), 10, 10)

    assert asyncio.run(both()) == "z"
    assert theirs.recv(1) == b"y"


def test_a_process_of_many_files_writes_too(ends: _Ends) -> None:
    """A socket's number may be above those that select() takes."""
    ours, theirs = ends
    number = 1500
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, number + 1), hard))
    high = socket.socket(fileno=fcntl.fcntl(ours, fcntl.F_DUPFD, number))

    def write_and_read() -> PQGen[bytes]:
        ready = yield Wait.RW
        assert ready & Ready.W
        high.send(b"y")
        yield Wait.R
        return high.recv(1)

    async def both() -> bytes:
        theirs.send(b"z")
        return await round_trip(write_and_read(), high.fileno(), 10, 10)

    with high:
        assert asyncio.run(both()) == b"z"
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Held:
    """Something that a round trip has in its hands."""


def test_an_error_has_its_frames_and_holds_nothing(ends: _Ends) -> None:
    """It tells where it was raised, and leaves no circle that keeps what was in use."""
    ours, theirs = ends
    seen: list[ref[Held]] = []
    names: list[str] = []

    def failing() -> PQGen[None]:
        held = Held()
        seen.append(ref(held))
        yield Wait.R
        raise psycopg.DataError("no such thing")

    async def fail() -> None:
        theirs.send(b"x")
        try:
            await round_trip(failing(), ours.fileno(), 10, 10)
        except psycopg.DataError as error:
            names.extend(f.f_code.co_name for f, _ in walk_tb(error.__traceback__))

    gc.collect()
    gc.disable()
    try:
        asyncio.run(fail())
        assert seen[0]() is None
    finally:
        gc.enable()
    assert "failing" in names


@pytest.mark.usefixtures("_epoll")
@pytest.mark.parametrize("seconds", [0.01, None], ids=["too late", "cancelled"])
def test_who_gives_up_leaves_the_socket_to_others(
    ends: _Ends, seconds: float | None
) -> None:
    """After a limit of time or a cancellation the loop no longer knows the socket."""
    ours, theirs = ends
    trip = answer(ours, 2)
    expected = _WaitTimeout if seconds else asyncio.CancelledError

    async def give_up() -> bytes:
        waiting = asyncio.create_task(round_trip(trip, ours.fileno(), 10, seconds))
        if seconds is None:
            await asyncio.sleep(0)
            waiting.cancel()
        with pytest.raises(expected):
            await waiting
        assert not asyncio.get_running_loop().remove_reader(ours.fileno())
        # What was begun can be gone on with.
        theirs.send(b"ab")
        return await round_trip(resumed(trip), ours.fileno(), 10, 10)

    def resumed(begun: PQGen[bytes]) -> PQGen[bytes]:
        state = begun.send(Ready.NONE)
        while True:
            ready = yield state
            try:
                state = begun.send(ready)
            except StopIteration as done:
                return bytes(done.value)

    assert asyncio.run(give_up()) == b"ab"


def test_a_lost_connections_number_is_free_for_the_next(ends: _Ends) -> None:
    """The driver closes the socket as it finds the other end gone.

    Whoever opens one before the task of the lost one runs again is given its number.
    """
    ours, theirs = ends
    number = ours.fileno()
    arrived = asyncio.Event()

    def lost() -> PQGen[None]:
        yield Wait.R
        # As another task may that runs first.
        asyncio.get_running_loop().call_soon(open_next)
        ours.close()
        raise psycopg.OperationalError("the server has gone")

    near, far = socket.socketpair()

    def open_next() -> None:
        assert fcntl.fcntl(near, fcntl.F_DUPFD, number) == number
        asyncio.get_running_loop().add_reader(number, arrived.set)

    async def both() -> None:
        theirs.send(b"x")
        with pytest.raises(psycopg.OperationalError, match="has gone"):
            await round_trip(lost(), number, 10, 10)
        far.send(b"y")
        await asyncio.wait_for(arrived.wait(), 5)
        asyncio.get_running_loop().remove_reader(number)

    with near, far:
        asyncio.run(both())
    socket.socket(fileno=number).close()


def test_a_socket_that_is_closed_meanwhile_is_told(ends: _Ends) -> None:
    """Where the connection is shut by somebody else, the wait ends with an error."""
    ours, _ = ends

    def looking() -> PQGen[None]:
        while True:
            yield Wait.R
            if ours.fileno() < 0:
                raise psycopg.OperationalError("the connection is closed")

    async def both() -> None:
        waiting = asyncio.create_task(round_trip(looking(), ours.fileno(), 0.01, 10))
        await asyncio.sleep(0)
        ours.close()
        with pytest.raises(psycopg.OperationalError, match="is closed"):
            await waiting

    asyncio.run(both())


@pytest.mark.usefixtures("_epoll")
def test_each_ends_in_its_own_time() -> None:
    """A short limit ends a wait beside a longer one, which goes on to its answer."""

    async def both(slow: _Ends, hurried: _Ends) -> tuple[bytes, bytes]:
        first = asyncio.create_task(
            round_trip(answer(slow[0], 2), slow[0].fileno(), 60, 60)
        )
        await asyncio.sleep(0)
        with pytest.raises(_WaitTimeout):
            await asyncio.wait_for(
                round_trip(answer(hurried[0], 1), hurried[0].fileno(), 60, 0.01), 20
            )
        # Neither is confused with the other, nor a socket with the one before it.
        hurried[1].send(b"h")
        slow[1].send(b"ab")
        again = round_trip(answer(hurried[0], 1), hurried[0].fileno(), 60, 60)
        return await asyncio.wait_for(first, 20), await asyncio.wait_for(again, 20)

    with ExitStack() as stack:
        pairs = [socket.socketpair() for _ in range(2)]
        for ours, theirs in pairs:
            stack.enter_context(ours).setblocking(False)
            stack.enter_context(theirs)
        assert asyncio.run(both(*pairs)) == (b"ab", b"h")


@pytest.mark.usefixtures("_epoll")
def test_a_socket_is_looked_at_though_nothing_comes(ends: _Ends) -> None:
    """The driver sees at intervals whether the connection is still there."""
    ours, _ = ends
    looks: list[int] = []

    def watch() -> PQGen[None]:
        while len(looks) < 3:
            looks.append((yield Wait.R))

    async def wait() -> None:
        await asyncio.wait_for(round_trip(watch(), ours.fileno(), 0.01, None), 20)

    asyncio.run(wait())
    assert looks == [Ready.NONE] * 3


def test_the_loop_rests_though_a_child_has_a_lost_socket(
    ends: _Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was closed here is forgotten, also where a fork has it open and readable."""
    ours, theirs = ends
    # How often the loop wakes it for its epoll.
    watch, told = getattr(waiting, "_Watch"), list[None]()  # noqa: B009 - private
    read = getattr(watch, "_read")  # noqa: B009 - private

    def count(self: object, epoll: select.epoll) -> None:
        told.append(None)
        read(self, epoll)

    monkeypatch.setattr(watch, "_read", count)

    def lost() -> PQGen[None]:
        yield Wait.R
        ours.close()
        raise psycopg.OperationalError("the server has gone")

    async def lose(other: socket.socket, far: socket.socket) -> bytes:
        theirs.send(b"x")
        beside = asyncio.create_task(
            round_trip(answer(other, 1), other.fileno(), 60, 60)
        )
        with pytest.raises(psycopg.OperationalError, match="has gone"):
            await round_trip(lost(), ours.fileno(), 60, 60)
        for _ in range(100):
            await asyncio.sleep(0)
        far.send(b"a")
        return await asyncio.wait_for(beside, 20)

    with ours.dup(), ExitStack() as stack:
        other, far = (stack.enter_context(each) for each in socket.socketpair())
        other.setblocking(False)
        assert asyncio.run(lose(other, far)) == b"a"
    assert len(told) < 10


def test_what_is_waited_for_ends_with_its_loop(ends: _Ends) -> None:
    """Neither a loop nor its epoll outlives what ran in it."""
    ours, theirs = ends
    loops: list[ref[asyncio.AbstractEventLoop]] = []

    async def once() -> bytes:
        loops.append(ref(asyncio.get_running_loop()))
        theirs.send(b"x")
        return await round_trip(answer(ours, 1), ours.fileno(), 10, 10)

    gc.collect()
    before = len([*_OPEN.iterdir()])
    for _ in range(3):
        assert asyncio.run(once()) == b"x"
    gc.collect()
    assert [loop() for loop in loops] == [None] * 3
    assert len([*_OPEN.iterdir()]) == before
