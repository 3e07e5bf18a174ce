"""What workers call, on few users so that they collide; each call is recorded.

A user is named by its id, so that a deleted one and its successor are two. The calls
are written once, for both faces: what a blocking store gives is there already, what
the other one gives is awaited. A blocking worker has its own thread.
"""

import inspect
import json
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

from pydantic import SecretStr

from generated import carts, chats, deposits, users
from generated.enums import OrderType
from store import AsyncStore, CheckoutLine, Product, Store, errors
from store.chain import ChainCursor
from store_testing import chains, crossmint
from store_testing.history.records import How, Recorder, how_it_failed

__all__ = [
    "CHAIN_WALLET",
    "AnyStore",
    "Shopper",
    "chain_page",
    "crossmint_id",
    "product_id",
    "waited",
]

AnyStore: TypeAlias = Store | AsyncStore
_T = TypeVar("_T")
_Kind: TypeAlias = Callable[[str], Coroutine[Any, Any, None]]

PEOPLE = 3  # at a time; all workers go on to the next ones after so many calls each:
CALLS_WITH_THEM = 48
PRODUCTS = 4
ORDERS = 6
CART_ITEMS = 3
MESSAGES = 3

CHAIN_WALLET = chains.wallet(77)
_EVENTS = (
    "orders.payment.succeeded",
    "orders.payment.failed",
    "orders.delivery.initiated",
    "orders.delivery.completed",
)


def product_id(number: int) -> str:
    """Name a product."""
    return f"p{number}"


def crossmint_id(user: str, number: int) -> str:
    """Name a Crossmint order of a user's."""
    return f"{user}/x{number}"


def chain_page(number: int) -> dict[str, Any]:
    """Make the page of the chain that follows the cursor of this number."""
    digest = chains.digest(9, number >> 16 & 255, number >> 8 & 255, number & 255)
    event = chains.happened(
        "CartItemAdded",
        CHAIN_WALLET,
        chains.item_id(number + 1),
        tx=digest,
        product_id=f"chain-{number}",
    )
    return chains.page([event], (str(number + 1), "0"), more=True)


async def waited(value: _T | Awaitable[_T]) -> _T:
    """Wait for it, if it is not there already."""
    if inspect.isawaitable(value):
        return await value
    return value


def _told_by(error: Exception) -> Any:  # noqa: ANN401 - JSON of some kind
    """Give what an error tells besides its class."""
    if isinstance(error, errors.UserHasOpenOrders):
        return sorted(map(str, error.order_ids))
    stored = getattr(error, "stored", None)
    return stored.tx_digest if isinstance(stored, ChainCursor) else None


