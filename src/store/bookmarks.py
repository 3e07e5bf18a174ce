"""How far a database is, as an opaque text, so that no read shows less than a write.

A bookmark names the system (of which every replica has the same identifier), the
timeline (a new one begins at each promotion) and the place in its write-ahead log.
"""

from __future__ import annotations

import struct
from base64 import b64decode, urlsafe_b64encode
from binascii import Error as NoBase64
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Self
from zlib import crc32

from .errors import InvalidValue

if TYPE_CHECKING:
    from generated.internal.sessions import GetWalPositionRow

# Version, system, timeline, position; then a checksum, which finds what was cut off or
# mixed up on its way. It is no signature. A multiple of 3 bytes, so that nothing is
# padded with `=`, which cookies would have to quote.
_FORMAT = struct.Struct(">3sqIq")
_CHECKSUM = struct.Struct(">I")
_VERSION = b"wp1"
_LENGTH = (_FORMAT.size + _CHECKSUM.size) * 4 // 3


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the write-ahead log of a system.

    ``received_timeline`` is the one that a standby receives, if it is known: it replays
    that one, or one that it branches off from.
    """

    system_id: int
    timeline: int
    lsn: int
    received_timeline: int | None = None

    @classmethod
    def of(cls, row: GetWalPositionRow) -> Self:
        """Take it from what a server says."""
        return cls(row.system_id, row.timeline, row.position, row.received_timeline)

    @classmethod
    def parse(cls, bookmark: str) -> Self:
        """Read a bookmark.

        Raises:
            InvalidValue: it is none, or not all of one.
        """
        # First, since what somebody sends may be long; and b64decode passes over a `=`.
        if len(bookmark) != _LENGTH:
            raise InvalidValue("a text that bookmark() gave", place="bookmark")
        try:
            data = b64decode(bookmark.encode("ascii"), b"-_", validate=True)
            version, *parts = _FORMAT.unpack(data[: _FORMAT.size])
            (checksum,) = _CHECKSUM.unpack(data[_FORMAT.size :])
            if version == _VERSION and checksum == crc32(data[: _FORMAT.size]):
                return cls(*parts)
        except (NoBase64, UnicodeEncodeError, struct.error):
            pass
        raise InvalidValue("a text that bookmark() gave", place="bookmark")

    def bookmark(self) -> str:
        """Write it as 36 characters that go into a cookie, a header or a URL.

        Of a standby, with the timeline that it receives: what it knows of its own may
        be older than what it shows, and whoever has come past that covers all of it.
        """
        timeline = max(self.timeline, self.received_timeline or 0)
        data = _FORMAT.pack(_VERSION, self.system_id, timeline, self.lsn)
        return urlsafe_b64encode(data + _CHECKSUM.pack(crc32(data))).decode("ascii")

    def later(self, other: Self | None) -> Self:
        """Give the one of both that covers the other."""
        return self if other is None or self.covers(other) else other

    def covers(self, other: Position) -> bool:
        """Tell whether whoever is here has all that was committed there, and remains.

        A newer timeline has all of an older one that was there as it branched off; what
        was not, is nowhere any more.

        Raises:
            InvalidValue: the other one is of another system.
        """
        if self.system_id != other.system_id:
            raise InvalidValue("a bookmark of this database system", place="bookmark")
        if self.timeline != other.timeline:
            if self.timeline > other.timeline:
                return True
            if self._follows_older(other):
                return False
        return self.lsn >= other.lsn

    def behind(self, other: Position) -> int | None:
        """Give the bytes from here to there; None from an older timeline."""
        return None if self._follows_older(other) else other.lsn - self.lsn

    def _follows_older(self, other: Position) -> bool:
        return max(self.timeline, self.received_timeline or 0) < other.timeline


class Writes:
    """What a tracked store has committed: up to where, as far as it was told.

    A tracked store of a tracked store tells both. Many tasks (or threads) may use one.
    """

    def __init__(self, outer: Writes | None) -> None:
        self.position: Position | None = None
        self._outer = outer
        self._lock = Lock()
        # How many commits may be untold, of those how many an answer covers, and how
        # many blocks may commit at any moment.
        self._untold = self._covered = self._open = 0

    @property
    def are_untold(self) -> bool:
        """Whether more was, or may have been, after which the server was not asked."""
        return self._open > 0 or self._untold > self._covered

    def asking(self) -> int:
        """Give what an answer covers to a question that is put from now on."""
        return self._untold

    def reach(self, position: Position | None) -> None:
        """Note how far the log was after a commit; of several at once, the farthest.

        That of another system counts alone: the one before was replaced by it.
        """
        if position is None:
            self.leave_untold()
            return
        with self._lock:
            last = self.position
            if (
                last is None
                or last.system_id != position.system_id
                or position.covers(last)
            ):
                self.position = position
        if self._outer is not None:
            self._outer.reach(position)

    def cover(self, asked: int, position: Position) -> None:
        """Note the answer to a question."""
        self.reach(position)
        with self._lock:
            self._covered = max(self._covered, asked)

    def leave_untold(self) -> None:
        """Note that something may have been committed, and nobody knows up to where."""
        with self._lock:
            self._untold += 1
        if self._outer is not None:
            self._outer.leave_untold()

    def begin_singles(self) -> None:
        """Note that from now on any statement may commit by itself."""
        with self._lock:
            self._open += 1
        if self._outer is not None:
            self._outer.begin_singles()

    def end_singles(self) -> None:
        """Note that this is over."""
        with self._lock:
            self._untold += 1
            self._open -= 1
        if self._outer is not None:
            self._outer.end_singles()
