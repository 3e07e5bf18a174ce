"""What the store raises.

::

    StoreError
    ├── ConfigurationError     a setting is missing or bad
    ├── MigrationError         a migration failed, or would go wrong
    ├── NestedCall             a method was called inside of a block of the same task
    ├── PartlyDone             it failed after a part that is committed
    ├── DatabaseError          the database refused, for a reason not named below
    │   ├── Unavailable        no connection could be had
    │   │   ├── NotOpen        the store was never opened, or is closed
    │   │   ├── PoolExhausted  all were lent for longer than the limit
    │   │   ├── ServerUnreachable
    │   │   ├── ServerNotReady
    │   │   └── AccessRefused
    │   ├── TransientError     nothing was written; the same call may succeed
    │   │   ├── ConnectionLost
    │   │   ├── PlanOutdated
    │   │   └── TransactionConflict
    │   ├── OutcomeUnknown     the reply was lost to what may have been committed
    │   ├── TimeLimitReached   nothing was written
    │   │   ├── StatementTimeout
    │   │   ├── LockTimeout
    │   │   └── TransactionTimeout
    │   ├── OutOfResources
    │   │   ├── DiskFull
    │   │   └── OutOfMemory
    │   ├── ReadOnly           the server is a standby, or the session may not write
    │   │   └── ReplicaWritten a Replica was told to write
    │   ├── ReplicaBehind      a replica does not show yet what a bookmark names
    │   ├── SchemaMismatch     the schema is not migrated, or behind
    │   ├── AlreadyExists      what one row alone may have is another's
    │   └── MissingReference   the row that another one needs is not there
    ├── InvalidValue           a value is not what it should be, wherever that was found
    ├── CheckoutRefused
    │   ├── EmptyCheckout
    │   ├── RepeatedItem
    │   ├── ItemUnavailable
    │   └── PriceChanged
    ├── TooMany                more of something in one call than a setting allows
    ├── Undecryptable          what is stored is no token of this row and key ring
    ├── WrongCartService       CART_SERVICE gives the carts another writer
    ├── ChainCursorMoved       another worker has recorded the chain's next page
    ├── ChainEventNotFound     no event of this id is set aside
    ├── CartFull               the cart has CART_MAX_ITEMS items
    ├── CartItemNotFound
    ├── CartItemOrdered        an order has the item
    ├── UserNotFound
    ├── UserHasOpenOrders
    ├── WalletAlreadyActive    a wallet has its address and key for good
    ├── WalletNotPending
    ├── OrderNotFound
    ├── OrderNotCancellable
    ├── ChatSessionNotFound
    ├── ChatOvertaken          somebody else saved the chat session meanwhile
    └── WebhookError
        └── SignatureInvalid

No message holds a row's values, a password or a key: what the caller may want to
know is in attributes. The driver's own error, whose text does hold values, is not
chained. All of them can be pickled and copied.

``retryable`` says whether the same call, made again, may succeed and can do no harm.
docs/errors.md has the table of them, with what an API answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from generated.enums import OrderStatus, WalletStatus

    from .chain import ChainCursor


class StoreError(Exception):
    """The root of all that the store raises on purpose.

    Attribute: ``retryable``, whether the same call may succeed, and can do no harm.
    """

    retryable: bool = False

    def __reduce__(self) -> tuple[Any, ...]:
        """Keep message and attributes, whatever the constructor takes."""
        return _restored, (type(self), self.args, self.__dict__)


def _restored(
    kind: type[StoreError], args: tuple[object, ...], attributes: dict[str, object]
) -> StoreError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(attributes)
    return error


class ConfigurationError(StoreError):
    """A setting is missing or bad."""


class MigrationError(StoreError):
    """What was asked could not be done, or would have gone wrong.

    Attribute: ``sqlstate`` (five characters, None if it is no refusal of the server's).
    """

    def __init__(self, message: str, *, sqlstate: str | None = None) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate


class DatabaseError(StoreError):
    """The database refused.

    Attributes: ``sqlstate`` (five characters, None if the server did not answer),
    ``constraint``, ``table`` and ``column``, each None where the server names none.
    """

    def __init__(
        self,
        message: str,
        *,
        sqlstate: str | None = None,
        constraint: str | None = None,
        table: str | None = None,
        column: str | None = None,
    ) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate
        self.constraint = constraint
        self.table = table
        self.column = column


class Unavailable(DatabaseError):
    """No connection could be had."""

    retryable = True


class NotOpen(Unavailable):
    """The store was never opened, or is closed."""

    retryable = False

    def __init__(self, *, was_open: bool) -> None:
        super().__init__(
            "the store is closed"
            if was_open
            else "the store is not open: use it in a `with` block, or call open()"
        )


class PoolExhausted(Unavailable):
    """All connections were lent for longer than the limit ``acquire``."""

    def __init__(self, size: int, seconds: float) -> None:
        super().__init__(
            f"none of the {size} connections was given back within {seconds:g} s"
        )


class ServerUnreachable(Unavailable):
    """Nobody answers at the place that DATABASE_URL names."""


class ServerNotReady(Unavailable):
    """The server is starting or shutting down, or has no room for a connection."""


class AccessRefused(Unavailable):
    """The server does not let DATABASE_URL in: user, password, database or host."""

    retryable = False


class TransientError(DatabaseError):
    """Nothing was written, and the same call may succeed.

    Attribute: ``was_repeated``, whether the store has tried it anew, and gave up.
    """

    retryable = True
    was_repeated: bool = False


class ConnectionLost(TransientError):
    """The connection died before anything could be committed."""


class PlanOutdated(TransientError):
    """A column changed its type under a prepared statement, which is forgotten now."""


class TransactionConflict(TransientError):
    """A deadlock or serialization failure: another transaction went first."""


class OutcomeUnknown(DatabaseError):
    """The connection died when it may have been committed already.

    Raised by a method of the store it is ``retryable``: the same call finds what is
    done already, and does no harm. In a block of your own, look whether your rows are
    there.
    """


class TimeLimitReached(DatabaseError):
    """It took longer than a limit allows; nothing was written."""

    retryable = True


class StatementTimeout(TimeLimitReached):
    """A statement took longer than its limit, or somebody cancelled it."""


class LockTimeout(TimeLimitReached):
    """Somebody else held a lock for longer than the limit ``lock``."""


class TransactionTimeout(TimeLimitReached):
    """A transaction took longer than the limit ``transaction``."""


class OutOfResources(DatabaseError):
    """The server has not enough of something; nothing was written."""

    retryable = True


class DiskFull(OutOfResources):
    """The server's disk is full."""


class OutOfMemory(OutOfResources):
    """The server has no memory left for this."""


class ReadOnly(DatabaseError):
    """The server is a standby, or the session may not write."""

    retryable = True


class ReplicaWritten(ReadOnly):
    """A `Replica`, or the store that stands in for it, was told to write."""

    retryable = False


class ReplicaBehind(DatabaseError):
    """A replica does not show yet what a bookmark names; nothing was read.

    Attribute: ``behind``, how many bytes of the write-ahead log it has still to replay
    (None: it follows an older timeline than the bookmark's, as far as its role may
    see).
    """

    retryable = True

    def __init__(self, behind: int | None) -> None:
        super().__init__(
            "the replica follows an older timeline than the bookmark's, or its role may"
            " not see which: have it follow the new primary, GRANT pg_read_all_stats"
            if behind is None
            else f"the replica is {behind} bytes of WAL behind the bookmark:"
            " read later, or from the primary"
        )
        self.behind = behind


class SchemaMismatch(DatabaseError):
    """A table, column, type or function is not there: migrate the database."""


class AlreadyExists(DatabaseError):
    """What one row alone may have is another's already; nothing was written.

    Attribute: ``constraint``, the name of the rule.
    """


class MissingReference(DatabaseError):
    """The row that another one refers to does not exist; ``constraint`` names it."""


class InvalidValue(StoreError):
    """A value is not what it should be; nothing was written.

    Attributes: ``expected``, what it should be, in words; ``place``, the parameter or
    the place in it, such as ``messages[2].parts[0].text`` (None where that is not
    known); and where the database refused it, ``sqlstate`` and as far as the server
    names them ``constraint``, ``table`` and ``column``, else None.
    """

    def __init__(
        self,
        expected: str,
        *,
        place: str | None = None,
        sqlstate: str | None = None,
        constraint: str | None = None,
        table: str | None = None,
        column: str | None = None,
    ) -> None:
        # The database's are sentences of their own, which name the rule.
        phrase = expected if sqlstate else f"expected {expected}"
        super().__init__(f"{place}: {phrase}" if place else phrase)
        self.expected = expected
        self.place = place
        self.sqlstate = sqlstate
        self.constraint = constraint
        self.table = table
        self.column = column


class NestedCall(StoreError):
    """A method was called inside of a block of the same task (or thread).

    It would take a second connection while the block holds one, and wait for its locks.
    Attribute: ``method``.
    """

    def __init__(self, method: str) -> None:
        super().__init__(
            f"{method} was called inside of a block of connection() or transaction():"
            " call it outside, or on store.within(conn) in a transaction"
        )
        self.method = method


class PartlyDone(StoreError):
    """A call that commits in several transactions failed after the first of them.

    What those wrote stays, and the same call again goes on from there. Attributes:
    ``done``, what the call would have given had it ended there, and ``reason``, the
    error that ended it. ``retryable`` as that one is.
    """

    def __init__(self, done: object, reason: StoreError) -> None:
        super().__init__(f"a part of it is committed, then: {reason}")
        self.done = done
        self.reason = reason
        # What is done already is found by the next call.
        self.retryable = reason.retryable or isinstance(reason, OutcomeUnknown)


class CheckoutRefused(StoreError):
    """A checkout was refused; nothing was written."""


class EmptyCheckout(CheckoutRefused):
    """No line was given."""

    def __init__(self) -> None:
        super().__init__("a checkout needs at least one line")


class RepeatedItem(CheckoutRefused):
    """Two lines name one cart item or Crossmint order: ``field``."""

    def __init__(self, field: str) -> None:
        super().__init__(f"two lines of the checkout have the same {field}")
        self.field = field


class ItemUnavailable(CheckoutRefused):
    """Items are not in the user's cart now: ``cart_item_ids``, as the lines named them.

    They were taken or removed, or are somebody else's.
    """

    def __init__(self, cart_item_ids: Iterable[UUID | str]) -> None:
        self.cart_item_ids = frozenset(cart_item_ids)
        super().__init__(f"not in the user's cart: {_listed(self.cart_item_ids)}")


class PriceChanged(CheckoutRefused):
    """Items cost another price than their lines expect: ``cart_item_ids``."""

    def __init__(self, cart_item_ids: Iterable[UUID]) -> None:
        self.cart_item_ids = frozenset(cart_item_ids)
        super().__init__(f"of another price now: {_listed(self.cart_item_ids)}")


class TooMany(StoreError):
    """One call was given more than it may have; nothing was read or written.

    Attributes: ``what`` (such as lines), how many were ``given``, the ``limit``, and
    the ``setting`` that it is from.
    """

    def __init__(self, what: str, given: int, limit: int, setting: str) -> None:
        super().__init__(
            f"{given} {what} in one call are more than {limit}: give fewer at a time,"
            f" or set {setting}"
        )
        self.what = what
        self.given = given
        self.limit = limit
        self.setting = setting


class Undecryptable(StoreError):
    """A token was changed, cut off or copied here, or its key is not in the ring."""

    def __init__(self, user_id: UUID, column: str) -> None:
        super().__init__(
            f"the {column} of user {user_id} does not decrypt: its key is missing in"
            " WALLET_ENCRYPTION_KEYS, or it was not encrypted for this row"
        )
        self.user_id = user_id
        self.column = column


class WrongCartService(StoreError):
    """The call writes carts for another CART_SERVICE than is set: ``required``."""

    def __init__(self, required: str) -> None:
        super().__init__(f"this writes carts only where CART_SERVICE is {required}")
        self.required = required


class ChainCursorMoved(StoreError):
    """A page was asked for with another cursor than is stored; nothing was written.

    Attribute: ``stored``, the cursor to go on from (None: the beginning).
    """

    def __init__(self, stored: ChainCursor | None) -> None:
        super().__init__(
            "the chain's events are recorded up to another place than this page was"
            " asked with: ask for the page after the stored cursor"
        )
        self.stored = stored


class ChainEventNotFound(StoreError):
    """No event is set aside with this id: none was, or it is recorded by now.

    Attribute: ``event_id``.
    """

    def __init__(self, event_id: UUID) -> None:
        super().__init__(f"no event {event_id} is set aside")
        self.event_id = event_id


class CartFull(StoreError):
    """The cart has as many items as it may have: ``limit``, from CART_MAX_ITEMS."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the cart is full: it has {limit} items or more")
        self.limit = limit


class CartItemNotFound(StoreError):
    """The user never had this item; ``item`` is what it was named by."""

    def __init__(self, item: UUID | str) -> None:
        super().__init__(f"the user has no cart item {item}")
        self.item = item


class CartItemOrdered(StoreError):
    """The item is out of the cart because an order has it; nothing was written.

    Attributes: ``cart_item_id``, ``order_id`` and ``status``, what the order is.
    """

    def __init__(self, cart_item_id: UUID, order_id: UUID, status: OrderStatus) -> None:
        super().__init__(
            f"order {order_id}, which is {status}, has the cart item {cart_item_id}"
        )
        self.cart_item_id = cart_item_id
        self.order_id = order_id
        self.status = status


class UserNotFound(StoreError):
    """There is no user with this id."""

    def __init__(self, user_id: UUID) -> None:
        super().__init__(f"there is no user {user_id}")
        self.user_id = user_id


class UserHasOpenOrders(StoreError):
    """Orders of the user are neither delivered nor cancelled: ``order_ids``."""

    def __init__(self, user_id: UUID, order_ids: Iterable[UUID]) -> None:
        self.user_id = user_id
        self.order_ids = frozenset(order_ids)
        super().__init__(
            f"user {user_id} has open orders, which must be delivered or cancelled"
            f" first: {_listed(self.order_ids)}"
        )


class WalletAlreadyActive(StoreError):
    """The user's wallet is active, with another address or key than were given."""

    def __init__(self, user_id: UUID) -> None:
        super().__init__(
            f"the wallet of user {user_id} is active, and keeps its address and key"
        )
        self.user_id = user_id


class WalletNotPending(StoreError):
    """The user's wallet is not being provisioned; ``status`` says what it is."""

    def __init__(self, user_id: UUID, status: WalletStatus) -> None:
        super().__init__(f"the wallet of user {user_id} is {status}, not pending")
        self.user_id = user_id
        self.status = status


class OrderNotFound(StoreError):
    """The user has no order with this id, or nobody one of this Crossmint id.

    Attributes: ``order_id`` and ``crossmint_order_id``, one of which is None.
    """

    def __init__(
        self, order_id: UUID | None = None, *, crossmint_order_id: str | None = None
    ) -> None:
        super().__init__(
            f"the user has no order {order_id}"
            if order_id
            else "no checkout has this Crossmint order"
        )
        self.order_id = order_id
        self.crossmint_order_id = crossmint_order_id


class OrderNotCancellable(StoreError):
    """It is no checkout that is awaiting approval; ``status`` says what it is."""

    def __init__(self, order_id: UUID, status: OrderStatus) -> None:
        super().__init__(
            f"order {order_id} cannot be cancelled: it is {status}, and only a checkout"
            " that is awaiting_approval can be"
        )
        self.order_id = order_id
        self.status = status


class ChatSessionNotFound(StoreError):
    """The user has no chat session with this id."""

    def __init__(self, session_id: UUID) -> None:
        super().__init__(f"the user has no chat session {session_id}")
        self.session_id = session_id


class ChatOvertaken(StoreError):
    """The chat session was saved since the version that a save named.

    Nothing was written: read the session and its messages again. Attribute:
    ``session_id``.
    """

    def __init__(self, session_id: UUID) -> None:
        super().__init__(
            f"the chat session {session_id} was saved since the version that was named"
        )
        self.session_id = session_id


class WebhookError(StoreError):
    """A webhook was not accepted; nothing was written."""


class SignatureInvalid(WebhookError):
    """None of the secrets signed this body, or its time is too far off."""


def _listed(ids: Iterable[UUID | str]) -> str:
    return ", ".join(sorted(map(str, ids)))
