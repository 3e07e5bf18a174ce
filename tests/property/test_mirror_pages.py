"""In whichever order, and however often, pages come: carts are what they say."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import psycopg
from hypothesis import given, settings
from hypothesis import strategies as st

from store import errors
from store_testing import factories
from tests.property.mirror_events import (
    VARIANTS,
    WALLETS,
    Told,
    deliveries,
    entries,
    histories,
    page,
)
from tests.property.mirror_model import Goods, Mirror, Row
from tests.property.mirror_rows import add_user, empty, expected, refused, shown, stored
from tests.support import stores


@given(data=st.data(), history=histories())
def test_only_the_set_of_events_counts(
    database_url: str,
    conn: psycopg.Connection,
    data: st.DataObject,
    history: list[Told],
) -> None:
    """Any order, repetition and division of the events leaves the model's rows.

    But for orders: an id that two events name is the first one's. So here each has one.
    """
    empty(conn)
    owners = {
        wallet: add_user(conn, wallet, wallet)
        for wallet in data.draw(st.permutations(WALLETS))
    }
    told: list[Told] = []
    homes: dict[str, str | None] = {}
    for number, (entry, event) in enumerate(history):
        home = homes.setdefault(entry.item, entry.wallet)
        if entry.kind == "added" and entry.wallet != home:
            continue  # one name in two carts is the first one's, too
        if entry.kind == "sold" and not entry.is_bad:
            name = f"crossmint-{number}"
            content = event["parsedJson"] | {"order_id": name}
            told.append(
                Told(replace(entry, order_id=name), event | {"parsedJson": content})
            )
        else:
            told.append(Told(entry, event))
    model = Mirror({owner: wallet for wallet, owner in owners.items()})
    for wallet in data.draw(st.lists(st.sampled_from(WALLETS), unique=True)):
        variant = data.draw(st.sampled_from(VARIANTS))
        item = factories.add_item(conn, owners[wallet], **variant._asdict())
        goods = Goods(variant, item.product_name, item.price)
        model.rows.append(Row(owners[wallet], goods))
    model.record(entries(told))
    with stores.opened(database_url, cart_service="onchain") as store:
        for number, batch in enumerate(data.draw(deliveries(told))):
            if data.draw(st.booleans()):
                store.replay_chain_page(page(batch))
            else:
                at = store.get_chain_cursor()
                store.record_chain_page(page(batch, number), asked_with=at)
    rows = [shown(row) for row in stored(conn, "SELECT * FROM cart_items")]
    assert sorted(rows, key=repr) == sorted(expected(model.rows), key=repr)
    made = stored(conn, "SELECT crossmint_order_id, user_id FROM orders")
    assert {row["crossmint_order_id"]: row["user_id"] for row in made} == {
        order.crossmint_order_id: order.owner for order in model.orders
    }


@settings(max_examples=20)
@given(data=st.data(), history=histories())
def test_two_workers_read_one_stream(
    database_url: str,
    conn: psycopg.Connection,
    data: st.DataObject,
    history: list[Told],
) -> None:
    """Two workers that start each page at once record each of its events once."""
    empty(conn)
    model = Mirror({add_user(conn, wallet, wallet): wallet for wallet in WALLETS})
    pages = [batch for batch in data.draw(deliveries(history)) if batch]
    barrier = threading.Barrier(2)

    def work() -> int:
        recorded, at = 0, store.get_chain_cursor()
        for _ in pages:
            barrier.wait(20)
            place = int(at.event_seq) + 1 if at else 0
            try:
                result = store.record_chain_page(
                    page(pages[place], place), asked_with=at
                )
            except errors.ChainCursorMoved as moved:
                at = moved.stored
            else:
                at, recorded = result.cursor, recorded + result.recorded
        return recorded

    with (
        stores.opened(database_url, cart_service="onchain") as store,
        ThreadPoolExecutor(2) as threads,
    ):
        workers = [threads.submit(work) for _ in range(2)]
        recorded = sum(worker.result() for worker in workers)
    assert recorded == sum(model.record(entries(batch)) for batch in pages)
    rows = [shown(row) for row in stored(conn, "SELECT * FROM cart_items")]
    assert sorted(rows, key=repr) == sorted(expected(model.rows), key=repr)
    assert refused(conn) == model.aside


def test_variants_differ() -> None:
    """The variants of these tests are distinct, an absent size or colour included."""
    assert len(set(VARIANTS)) == len(VARIANTS)
