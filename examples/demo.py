"""Buy something: sign up, onboard, chat, fill a cart, check out and pay.

Shows each step as the code that runs, then the rows that the database has after it.
Runs on a PostgreSQL server of its own, which ends with it. `make demo` runs it.
"""

from __future__ import annotations

import ast
import base64
import inspect
import json
import secrets
import sys
import textwrap
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from time import perf_counter
from typing import LiteralString, ParamSpec, TypeVar
from uuid import UUID

import psycopg
import standardwebhooks
from psycopg.abc import Query
from rich.console import Console
from rich.padding import Padding
from rich.syntax import Syntax
from rich.table import Table

from generated import carts, chats, users
from postgres_testing import embedded
from store import CheckoutLine, Product, Settings, Store, StoreError, migrations

P = ParamSpec("P")
R = TypeVar("R")

SIGN_UP: LiteralString = """
    SELECT email, display_name, city, onboarding_step FROM users
"""
MESSAGES: LiteralString = """
    SELECT msg_id, role, parts -> 0 ->> 'text' AS text
    FROM chat_messages ORDER BY position
"""
CART: LiteralString = """
    SELECT product_name, size, color, (price / 100.0)::numeric(9, 2) AS usd
    FROM cart_items WHERE deleted_at IS NULL ORDER BY created_at
"""
ORDERS: LiteralString = """
    SELECT i.product_name, o.status, o.amount_usdc::numeric(9, 2) AS usdc,
        left(o.payment_hash, 8) AS payment
    FROM orders AS o JOIN order_items AS i ON i.order_id = o.id
    ORDER BY i.price
"""
EVENTS: LiteralString = """
    SELECT type, status_after FROM order_events
"""

NUMERIC = psycopg.adapters.types["numeric"].oid

console = Console(highlight=False)


def main() -> int:
    """Run the demo; the exit code is 2 if something failed."""
    try:
        with ExitStack() as stack:
            with timed("start PostgreSQL"):
                server = stack.enter_context(embedded.start())
            demonstrate(server.url)
    except (StoreError, embedded.ServerError) as error:
        console.print(f"demo: {error}", style="red")
        return 2
    return 0


def demonstrate(url: str) -> None:
    """Do what a user does, and show each call above the rows that it left."""
    webhook_secret = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
    settings = Settings.load(database_url=url, crossmint_webhook_secrets=webhook_secret)
    with timed("migrate"):
        # What nobody has recorded yet may run here: this database ends with the demo.
        migrations.up(settings, unrecorded_allowed=True)
    with Store(settings) as store, psycopg.connect(url, autocommit=True) as conn:
        user_id = run(sign_up, store)
        run(onboard, store, user_id)
        show(conn, "users", SIGN_UP)
        run(chat, store, user_id)
        show(conn, "chat_messages", MESSAGES)
        run(fill_cart, store, user_id)
        show(conn, "cart_items", CART)
        run(check_out, store, user_id)
        show(conn, "orders, with order_items", ORDERS)
        show(conn, "cart_items, what is left", CART)
        body, headers = payment_webhook("crossmint-1", "14.90", webhook_secret)
        run(pay, store, body, headers)
        show(conn, "order_events", EVENTS)
        show(conn, "orders, with order_items", ORDERS)


def sign_up(store: Store) -> UUID:
    """Sign up."""
    user = store.create_user(
        "google-oauth2|1017",
        email="ada@example.com",
    )
    return user.id


def onboard(store: Store, user_id: UUID) -> None:
    """Say one's name, address and sizes, in one transaction."""
    with store.transaction() as conn:
        users.set_display_name(
            conn,
            id=user_id,
            display_name="Ada",
        )
        users.set_shipping_address(
            conn,
            id=user_id,
            first_name="Ada",
            last_name="Lovelace",
            street="12 St James's Square",
            apt=None,
            city="London",
            state="England",
            zip="SW1Y 4JH",
            country="GB",
        )
        users.set_sizes(
            conn,
            id=user_id,
            tops_size="M",
            bottoms_size="M",
            footwear_size="39",
        )


