"""No error, and no line in a log, holds a value that somebody stored or sent."""

import inspect
import logging
import traceback
import typing
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from types import ModuleType, UnionType
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from generated import carts, chats, json_types, orders, users
from generated.internal import cart_steps, chat_steps, order_steps, user_steps
from store import CheckoutLine, Store
from store_testing import crossmint, factories
from tests.support import stores

TOKEN = "zqx8zqx"  # noqa: S105 - what is looked for
TOO_LONG = TOKEN * 1000

texts = st.builds(
    "{}{}{}".format,
    st.text(max_size=3),
    st.just(TOKEN),
    st.text(max_size=3) | st.sampled_from(["\0", "\ud800", "@", "'", "}"]),
) | st.just(TOO_LONG)

MODULES: Sequence[ModuleType] = (
    carts,
    chats,
    orders,
    users,
    cart_steps,
    chat_steps,
    order_steps,
    user_steps,
)


class Evidence(logging.Handler):
    """All that errors and logs say."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.said: list[str] = []
        self.errors = 0
        self.raised: list[Exception] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line of a log."""
        self.said.append(logging.Formatter().format(record))

    @contextmanager
    def of_errors(self) -> Generator[None]:
        """Keep all that an error says, and go on."""
        try:
            yield
        except Exception as error:
            self.errors += 1
            self.raised.append(error)
            self.said += [str(error), repr(error), *traceback.format_exception(error)]

    def check(self) -> None:
        """Look for the token."""
        assert not [text for text in self.said if TOKEN in text]


@pytest.fixture
def store(database_url: str) -> Generator[Store]:
    """Give an open store on a fresh, migrated database."""
    with stores.opened(database_url) as opened:
        yield opened


@contextmanager
def evidence() -> Generator[Evidence]:
    """Listen to every logger, at DEBUG."""
    kept = Evidence()
    root = logging.getLogger()
    level = root.level
    root.addHandler(kept)
    root.setLevel(logging.DEBUG)
    try:
        yield kept
    finally:
        root.setLevel(level)
        root.removeHandler(kept)
    kept.check()


def functions() -> dict[str, Callable[..., Any]]:
    """Give the generated functions that take text."""
    return {
        f"{module.__name__}.{name}": function
        for module in MODULES
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if name in module.__all__ and not name.endswith("_row")
    }


def argument(kind: Any, text: str, user_id: UUID) -> Any:  # noqa: ANN401 - of any type
    """Make an argument of a type, with the text wherever there is room for some."""
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if kind in {json_types.JsonInput, json_types.JsonValue}:
        return [{text: text}]
    if origin in {UnionType, typing.Union}:
        return argument(parts[0], text, user_id)
    if origin is Sequence:
        return [argument(parts[0], text, user_id)]
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return next(iter(kind))
    values = {
        str: text,
        int: 1,
        UUID: user_id,
        Decimal: Decimal(1),
        datetime: datetime.now(UTC),
        timedelta: timedelta(0),
        bool: True,
        bytes: text.encode(errors="replace"),
    }
    return values[kind]


@pytest.mark.parametrize("name", sorted(functions()))
@settings(max_examples=10)
@given(text=texts)
@example(text=TOO_LONG)
def test_generated_functions_tell_no_values(
    name: str, text: str, store: Store, conn: psycopg.Connection
) -> None:
    """Whatever text a query is given, its error does not repeat it."""
    conn.execute("DELETE FROM users")
    user_id = factories.add_user(conn)
    function = functions()[name]
    hints = typing.get_type_hints(function)
    arguments = {
        key: argument(hints[key], text, user_id)
        for key in inspect.signature(function).parameters
        if key != "conn"
    }
    with evidence() as kept, kept.of_errors(), store.connection() as inside:
        result = function(inside, **arguments)
        if callable(result):
            result()


def check_out(store: Store, user_id: UUID, text: str) -> None:
    """Name a Crossmint order."""
    store.checkout(
        user_id, [CheckoutLine(cart_item_id=user_id, crossmint_order_id=text)]
    )


def check_out_by_name(store: Store, _: UUID, text: str) -> None:
    """Name an item."""
    store.checkout(uuid4(), [CheckoutLine(cart_item_id=text)])


def record(store: Store, _: UUID, text: str) -> None:
    """Record an event."""
    store.record_order_event(factories.event(text, text, event_id=text))


def receive_unsigned(store: Store, _: UUID, text: str) -> None:
    """Receive a webhook that nobody signed."""
    headers = {"svix-id": text, "svix-timestamp": text, "svix-signature": text}
    store.receive_order_event(text.encode(errors="replace"), headers)


def receive_malformed(store: Store, _: UUID, text: str) -> None:
    """Receive a signed webhook that is no event."""
    store.receive_order_event(*crossmint.delivery("1", {"type": text, text: text}))


def receive_too_long(store: Store, _: UUID, text: str) -> None:
    """Receive a signed webhook with a value that no column takes."""
    order = {"orderId": text, "payment": {"received": {"txId": text}}, text: text}
    event = {"type": text, "data": order}
    store.receive_order_event(*crossmint.delivery("1", event))


def attach_digest(store: Store, _: UUID, text: str) -> None:
    """Record the digest of an order that is not here, or what is none."""
    digest = text if text != TOKEN else "44PMwfFs4tfN4ujLy5xwpiGxQfa9abP5HFYtub8vgHXn"
    store.attach_transaction(text, digest)


def record_deposit(store: Store, user_id: UUID, text: str) -> None:
    """Record what is no transaction as a deposit."""
    store.record_deposit(user_id, text, Decimal(1))


def clash(store: Store, user_id: UUID, text: str) -> None:
    """Break a unique rule: the driver's message tells the key."""
    with store.transaction() as conn:
        user_steps.create_user(conn, crossmint_user_id=text, email=None)
        conn.execute(
            "UPDATE users SET crossmint_user_id = %s WHERE id = %s", [text, user_id]
        )


def fail_after_queueing(store: Store, user_id: UUID, text: str) -> None:
    """Leave a transaction by another error while a query that fails is queued."""
    with store.transaction() as conn:
        order_steps.lock_crossmint_orders(conn, crossmint_order_ids=["x"])
        users.get_user(conn, id=user_id)
        conn.execute("SELECT %s::email_address, %s::int", [text, text])
        raise RuntimeError


def swallow(store: Store, _: UUID, text: str) -> None:
    """Hide that a query failed."""
    with store.transaction() as conn, suppress(psycopg.Error):
        conn.execute("SELECT %s::int", [text]).fetchone()


@pytest.mark.parametrize(
    "misuse",
    [
        check_out,
        check_out_by_name,
        record,
        receive_unsigned,
        receive_malformed,
        receive_too_long,
        attach_digest,
        record_deposit,
        clash,
        fail_after_queueing,
        swallow,
    ],
)
@settings(max_examples=20)
@given(text=texts)
@example(text=TOO_LONG)
@example(text=TOKEN)
def test_the_store_tells_no_values(
    misuse: Callable[[Store, UUID, str], None],
    text: str,
    store: Store,
    conn: psycopg.Connection,
) -> None:
    """Whatever a method is given, neither its error nor any log repeats it."""
    conn.execute("DELETE FROM users")
    conn.execute("DELETE FROM order_events")
    user_id = factories.add_user(conn)
    with evidence() as kept, kept.of_errors():
        misuse(store, user_id, text)
    # What is signed is never refused.
    taken = misuse in {receive_malformed, receive_too_long}
    assert not (kept.errors and taken), "a signed event was refused"
    assert kept.errors or taken or text != TOO_LONG, "this misuse does nothing wrong"
