# Generated from store/_async/loans.py by tools/make_sync.py. DO NOT EDIT.
"""Who has borrowed a connection, so that nobody waits for what they hold themselves."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING
from weakref import ref

from store import errors

from .waiting import caller

if TYPE_CHECKING:
    from .pool import Pool, PoolConnection


class Loan:
    """A block of `connection` or `transaction`, from its beginning to its end.

    It lasts as long as the connection says so: nothing has to be undone at the end, so
    no interrupt can keep it from being undone.
    """

    __slots__ = ("borrower", "conn", "outer", "pool")

    def __init__(self, pool: Pool, conn: PoolConnection) -> None:
        self.pool = pool
        self.conn = ref(conn)
        self.borrower = caller()
        outer: Loan | None = _innermost.get()
        while outer and not outer.lasts():
            outer = outer.outer
        self.outer: Loan | None = outer

    def lasts(self) -> bool:
        """Tell whether the connection is still lent."""
        conn = self.conn()
        return conn is not None and conn.loan is self

    def begin(self) -> None:
        """Have it known to what the same task (or thread) calls."""
        _innermost.set(self)

    def end(self) -> None:
        """Forget it, where it is known."""
        if _innermost.get() is self:
            _innermost.set(self.outer)


# Tasks inherit it from the one that started them; the borrower tells whose it is.
_innermost: ContextVar[Loan | None] = ContextVar("innermost loan", default=None)


def refuse_nested(pool: Pool, method: str) -> None:
    """Refuse a call from within a block of the same task (or thread).

    Raises:
        NestedCall: it would take a second connection, or wait for its own locks.
    """
    loan = _innermost.get()
    while loan:
        if loan.pool is pool and loan.lasts() and loan.borrower == caller():
            raise errors.NestedCall(method)
        loan = loan.outer
