"""A call of each query of the store, on the rows of `growth_data`.

It is about the eldest user, who has the most of everything, and begins in the middle of
what is paged through.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
import re
import types
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import psycopg

from generated import carts, chain, chats, deposits, orders, users
from generated.internal import (
    cart_steps,
    chain_steps,
    chat_steps,
    deposit_steps,
    order_steps,
    server,
    user_steps,
)
from store_testing import chains

from . import growth_data

Query = Callable[..., Any]

# Those of catalogs and sessions know none of the store's rows.
_MODULES = [
    *(carts, chain, chats, deposits, orders, users),
    *(cart_steps, chain_steps, chat_steps, deposit_steps, order_steps, user_steps),
]
_MESSAGE = b'{"role": "user", "parts": [{"type": "text", "text": "one more"}]}'

# Arguments by their names, where they do not depend on the rows.
_ANYWHERE: dict[str, Any] = {
    **dict.fromkeys(["id of deposits", "id of deposit_steps", "id of server"]),
    "id of chain_steps": None,
    "on_chain_object_id": None,
    "expected_prices": [None],
    "max_items": 99,
    "product_id": "new",
    "product_name": "New",
    "price": 1,
    **dict.fromkeys(["image", "product_url", "size", "color", "retailer"]),
    "crossmint_user_id": "google|1",
    "crossmint_wallet_id": None,
    "amounts_usdc": [None, None, None],
    "amount_usdc": Decimal(1),
    "quoted_usdc": None,
    "received_usdc": None,
    "amount": None,
    "currency": None,
    "payment_hash": None,
    "is_json": True,
    "body": b'{"type": "orders"}',
    "event_sequence": 0,
    "event_seq": "1",
    "with_digest": False,
    "checkout_id": uuid4(),
    "messages": _MESSAGE,
    "index": json.dumps(
        [{"id": "m", "digest": str(uuid4()), "first": 1, "length": len(_MESSAGE)}]
    ),
    "title": "Stationery",
    "from_version": None,
    "last_save": None,
    "skipped_rows": 100,
    "skip_rows": 100,
    "max_rows": 100,
    "type": None,
    "status": None,
    "older_than": timedelta(days=1),
    "after": UUID(int=2**127),
    "email": "user1@example.org",
    "token": "v1.new",
    "display_name": "Ann",
    "first_name": "Ann",
    "last_name": "Lee",
    "street": "Main Street 1",
    "apt": None,
    "city": "Springfield",
    "state": None,
    "zip": "12345",
    "country": "US",
    **dict.fromkeys(["tops_size", "bottoms_size", "footwear_size"], "M"),
}


def calls(
    conn: psycopg.Connection[Any], rows: int
) -> Iterator[tuple[str, functools.partial[Any]]]:
    """Yield the name of each query and what calls it, on a database of so many rows."""
    known, special = _arguments(conn, rows)
    for query in [*_queries(), server.count_wallet_keys]:
        _, *parameters = inspect.signature(query).parameters.values()
        values = known | special.get(query.__name__, {})
        module = query.__module__.rpartition(".")[2]
        values.setdefault("id", known[f"id of {module}"])
        given = {p.name: values[p.name] for p in parameters}
        yield query.__name__, functools.partial(query, **given)


def _queries() -> Iterator[Query]:
    for module in _MODULES:
        for name in _names(module):
            function = getattr(module, name)
            if inspect.isfunction(function) and not re.match(r"send_|\w+_row$", name):
                yield function


def _names(module: types.ModuleType) -> list[str]:
    names: list[str] = module.__all__
    return names


def key(kind: str, number: int) -> UUID:
    """Return the id of a row."""
    return UUID(hashlib.md5(f"{kind}{number}".encode()).hexdigest())  # noqa: S324 - no secret


def _hash(kind: str, number: int) -> str:
    first = hashlib.md5(f"{kind}{number}".encode()).hexdigest()  # noqa: S324 - no secret
    second = hashlib.md5(f"{number}{kind}".encode()).hexdigest()  # noqa: S324 - no secret
    return f"0x{first}{second}"


def _arguments(
    conn: psycopg.Connection[Any], rows: int
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Return arguments by their names, and those of single queries."""
    own = min(growth_data.OWN_ROWS, rows // 5)
    mine = own * 5 // 2  # an order of the eldest's, in the middle of them
    middle = rows // 2
    user, item = key("user", 1), key("item", 5)  # which is in the cart
    times = conn.execute(
        "SELECT (SELECT created_at FROM orders WHERE id = %s),"
        " (SELECT created_at FROM orders WHERE id = %s),"
        " (SELECT wallet_status_since FROM users WHERE id = %s)",
        [key("order", mine), key("order", middle), key("user", 7)],
    ).fetchone()
    assert times is not None
    mine_at, middle_at, pending_since = times
    digest = "z" * 43
    wallet, thing = _hash("wallet", 1), str(key("object", mine))
    event = hashlib.md5(f"digest{middle}".encode()).hexdigest()  # noqa: S324 - no secret
    pending = {"id": key("user", 7), "pending_since": pending_since}
    named = {"id": f"event-{mine}"}
    deposit = {"tx_hash": _hash("deposit", 99)}
    new = {"ids": [uuid4() for _ in range(3)]}
    portion = {"max_rows": 1000}
    position = min(rows, 20_000) // 2
    known: dict[str, Any] = {
        **_ANYWHERE,
        "user_id": user,
        "user_ids": [user],
        "owner_id": user,
        **dict.fromkeys(["id of carts", "id of cart_steps"], item),
        **dict.fromkeys(["id of orders", "id of order_steps"], key("order", mine)),
        **dict.fromkeys(["id of chats", "id of chat_steps"], key("session", 1)),
        **dict.fromkeys(["id of users", "id of user_steps"], user),
        "id of chain": key("aside", 1),
        "ids": [key("order", mine), key("order", mine + 5)],
        "order_id": key("order", mine),
        "order_ids": [key("order", mine), key("order", mine + 5)],
        "cart_item_ids": [item],
        "on_chain_object_ids": [thing],
        "object_ids": [thing],
        "crossmint_order_id": f"crossmint-{mine}",
        "crossmint_order_ids": [f"crossmint-{mine}", f"crossmint-{mine + 5}"],
        "tx_hash": digest,
        "tx_digest": event.replace("0", "z"),
        "session_id": key("session", 1),
        "msg_id": f"m{position}",
        "after_position": position,
        "before_position": position,
        "before_updated_at": mine_at,
        "before_created_at": mine_at,
        "before_id": key("order", mine),
        "after_created_at": middle_at,
        "after_set_aside_at": middle_at,
        "after_received_at": middle_at,
        "after_id": key("order", middle),
        "wallet_address": wallet,
        "wallet_addresses": [wallet, _hash("wallet", 2)],
        "evm_address": _hash("evm", 1)[:42],
        "pending_since": pending_since,
    }
    special: dict[str, dict[str, Any]] = {
        "add_cart_item": {"id": uuid4()},
        "replace_cart_item": {"product_id": "B5", "size": None, "color": None},
        "create_orders": {
            **new,
            "crossmint_order_ids": ["a", "b", "c"],
            "eventless": True,
        },
        "claim_cart_items_by_id": {"order_ids": [key("order", 9)]},
        "claim_cart_items": {
            "order_ids": [key("order", 9)],
            "on_chain_object_ids": [None],
        },
        "create_user": {"crossmint_user_id": "google|new"},
        "insert_order_event": {"id": "new", "type": "orders.payment.succeeded"},
        "create_order_of_chain_event": {"owner_id": user},
        "insert_chain_events": {"events": [_added(wallet)]},
        "list_payments_without_order": {"after_id": "event-"},
        "list_named_cart_items": {"ids": [item]},
        "drop_set_aside_chain_events": {"ids": [key("aside", 1)]},
        "set_chain_events_aside": {
            "ids": [uuid4()],
            "reasons": ["price is no number"],
            "events": ["{}"],
            "are_whole": [True],
            "wallet_addresses": [None],
        },
        "replace_sui_private_keys": {
            "ids": [user],
            "old_tokens": [f"v1.{hashlib.md5(b'1').hexdigest()}"],  # noqa: S324
            "new_tokens": ["v1.new"],
        },
        **dict.fromkeys(["retry_wallet", "fail_wallet"], pending),
        **dict.fromkeys(["provision_wallet", "set_sui_private_key"], pending),
        "mark_event_announced": {"id": f"event-{mine + 8}"},
        "attach_transaction": {"id": key("order", mine + 5)},
        "attach_transaction_by_crossmint_order": {
            "crossmint_order_id": f"crossmint-{mine + 5}"
        },
        "insert_givings_up": {"order_ids": [key("order", mine + 15)]},
        "list_orders_with_item_in_cart": {"order_ids": [key("order", 5)]},
        "take_cart_item_of_order": {"order_id": key("order", 5)},
        "credit_deposit": {"tx_hash": _hash("deposit", 199)},
        **dict.fromkeys(
            ["strip_retired_event", "get_received_event"],
            named,
        ),
        **dict.fromkeys(
            ["confirm_deposit", "fail_deposit"],
            deposit,
        ),
        **dict.fromkeys(
            ["erase_orders", "erase_cart_items", "erase_chat_sessions"], portion
        ),
        # One of few rows: those of the eldest are deleted by the portions above.
        "erase_user": {"id": key("user", rows // 20)},
    }
    return known, special


def _added(wallet: str) -> dict[str, object]:
    return {
        "tx_digest": "y" * 43,
        "event_sequence": 0,
        "type": "added",
        "object_id": chains.item_id(1),
        "wallet_address": wallet,
        "occurred_at": "2026-01-01T00:00:00Z",
        "time_is_of_receipt": False,
        "product_id": "new",
        "product_name": "New",
        "price": 1,
    }
