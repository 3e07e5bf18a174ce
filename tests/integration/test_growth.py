"""What is measured over sizes calls each query on rows that it finds."""

import inspect
from xml.etree import ElementTree as ET

import psycopg

from benchmarks import bloat, growth, growth_calls, growth_data, growth_plot
from store_testing import factories

ROWS = 1_000
# Those for which there is nothing to do: no key or wallet is missing, no user was
# deleted, the deposit is another user's, and what is cancelled was never in the cart.
IDLE = {"begin_wallet", "get_deposit", "restore_cart_item", "strip_retired_event"}


def test_each_query_finds_rows(conn: psycopg.Connection) -> None:
    """Whatever returns rows, or a number of them, returns some of those made."""
    growth_data.fill(conn, ROWS, lambda _: None)
    idle: set[str] = set()
    for name, call in growth_calls.calls(conn, ROWS):
        with conn.transaction(force_rollback=True):
            returned: object = call(conn)
        if not returned and inspect.signature(call.func).return_annotation is not None:
            idle.add(name)
    assert idle == IDLE


def test_what_grows_stands_out() -> None:
    """The picture names what touches more with more rows, the table has it on top."""
    pages: growth.Figures = {
        "list_flat": [200, 210],
        "list_grown": [100, 900],
        "list_tiny": [0, 5],
    }
    drawn = ET.fromstring(growth_plot.svg(pages, [10, 100], "here"))  # noqa: S314 - ours
    texts = [text.text or "" for text in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert [text for text in texts if "list_" in text] == ["list_grown 900"]
    del pages["list_tiny"]
    lines = growth.table(pages, [10, 100], "pages").splitlines()
    assert lines[1].startswith("list_grown")


def test_pages_are_those_of_one_call(conn: psycopg.Connection) -> None:
    """A look for one row touches its page and its index, a worker's list many."""
    growth_data.fill(conn, ROWS, lambda _: None)
    pages = {
        name: growth.least(conn, call)[1]
        for name, call in growth_calls.calls(conn, ROWS)
        if name in {"get_user", "forget_order_events"}
    }
    assert 2 <= pages["get_user"] <= 4
    assert pages["forget_order_events"] > 100


def test_a_checkout_is_what_is_said(conn: psycopg.Connection) -> None:
    """A checkout leaves a delivered order, and two events that were announced."""
    bloat.buy(conn, factories.add_user(conn), range(2))
    told = conn.execute(
        "SELECT status, (SELECT count(announced_at) FROM order_events) FROM orders"
    ).fetchall()
    assert told == [("delivered", 4)] * 2