class Shopper:
    """One worker: chooses its next call by what it has seen."""

    def __init__(
        self, store: AnyStore, mirror: AnyStore, record: Recorder, seed: int, era: str
    ) -> None:
        self.store = store
        self.mirror = mirror
        self.record = record
        self.random = random.Random(f"{seed}{record.worker}")  # noqa: S311 - no secret
        self.era = era
        self.made = 0
        self.users: dict[str, str] = {}
        self.names: dict[str, str] = {}
        self.sessions: dict[str, tuple[UUID, int]] = {}
        self.items: dict[str, list[str]] = {}
        self.placed: dict[str, list[str]] = {}
        self.checkouts: dict[str, list[list[list[str | None]]]] = {}
        self.cursor = 0
        rare: list[_Kind] = [self.give_up, self.page, self.page, self.clear]
        rare += [self.deposit, self.credit, self.delete]
        often: list[_Kind] = [self.save, self.save, self.add, self.add, self.add]
        often += [self.checkout, self.checkout, self.checkout]
        often += [self.checkout_again, self.event, self.event, self.cancel]
        often += [self.remove, self.cart, self.orders, self.attach, self.pay]
        often += [self.begin_wallet, self.provision, self.messages]
        often += [self.set_key, self.key]
        self.kinds: list[_Kind] = often * 2 + rare
        self.tour: list[_Kind] = []

    def begin_with_a_tour(self) -> None:
        """Make the first calls each kind once or more, for a user of its own.

        So each use case is in each round, and what each does is seen by a later call,
        or is in the rows at the end, where nobody else can hide it.
        """
        self.tour = [
            *(self.begin_wallet, self.set_key, self.key, self.provision, self.key),
            *(partial(self.save, message=each) for each in (0, 0, 1, 2, 0)),
            partial(self.save, message=1, after=0),
            *(self.messages, self.deposit, self.delete, self.credit, self.credit),
            *(partial(self.add, product=each) for each in (0, 0, 1, 2, 3)),
            partial(self.checkout, names=[0]),
            *(self.checkout_again, self.cart, self.cancel, self.cart),
            partial(self.checkout, names=[None]),
            partial(self.attach, number=1),
            *(partial(self.pay, number=each) for each in (1, 1, 2)),
            *(partial(self.event, number=1, type_=each) for each in _EVENTS[::3] * 2),
            *(self.orders, self.remove, self.cart, self.clear, self.cart),
            *(self.page, self.page, self.give_up, self.delete, self.messages, self.key),
        ]

    async def call(self) -> None:
        """Make one call, at most."""
        name = self._user()
        self.made += 1
        if name not in self.users:
            await self.sign_up(name)
        elif self.tour:
            await self.tour.pop(0)(self.users[name])
        else:
            await self.random.choice(self.kinds)(self.users[name])

    def _user(self) -> str:
        if self.tour:
            return f"{self.era}-{self.record.worker}-tour"
        chosen = self.random.randrange(PEOPLE)
        return f"{self.era}-{self.made // CALLS_WITH_THEM}-{chosen}"

    async def _recorded(
        self, name: str, arguments: dict[str, Any], work: Callable[[], Awaitable[Any]]
    ) -> Any:  # noqa: ANN401 - any call's
        """Record a call; gives its result, None if it failed."""
        self.record.begin(name, arguments)
        how: How
        try:
            result = await work()
        except Exception as error:
            how = how_it_failed(error)
            self.record.end(how, _told_by(error), error)
            if isinstance(error, errors.UserNotFound):
                self._forget(arguments["user"])
            return None
        self.record.end("ok", result)
        return result

    async def _query(
        self,
        module: ModuleType,
        function: str,
        **arguments: Any,  # noqa: ANN401 - any query's
    ) -> Any:  # noqa: ANN401 - any query's
        """Run one generated function on a connection of its own."""
        async with self._connection() as conn:
            if isinstance(self.store, AsyncStore):
                name = module.__name__.rpartition(".")[2]
                module = import_module(f"generated.aio.{name}")
            return await waited(getattr(module, function)(conn, **arguments))

    @asynccontextmanager
    async def _connection(self) -> AsyncGenerator[Any]:
        if isinstance(self.store, AsyncStore):
            async with self.store.connection() as conn:
                yield conn
        else:
            with self.store.connection() as conn:
                yield conn

    # Users

    async def sign_up(self, name: str) -> None:
        """Create the user, or find it."""

        async def work() -> str:
            return str((await waited(self.store.create_user(name, email=None))).id)

        if made := await self._recorded("sign_up", {"identity": name}, work):
            self.users[name] = made
            self.names[made] = name

    async def delete(self, user: str) -> None:
        """Delete the user, whom others may still call by the same id."""

        async def work() -> None:
            await waited(self.store.delete_user(UUID(user)))

        arguments = {"user": user, "identity": self.names[user]}
        await self._recorded("delete", arguments, work)
        if self.record.how == "ok":
            self._forget(user)

    def _forget(self, user: str) -> None:
        if self.users.get(self.names[user]) == user:
            del self.users[self.names[user]]

    async def begin_wallet(self, user: str) -> None:
        """Make the wallet pending."""

        async def work() -> bool:
            begun = await self._query(users, "begin_wallet", id=UUID(user))
            return begun is not None

        await self._recorded("begin_wallet", {"user": user}, work)

    def _key(self) -> str:
        """Choose a key, not always the same."""
        return chains.sui_private_key(bytes([self.random.randrange(2)]) * 32)

    async def provision(self, user: str) -> None:
        """Give the wallet an address, not always the same, and a key to some."""
        address = chains.wallet(1000 + self.random.randrange(2))
        key = self._key() if self.random.random() < 0.5 else None

        async def work() -> str | None:
            made = await waited(
                self.store.provision_wallet(
                    UUID(user),
                    wallet_address=address,
                    key=SecretStr(key) if key else None,
                )
            )
            return made.wallet_address

        arguments = {"user": user, "address": address, "key": key}
        await self._recorded("provision", arguments, work)

    async def set_key(self, user: str) -> None:
        """Keep a key, which an active wallet refuses if it has another."""
        key = self._key()

        async def work() -> None:
            await waited(self.store.set_sui_private_key(UUID(user), SecretStr(key)))

        await self._recorded("set_key", {"user": user, "key": key}, work)

    async def key(self, user: str) -> None:
        """Read the key."""

        async def work() -> str | None:
            kept = await waited(self.store.get_sui_private_key(UUID(user)))
            return kept.get_secret_value() if kept else None

        await self._recorded("key", {"user": user}, work)

    # Chats

    async def save(
        self, user: str, *, message: int | None = None, after: int | None = None
    ) -> None:
        """Save a message of the user's chat, mostly from the version seen last.

        Some go in the place of all that follows another one.
        """
        if user not in self.sessions:
            await self._open_chat(user)
        if user not in self.sessions:
            return
        session, version = self.sessions[user]
        if message is None:
            message = self.random.randrange(MESSAGES)
            if self.random.random() < 0.2:
                after = self.random.randrange(MESSAGES)
        arguments = {
            "user": user,
            "session": str(session),
            "message": f"m{message}",
            "text": f"{self.record.worker}/{self.record.number}",
            "after": None if after is None else f"m{after}",
            "from_version": version if self.random.random() < 0.6 else None,
        }
        saved = await self._save(user, arguments)
        if saved is None and self.random.random() < 0.5:
            await self._save(user, arguments)

    async def _save(self, user: str, arguments: dict[str, Any]) -> int | None:
        said = {
            "id": arguments["message"],
            "role": "user",
            "parts": [{"type": "text", "text": arguments["text"]}],
        }
        session = UUID(arguments["session"])

        async def work() -> int:
            saved = await waited(
                self.store.save_turn(
                    UUID(user),
                    session,
                    [said],
                    replace_after=arguments["after"],
                    from_version=arguments["from_version"],
                )
            )
            return saved.version

        version: int | None = await self._recorded("save", arguments, work)
        if version is not None:
            self.sessions[user] = session, version
        else:
            self.sessions.pop(user, None)  # look again
        return version

    async def _open_chat(self, user: str) -> None:
        """Find the user's first chat, or open one; neither is recorded."""
        given = {"user_id": UUID(user)}
        try:
            page = await waited(self.store.list_chat_sessions(UUID(user), max_rows=100))
            found = page.rows or [
                await self._query(chats, "create_chat_session", title=None, **given)
            ]
        except errors.StoreError:
            return
        if found == [None]:
            return  # the user was deleted
        first = min(found, key=lambda each: (each.created_at, each.id))
        self.sessions[user] = first.id, first.version

    async def messages(self, user: str) -> None:
        """Read the user's chat."""
        if user not in self.sessions:
            return
        session, _ = self.sessions[user]

        async def work() -> list[list[str]]:
            rows = await self._query(
                chats,
                "list_chat_messages",
                session_id=session,
                user_id=UUID(user),
                after_position=0,
                max_rows=100,
            )
            return [[row.msg_id, row.parts[0]["text"]] for row in rows]

        arguments = {"user": user, "session": str(session)}
        await self._recorded("messages", arguments, work)

    # Carts

    async def add(self, user: str, *, product: int | None = None) -> None:
        """Put one of few products into the cart."""
        if product is None:
            product = self.random.randrange(PRODUCTS)
        chosen = product_id(product)
        pen = Product(product_id=chosen, product_name="Pen", price=250)

        async def work() -> list[Any]:
            added = await waited(self.store.add_cart_item(UUID(user), pen))
            return [str(added.item.id), added.is_new]

        added = await self._recorded("add", {"user": user, "product": chosen}, work)
        if added:
            self.items.setdefault(user, []).append(added[0])

    async def remove(self, user: str) -> None:
        """Take something out of the cart that may be in it."""
        if not self.items.get(user):
            return
        item = self.random.choice(self.items[user][-3:])

        async def work() -> bool:
            gone = await waited(self.store.remove_cart_item(UUID(user), UUID(item)))
            return str(gone.id) == item

        await self._recorded("remove", {"user": user, "item": item}, work)

    async def clear(self, user: str) -> None:
        """Take everything out of the cart."""

        async def work() -> int:
            return await waited(self.store.clear_cart(UUID(user)))

        await self._recorded("clear", {"user": user}, work)

    async def cart(self, user: str) -> None:
        """Read the cart."""

        async def work() -> list[list[str]]:
            rows = await self._query(
                carts, "list_cart_items", user_id=UUID(user), max_rows=100
            )
            return sorted([row.product_id, str(row.id)] for row in rows)

        seen = await self._recorded("cart", {"user": user}, work)
        if seen is not None:
            self.items[user] = [item for _, item in seen]

    # Orders

    async def checkout(self, user: str, *, names: Sequence[int | None] = ()) -> None:
        """Check out one or two items, and name Crossmint orders for most."""
        items = list(dict.fromkeys(self.items.get(user, [])[-4:]))
        if not items:
            await self.cart(user)
            return
        if not names:
            count = min(len(items), self.random.choice([1, 1, 2]))
            names = [
                name if self.random.random() < 0.8 else None
                for name in self.random.sample(range(ORDERS), count)
            ]
        lines = [
            [item, None if name is None else crossmint_id(user, name)]
            for item, name in zip(
                self.random.sample(items, len(names)), names, strict=True
            )
        ]
        if any(name for _, name in lines):
            self.checkouts.setdefault(user, []).append(lines)
        await self._check_out(user, lines)

    async def checkout_again(self, user: str) -> None:
        """Repeat a checkout of before, whatever became of it."""
        if self.checkouts.get(user):
            await self._check_out(user, self.random.choice(self.checkouts[user]))

    async def _check_out(self, user: str, lines: list[list[str | None]]) -> None:
        asked = [
            CheckoutLine(
                cart_item_id=UUID(item), crossmint_order_id=name, amount_usdc=Decimal(1)
            )
            for item, name in lines
        ]

        async def work() -> list[list[str]]:
            placed = await waited(self.store.checkout(UUID(user), asked))
            return [[str(each.order.id), each.order.status] for each in placed]

        done = await self._recorded("checkout", {"user": user, "lines": lines}, work)
        orders_made: list[list[str]] = done or []
        for order, _ in orders_made:
            self.placed.setdefault(user, []).append(order)

    async def orders(self, user: str) -> None:
        """Read the orders."""

        async def work() -> list[list[str | None]]:
            page = await waited(
                self.store.page_orders(UUID(user), limit=1000, type=OrderType.CHECKOUT)
            )
            return sorted(
                [
                    str(row.order.id),
                    row.order.crossmint_order_id,
                    row.order.status,
                    row.order.tx_hash,
                ]
                for row in page.orders
            )

        seen = await self._recorded("orders", {"user": user}, work)
        if seen is not None:
            self.placed[user] = [row[0] for row in seen]

    async def event(
        self, user: str, *, number: int | None = None, type_: str = ""
    ) -> None:
        """Receive a webhook, which may have come before; some are not Crossmint's."""
        if number is None:
            number = self.random.randrange(ORDERS)
        type_ = type_ or self.random.choice(_EVENTS)
        name = crossmint_id(user, number)
        event = f"{name}/{type_}"
        body = json.dumps({"type": type_, "data": {"orderId": name}}).encode()
        headers = crossmint.signed(event, body)
        arguments = {"user": user, "crossmint": name, "type": type_, "forged": False}
        if not self.tour and self.random.random() < 0.05:
            body += b" "
            arguments["forged"] = True

        async def work() -> list[Any]:
            got = await waited(self.store.receive_order_event(body, headers))
            order = str(got.order.id) if got.order else None
            return [got.is_first, order, got.status_before, got.status_after]

        await self._recorded("event", arguments, work)

    def _order(self, user: str) -> str | None:
        placed = self.placed.get(user)
        return self.random.choice(placed[-4:]) if placed else None

    async def cancel(self, user: str) -> None:
        """Cancel an order."""
        if not (order := self._order(user)):
            return

        async def work() -> str:
            return (
                await waited(self.store.cancel_order(UUID(user), UUID(order)))
            ).status

        await self._recorded("cancel", {"user": user, "order": order}, work)

    async def give_up(self, user: str) -> None:
        """Give up the oldest few checkouts, anybody's."""
        del user

        async def work() -> list[list[str]]:
            gone = await waited(
                self.store.give_up_checkouts(timedelta(milliseconds=50), max_orders=3)
            )
            return [[str(each.order.id), str(each.order.user_id)] for each in gone]

        await self._recorded("give_up", {}, work)

    async def attach(self, user: str, *, number: int | None = None) -> None:
        """Name an order's Crossmint order; on a tour, of the last one."""
        if not (order := self._order(user)):
            return
        if number is None:
            number = self.random.randrange(ORDERS)
        else:
            order = self.placed[user][-1]
        name = crossmint_id(user, number)

        async def work() -> str | None:
            attached = await waited(
                self.store.attach_crossmint_order(UUID(user), UUID(order), name)
            )
            return attached.crossmint_order_id

        arguments = {"user": user, "order": order, "crossmint": name}
        await self._recorded("attach", arguments, work)

    async def pay(self, user: str, *, number: int | None = None) -> None:
        """Record the transaction that paid for an order, or for another one."""
        if number is None:
            number = self.random.randrange(ORDERS)
        name = crossmint_id(user, number)
        hashed = chains.digest(3, *UUID(user).bytes, self.random.randrange(6))

        async def work() -> str:
            return str((await waited(self.store.attach_transaction(name, hashed))).id)

        arguments = {"user": user, "crossmint": name, "digest": hashed}
        await self._recorded("pay", arguments, work)

    # Deposits

    def _hash(self, user: str) -> str:
        """Choose a transaction, which on a tour nobody else claims."""
        era = self.names[user].rpartition("-")[0]
        chosen = 0 if self.tour else self.random.randrange(4)
        return f"0x{era.encode().hex():>062}{chosen:02x}"

    async def deposit(self, user: str) -> None:
        """Record a deposit that somebody else may claim, too."""
        hashed = self._hash(user)

        async def work() -> list[Any]:
            got = await waited(
                self.store.record_deposit(UUID(user), hashed, Decimal(5))
            )
            return [str(got.deposit.id), got.is_first]

        await self._recorded("deposit", {"user": user, "hash": hashed}, work)

    async def credit(self, user: str) -> None:
        """Credit a deposit, which one caller may."""
        hashed = self._hash(user)

        async def work() -> str | None:
            got = await self._query(deposits, "credit_deposit", tx_hash=hashed)
            return None if got is None else str(got.id)

        await self._recorded("credit", {"hash": hashed}, work)

    # The chain

    async def page(self, user: str) -> None:
        """Record the page of the chain that follows the last one seen."""
        del user
        asked = self.cursor
        cursor = ChainCursor(tx_digest=str(asked), event_seq="0") if asked else None

        async def work() -> list[Any]:
            got = await waited(
                self.mirror.record_chain_page(chain_page(asked), asked_with=cursor)
            )
            assert got.cursor
            return [got.cursor.tx_digest, got.repeated]

        got = await self._recorded("page", {"number": asked}, work)
        if got:
            self.cursor = int(got[0])
        else:
            await self._look_up_cursor()

    async def _look_up_cursor(self) -> None:
        try:
            stored = await waited(self.mirror.get_chain_cursor())
        except errors.StoreError:
            return
        self.cursor = int(stored.tx_digest) if stored else 0