def chat(store: Store, user_id: UUID) -> None:
    """Save a turn of a conversation, as the AI SDK sends it."""
    with store.connection() as conn:
        session = chats.create_chat_session(
            conn,
            user_id=user_id,
            title=None,
        )
    assert session is not None
    turn = [
        ("msg-1", "user", "A notebook for sums, please."),
        ("msg-2", "assistant", "This one is squared."),
    ]
    messages = [
        {
            "id": msg_id,
            "role": role,
            "parts": [{"type": "text", "text": text}],
        }
        for msg_id, role, text in turn
    ]
    store.save_turn(user_id, session.id, messages)


def fill_cart(store: Store, user_id: UUID) -> None:
    """Put three products into the cart, one of them twice."""
    notebook = Product(
        product_id="B01",
        product_name="Squared notebook",
        price=1490,  # USD cents
        size="A4",
        color="green",
    )
    pen = Product(
        product_id="B02",
        product_name="Fountain pen",
        price=6900,
        color="black",
    )
    tea = Product(
        product_id="B03",
        product_name="Tea, 100 g",
        price=850,
    )
    for product in (notebook, pen, tea, notebook):
        store.add_cart_item(user_id, product)


def check_out(store: Store, user_id: UUID) -> None:
    """Check out notebook and pen, all or nothing."""
    with store.connection() as conn:
        items = carts.list_cart_items(
            conn,
            user_id=user_id,
            max_rows=10,
        )
    pen, notebook = items[1:]  # the newest comes first
    lines = [
        CheckoutLine(
            cart_item_id=item.id,
            crossmint_order_id=f"crossmint-{number}",
            amount_usdc=Decimal(item.price) / 100,
        )
        for number, item in enumerate((notebook, pen), 1)
    ]
    store.checkout(user_id, lines)


def pay(store: Store, body: bytes, headers: dict[str, str]) -> None:
    """Receive the payment of the notebook: a signed webhook."""
    store.receive_order_event(body, headers)


def payment_webhook(
    crossmint_order_id: str, usdc: str, secret: str
) -> tuple[bytes, dict[str, str]]:
    """Make a payment event as Crossmint sends it: a body and its signed headers."""
    event = {
        "type": "orders.payment.succeeded",
        "actionId": crossmint_order_id,
        "data": {
            "orderId": crossmint_order_id,
            "quote": {"totalPrice": {"amount": usdc, "currency": "usdc"}},
            "payment": {"received": {"txId": "0x" + "5eed" * 16}},
        },
    }
    body = json.dumps(event)
    now = datetime.now(UTC)
    signature = standardwebhooks.Webhook(secret).sign("evt-1", now, body)
    headers = {
        "svix-id": "evt-1",
        "svix-timestamp": str(int(now.timestamp())),
        "svix-signature": signature,
    }
    return body.encode(), headers


@contextmanager
def timed(title: str) -> Generator[None]:
    """Show that a step runs, then how long it took."""
    start = perf_counter()
    with console.status(f"{title} …"):
        yield
    console.print(f"[green]✓[/] {title} [dim]({perf_counter() - start:.2f} s)[/]")


def run(step: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Show a function's docstring and body, then call it."""
    source = textwrap.dedent(inspect.getsource(step))
    [function] = ast.parse(source).body
    assert isinstance(function, ast.FunctionDef)
    first = function.body[1]  # after the docstring
    code = textwrap.dedent("\n".join(source.splitlines()[first.lineno - 1 :]))
    console.print(f"\n[bold]{ast.get_docstring(function)}[/]")
    # The terminal's own colours, which are legible on its own background.
    syntax = Syntax("", "python", theme="ansi_dark", background_color="default")
    highlighted = syntax.highlight(code)
    highlighted.rstrip()
    console.print(Padding(highlighted, (0, 0, 1, 2), expand=False))
    return step(*args, **kwargs)


def show(conn: psycopg.Connection, title: str, query: Query) -> None:
    """Print the rows of a query."""
    cursor = conn.execute(query)
    table = Table(title=title, title_justify="left", title_style="cyan", box=None)
    for column in cursor.description or ():
        is_amount = column.type_code == NUMERIC
        table.add_column(
            column.name,
            justify="right" if is_amount else "left",
            header_style="dim",
            no_wrap=True,
        )
    for row in cursor:
        table.add_row(*("" if value is None else str(value) for value in row))
    console.print(Padding(table, (0, 2), expand=False))


if __name__ == "__main__":
    sys.exit(main())
