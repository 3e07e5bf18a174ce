"""The data layer of a chat-commerce backend.

`Store` blocks, `AsyncStore` awaits; both have the same methods. Single queries are the
functions of the package `generated`, called with `store.connection()`.
"""

from generated.internal.order_steps import (
    ListItemsPaidTwiceRow,
    ListOrdersRow,
    ListOrdersWithoutDigestRow,
    ListPaymentsWithoutOrderRow,
    PageOrdersRow,
)

from . import addresses, errors
from ._async.replica import AsyncReplica
from ._async.store import AsyncStore
from ._sync.replica import Replica
from ._sync.store import Store
from .chain import ChainCursor, RecordedPage
from .checkouts import CheckoutLine, PlacedOrder
from .errors import StoreError
from .orders import (
    ForgottenEvents,
    GivenUpOrder,
    OrderPage,
    ReceivedEvent,
    RecordedDeposit,
)
from .pages import CursorPage, Page
from .products import CartAddition, Product
from .settings import Settings
from .statistics import Observer, PoolStatistics, RoundTrip
from .webhooks import OrderEvent

__all__ = [
    "AsyncReplica",
    "AsyncStore",
    "CartAddition",
    "ChainCursor",
    "CheckoutLine",
    "CursorPage",
    "ForgottenEvents",
    "GivenUpOrder",
    "ListItemsPaidTwiceRow",
    "ListOrdersRow",
    "ListOrdersWithoutDigestRow",
    "ListPaymentsWithoutOrderRow",
    "Observer",
    "OrderEvent",
    "OrderPage",
    "Page",
    "PageOrdersRow",
    "PlacedOrder",
    "PoolStatistics",
    "Product",
    "ReceivedEvent",
    "RecordedDeposit",
    "RecordedPage",
    "Replica",
    "RoundTrip",
    "Settings",
    "Store",
    "StoreError",
    "addresses",
    "errors",
]
