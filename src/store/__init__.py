"""The data layer of a chat-commerce backend.

`Store` blocks, `AsyncStore` awaits; both have the same methods. Single queries are the
functions of the package `generated`, called with `store.connection()`.
"""

from . import addresses, errors
from ._async.store import AsyncStore
from ._sync.store import Store
from .chain import ChainEvent, Product
from .checkouts import CheckoutLine, PlacedOrder
from .errors import StoreError
from .settings import Settings
from .webhooks import OrderEvent

__all__ = [
    "AsyncStore",
    "ChainEvent",
    "CheckoutLine",
    "OrderEvent",
    "PlacedOrder",
    "Product",
    "Settings",
    "Store",
    "StoreError",
    "addresses",
    "errors",
]
