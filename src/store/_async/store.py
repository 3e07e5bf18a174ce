"""The store that API code imports."""

from __future__ import annotations

from .carts import AsyncCarts
from .chain import AsyncMirror
from .chats import AsyncChats
from .checkout import AsyncCheckout
from .lists import AsyncLists
from .orders import AsyncOrders
from .tracking import AsyncTracking
from .users import AsyncUsers


class AsyncStore(
    AsyncCarts,
    AsyncChats,
    AsyncCheckout,
    AsyncLists,
    AsyncMirror,
    AsyncOrders,
    AsyncTracking,
    AsyncUsers,
):
    """The data layer: connections for generated functions, and the use cases.

    A use case that is one query is a generated function, called with a `connection()`;
    what spans several queries is a method.
    """
