"""What happens between two steps of attaching a transaction changes no answer."""

from typing import Any
from uuid import UUID

import psycopg
import pytest

from generated.internal import order_steps
from generated.models import CartItem, Order
from store import Store
from store_testing import chains, factories
from tests.support import stores


def test_an_order_placed_meanwhile_gets_its_transaction(
    store: Store,
    user_id: UUID,
    item: CartItem,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An order that is placed while its digest is looked up gets it: no conflict."""
    attach = order_steps.attach_transaction_by_crossmint_order

    def too_early(
        conn: psycopg.Connection[Any], *, crossmint_order_id: str, tx_hash: str
    ) -> Order | None:
        monkeypatch.undo()
        asked = {"crossmint_order_id": crossmint_order_id, "tx_hash": tx_hash}
        found = attach(conn, **asked)
        with stores.opened(database_url) as other:
            other.checkout(user_id, [factories.line(item, "x")])
        return found

    monkeypatch.setattr(order_steps, "attach_transaction_by_crossmint_order", too_early)
    assert store.attach_transaction("x", chains.digest(1)).tx_hash == chains.digest(1)
