"""Every signal that can be caught ends a block in order, and then the process."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from store import signals

EACH = """
import os, signal
from store import signals
ending = [*signals._ending()]
for number in ending:
    cleaned = False
    try:
        with signals.caught() as received:
            try:
                os.kill(os.getpid(), number)
                signal.pause()
            finally:
                os.kill(os.getpid(), ending[0])  # a second one does not disturb
                cleaned = True
    except signals.Ended:
        pass
    assert (received.number, cleaned) == (number, True), number
    assert signal.getsignal(number) in {signal.SIG_DFL, signal.default_int_handler}
print(*sorted(ending))
"""


def test_each_signal_is_raised_once_and_the_handlers_come_back() -> None:
    """Whichever comes, the block can clean up, and what comes then does nothing."""
    done = subprocess.run(
        [sys.executable, "-c", EACH], capture_output=True, text=True, check=True
    )
    caught = {int(number) for number in done.stdout.split()}
    wanted = "HUP INT QUIT TERM ABRT ALRM USR1 USR2 VTALRM PROF XCPU TRAP SYS"
    assert caught >= {signal.Signals[f"SIG{name}"] for name in wanted.split()}
    assert caught >= {signal.SIGRTMIN, signal.SIGRTMAX}


def test_what_ends_nothing_is_left_alone() -> None:
    """Signals that are ignored, by default or by nohup, stay so."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with signals.caught() as received:
            for number in (signal.SIGHUP, signal.SIGCHLD, signal.SIGWINCH):
                os.kill(os.getpid(), number)
        assert received.number == 0
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_signal_waits_while_it_is_held() -> None:
    """What must not be cut in two is not."""
    done = 0
    try:
        with signals.caught(), signals.held():
            # To this thread: another of the tests' would take it.
            signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
            assert signals.came()
            done = 1
    except signals.Ended:
        done += 1
    assert done == 2


def test_who_stops_reading_ends_it_in_silence(tmp_path: Path) -> None:
    """`store … | head` has no traceback: it ends as by SIGPIPE."""
    reading, writing = os.pipe()
    os.close(reading)
    command = ["migrate", f"--directory={tmp_path}", "record"]
    done = subprocess.run(
        [sys.executable, "-m", "store", *command],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, "")
