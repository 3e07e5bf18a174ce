# Generated from store/_async/store.py by tools/make_sync.py. DO NOT EDIT.
"""The store that API code imports."""

from __future__ import annotations

from .carts import Carts
from .chain import Mirror
from .chats import Chats
from .checkout import Checkout
from .lists import Lists
from .orders import Orders
from .tracking import Tracking
from .users import Users


class Store(
    Carts,
    Chats,
    Checkout,
    Lists,
    Mirror,
    Orders,
    Tracking,
    Users,
):
    """The data layer: connections for generated functions, and the use cases.

    A use case that is one query is a generated function, called with a `connection()`;
    what spans several queries is a method.
    """
