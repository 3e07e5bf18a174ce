"""The examples in the docstrings of the store's methods, and what they start from."""

import inspect
import re
from dataclasses import dataclass
from decimal import Decimal
from textwrap import dedent
from typing import Any

from generated import chats
from store import AsyncReplica, AsyncStore, CheckoutLine, Product, Replica, Store
from store_testing import crossmint
from tests.support import stores

__all__ = ["NAMES", "Example", "examples", "imports", "methods", "module", "world"]

_FENCE = re.compile(r"^    ```python\n(.*?)^    ```$", re.MULTILINE | re.DOTALL)
_KEY = "suiprivkey1qrwsjvr6gwaxmsvxk4cfun99ra8uwxg3c9pl0nhle7xxpe4s80y05ctazer"
_DIGEST = "44PMwfFs4tfN4ujLy5xwpiGxQfa9abP5HFYtub8vgHXn"
# The names that examples may use besides the store, with their types;
# docs/reference/store.md tells them to readers.
NAMES = {
    "settings": "Settings",
    "replica": "AsyncReplica",
    "user": "UserProfile",
    "pen": "Product",
    "item": "CartItem",
    "placed": "PlacedOrder",
    "session": "ChatSession",
    "body": "bytes",
    "headers": "Mapping[str, str]",
    "query_events": "Callable[[dict[str, str] | None], str]",
    "sign_with": "Callable[[str], None]",
    "SUI_PRIVATE_KEY": "str",
    "DIGEST": "str",
}
_IMPORTS = """\
from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from psycopg import AsyncConnection
from pydantic import SecretStr

from generated.aio import carts, users
from generated.models import CartItem, ChatSession, UserProfile
from store import (
    AsyncReplica, AsyncStore, ChainCursor, CheckoutLine, OrderEvent, PlacedOrder,
    Product, Settings, errors,
)
"""


@dataclass(frozen=True, slots=True)
class Example:
    """One method's examples, as one function of the store and the names."""

    face: type[Store | AsyncStore]
    method: str
    defined_in: str
    code: str

    def __str__(self) -> str:
        """Name the example in a test's id."""
        return f"{self.face.__name__}.{self.method}"

    @property
    def function(self) -> str:
        """Give the source of a function that does what the example shows."""
        names = "".join(f", {name}: {type_}" for name, type_ in NAMES.items())
        body = "".join(f"    {line}\n" for line in self.code.splitlines())
        text = f"def {self.method}_(store: AsyncStore{names}) -> None:\n{body}"
        awaits = issubclass(self.face, AsyncStore)
        return f"async {text}" if awaits else text.replace("Async", "")


def imports(face: type[Store | AsyncStore]) -> str:
    """Give the lines of import that the examples of a store rely on."""
    if issubclass(face, AsyncStore):
        return _IMPORTS
    return _IMPORTS.replace("Async", "").replace(".aio", "")


def module(face: type[Store | AsyncStore]) -> str:
    """Give all examples of a store as one module, for type checkers.

    An example may end with a name that nobody reads, or with a function; not each store
    needs all that is imported.
    """
    unread = "# pyright: reportUnusedVariable=false, reportUnusedFunction=false\n"
    unread += "# pyright: reportUnusedImport=false\n"
    functions = [example.function for example in examples(face)]
    return unread + imports(face) + "\n".join(functions)


def methods(face: type[Store | AsyncStore]) -> dict[str, Any]:
    """Give the public methods and properties of a store; of a replica, its own."""
    own = vars(face) if issubclass(face, Replica | AsyncReplica) else dir(face)
    return {
        name: member
        for name, member in inspect.getmembers(face)
        if not name.startswith("_") and name in own
    }


def examples(face: type[Store | AsyncStore]) -> list[Example]:
    """Give the examples of a store's methods."""
    return [
        Example(face, name, _owner(face, name), dedent(found))
        for name, member in methods(face).items()
        for found in _FENCE.findall(inspect.getdoc(member) or "")
    ]


def _owner(face: type, name: str) -> str:
    [*_, owner] = [cls.__module__ for cls in face.__mro__ if name in vars(cls)]
    return owner.rpartition(".")[2]


def _query_events(_cursor: dict[str, str] | None) -> str:
    return '{"data": [], "nextCursor": null, "hasNextPage": false}'


def _sign_with(_key: str) -> None:
    pass


def world(url: str, defined_in: str) -> dict[str, Any]:
    """Make what the names stand for, in a database that has no user."""
    keys = {"wallet_encryption_keys": "0f" * 32}
    with stores.opened(url, **keys) as store:
        user = store.create_user("google|1", email=None)
        book, tea = (
            Product(product_id=number, product_name=name, price=1490)
            for number, name in (("B01", "Notebook"), ("B03", "Tea"))
        )
        bought = store.add_cart_item(user.id, book).item
        line = CheckoutLine(cart_item_id=bought.id, amount_usdc=Decimal("14.90"))
        [placed] = store.checkout(user.id, [line])
        item = store.add_cart_item(user.id, tea).item
        with store.connection() as conn:
            session = chats.create_chat_session(conn, user_id=user.id, title=None)
    service = "onchain" if defined_in == "chain" else "db"
    body, headers = crossmint.delivery("msg_2", crossmint.as_documented("crossmint-2"))
    return {
        "settings": stores.settings(
            url, cart_service=service, database_url_replica=url, **keys
        ),
        "user": user,
        "pen": Product(product_id="B02", product_name="Pen", price=6900),
        "item": item,
        "placed": placed,
        "session": session,
        "body": body,
        "headers": headers,
        "query_events": _query_events,
        "sign_with": _sign_with,
        "SUI_PRIVATE_KEY": _KEY,
        "DIGEST": _DIGEST,
    }
