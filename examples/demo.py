"""Buy something: sign up, onboard, chat, fill a cart, check out and pay.

Runs on a PostgreSQL server of its own, which ends with it. `make demo` runs it.
"""

from __future__ import annotations

import base64
import json
import secrets
import sys
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from time import perf_counter
from typing import Any
from uuid import UUID

import standardwebhooks
from rich.console import Console
from rich.table import Table

from devserver import embedded
from generated import carts, chats, users
from generated.enums import OrderType
from generated.models import CartItem, UserProfile
from store import CheckoutLine, Product, Settings, Store, StoreError, migrations

MAX_WIDTH = 52

console = Console()


def main() -> int:
    """Run the demo; the exit code is 2 if something failed."""
    try:
        with ExitStack() as stack:
            with step("start PostgreSQL"):
                server = stack.enter_context(embedded.start())
            demonstrate(server.url)
    except (StoreError, embedded.ServerError) as error:
        console.print(f"demo: {error}", style="red")
        return 2
    return 0


def demonstrate(url: str) -> None:
    """Do what a user does, then show the rows that it left."""
    webhook_secret = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
    settings = Settings.load(database_url=url, crossmint_webhook_secrets=webhook_secret)
    with step("migrate"):
        migrations.up(settings)
    with Store(settings) as store:
        with step("sign up and onboard"):
            user = sign_up(store)
        with step("chat"):
            chat(store, user.id)
        with step("fill the cart with three items"):
            items = fill_cart(store, user.id)
        with step("check two of them out"):
            store.checkout(user.id, lines_of(items[:2]))
        with step("receive the signed payment event of the first"):
            store.receive_order_event(*payment_webhook("crossmint-1", webhook_secret))
        show(store, user.id)


@contextmanager
def step(title: str) -> Generator[None]:
    """Show that a step runs, then how long it took."""
    start = perf_counter()
    with console.status(f"{title} …"):
        yield
    console.print(f"[green]✓[/] {title} [dim]({perf_counter() - start:.2f} s)[/]")


def sign_up(store: Store) -> UserProfile:
    """Create a user and take it through the three steps of onboarding."""
    user = store.create_user("google-oauth2|1017", email="ada@example.com")
    with store.transaction() as conn:
        users.set_display_name(conn, id=user.id, display_name="Ada")
        users.set_shipping_address(
            conn,
            id=user.id,
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
            conn, id=user.id, tops_size="M", bottoms_size="M", footwear_size="39"
        )
    return user


def chat(store: Store, user_id: UUID) -> None:
    """Save one exchange of a conversation, as the AI SDK's client sends it."""
    with store.connection() as conn:
        session = chats.create_chat_session(conn, user_id=user_id, title=None)
    assert session is not None, "an insert returns its row"
    store.save_turn(
        user_id,
        session.id,
        [
            message("msg-1", "user", "I need a notebook for long calculations."),
            message("msg-2", "assistant", "This one has 200 squared pages."),
        ],
    )


def message(msg_id: str, role: str, text: str) -> dict[str, Any]:
    """Make a UIMessage of a text."""
    return {"id": msg_id, "role": role, "parts": [{"type": "text", "text": text}]}


def fill_cart(store: Store, user_id: UUID) -> list[CartItem]:
    """Put three products into the cart, one of them twice."""
    wishes = [
        ("B01", "Squared notebook", 1490, "A4", "green"),
        ("B02", "Fountain pen", 6900, None, "black"),
        ("B03", "Tea, 100 g", 850, None, None),
        ("B01", "Squared notebook", 1490, "A4", "green"),
    ]
    for product_id, name, price, size, color in wishes:
        product = Product(
            product_id=product_id,
            product_name=name,
            price=price,
            product_url=f"https://shop.example/{product_id}",
            size=size,
            color=color,
            retailer="shop.example",
        )
        store.add_cart_item(user_id, product)
    with store.connection() as conn:
        return carts.list_cart_items(conn, user_id=user_id, max_rows=100)


def lines_of(items: list[CartItem]) -> list[CheckoutLine]:
    """Make the lines of a checkout, priced in USDC at one to the dollar."""
    return [
        CheckoutLine(
            cart_item_id=item.id,
            crossmint_order_id=f"crossmint-{number}",
            amount_usdc=Decimal(item.price) / 100,
        )
        for number, item in enumerate(items, start=1)
    ]


def payment_webhook(
    crossmint_order_id: str, secret: str
) -> tuple[bytes, dict[str, str]]:
    """Make a payment event as Crossmint sends it: a body and its signed headers."""
    event = {
        "type": "orders.payment.succeeded",
        "actionId": crossmint_order_id,
        "data": {
            "orderId": crossmint_order_id,
            "quote": {"totalPrice": {"amount": "15.35", "currency": "usdc"}},
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


def show(store: Store, user_id: UUID) -> None:
    """Show what is in the database now."""
    [session] = store.list_chat_sessions(user_id).rows
    bought = store.list_orders(user_id, type=OrderType.CHECKOUT).rows
    with store.connection() as conn:
        user = users.get_user(conn, id=user_id)
        messages = chats.list_chat_messages(
            conn,
            session_id=session.id,
            user_id=user_id,
            after_position=0,
            max_rows=9,
        )
        in_cart = carts.list_cart_items(conn, user_id=user_id, max_rows=9)
    table("users", [user], "display_name email onboarding_step wallet_status city")
    table("chat_messages", messages, "msg_id role parts")
    table("cart_items (live)", in_cart, "product_id product_name price size color")
    table(
        "orders",
        [row.order for row in bought],
        "crossmint_order_id status amount_usdc payment_hash",
    )
    table(
        "order_items",
        [row.order_item for row in bought],
        "product_id product_name price size color",
    )


def table(title: str, rows: Sequence[object], columns: str) -> None:
    """Print the named columns of rows, long values cut."""
    grid = Table(title=title, title_justify="left", title_style="bold")
    for column in columns.split():
        grid.add_column(column, no_wrap=True)
    for row in rows:
        grid.add_row(*(brief(getattr(row, column)) for column in columns.split()))
    console.print(grid)


def brief(value: object) -> str:
    """Give a value as one short line; of a hash, both ends."""
    text = "" if value is None else str(value)
    if text.startswith("0x"):
        return f"{text[:8]}…{text[-4:]}"
    return text if len(text) <= MAX_WIDTH else f"{text[: MAX_WIDTH - 1]}…"


if __name__ == "__main__":
    sys.exit(main())
