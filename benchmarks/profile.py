"""Where the time of a checkout and of a page of messages goes, on client and server."""

from __future__ import annotations

import argparse
import random
import signal
import sys
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from types import FrameType
from typing import Any, NamedTuple
from uuid import uuid4

import psycopg
from psycopg import RawCursor
from psycopg.adapt import Loader
from psycopg.rows import RowFactory, TupleRow, tuple_row
from psycopg.types.string import TextLoader
from rich.console import Console
from rich.table import Table

from generated import chats as chat_queries
from generated import models
from generated.internal.cart_steps import CLAIM_CART_ITEMS_BY_ID
from generated.internal.order_steps import CREATE_ORDERS, LOCK_CROSSMINT_ORDERS
from postgres_testing import databases, embedded
from store import CheckoutLine, Settings, Store
from store.adapters import JsonLoader
from store_testing.schema import SCHEMA

from . import carts, chats
from .carts import Cart
from .chats import Turn

console = Console(width=88)

_WARM_UP = 30
_MESSAGES = 1000
_DISK = Path("/var/tmp")  # noqa: S108 - a private folder is made in it
# Whose code a module's or a function's is; the first that fits.
_KINDS = {
    "store._sync.connection._wait": "sending, waiting, receiving",
    "store._sync.pipeline": "sending, waiting, receiving",
    "store": "the store",
    "generated": "generated functions and rows",
    "psycopg": "the driver",
    # What is left after its C has made the last row.
    "__main__": "the driver",
    "benchmarks": "the driver",
}
# Seconds of CPU between two looks at what runs.
_TICK = 0.001


def main(arguments: Sequence[str] | None = None) -> int:
    """Start a server with durable writes, and print both profiles."""
    parser = argparse.ArgumentParser(prog="benchmarks.profile", description=__doc__)
    parser.add_argument("--checkouts", type=int, default=2000, metavar="COUNT")
    parser.add_argument("--pages", type=int, default=100, metavar="COUNT")
    options = parser.parse_args(arguments)
    with (
        embedded.start(settings={"autovacuum": "off"}, directory=_DISK) as own,
        databases.template(own.url, SCHEMA.build) as template,
        template.clone() as url,
        template.clone() as of_chats,
    ):
        made = carts.fill(url, 2 * (_WARM_UP + options.checkouts))
        half = len(made) // 2
        settings = Settings.model_validate(
            {"database_url": url, "database_url_direct": url}
        )
        with Store(settings) as store:
            _print_client(
                "a checkout of 3 items",
                [partial(_check_out, store, each) for each in made[:half]],
            )
            _print_server("a checkout of 3 items", _statements(url, made[half:]))
        [chat] = chats.pages(of_chats, 1)
        with psycopg.connect(of_chats, autocommit=True) as conn:
            conn.execute("VACUUM ANALYZE")
        _print_page(of_chats, chat, options.pages)
        _print_server(f"a page of {_MESSAGES} messages", _reading(of_chats, chat))
    return 0


# The client


def _print_client(title: str, works: Iterable[Callable[[], object]]) -> None:
    elapsed, busy = list[float](), list[float]()
    todo = list(works)
    for work in todo[:_WARM_UP]:
        work()
    with _sampled() as seen:
        for work in todo[_WARM_UP:]:
            start, start_busy = perf_counter(), process_time()
            work()
            elapsed.append(perf_counter() - start)
            busy.append(process_time() - start_busy)
    whole = sum(busy) / len(busy)
    table = Table(
        title=f"{title}: {1e3 * median(elapsed):.2f} ms, of which the client's"
        f" CPU {1e3 * whole:.2f} ms",
        title_justify="left",
    )
    table.add_column("what runs")
    table.add_column("share", justify="right")
    table.add_column("ms", justify="right")
    for name, count in seen.most_common():
        share = count / seen.total()
        table.add_row(name, f"{share:.0%}", f"{1e3 * whole * share:.3f}")
    console.print(table)


@contextmanager
def _sampled() -> Generator[Counter[str]]:
    """Count whose code runs at each tick of this process's CPU time.

    What C does counts for the Python function that goes on after it.
    """
    seen: Counter[str] = Counter()

    def look(_: int, frame: FrameType | None) -> None:
        if frame is not None:
            name = f"{frame.f_globals['__name__']}.{frame.f_code.co_name}"
            kinds = (kind for prefix, kind in _KINDS.items() if name.startswith(prefix))
            seen[next(kinds, "the standard library")] += 1

    before = signal.signal(signal.SIGPROF, look)
    signal.setitimer(signal.ITIMER_PROF, _TICK, _TICK)
    try:
        yield seen
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _check_out(store: Store, cart: Cart) -> object:
    return store.checkout(
        cart.user_id,
        [
            CheckoutLine(
                cart_item_id=item_id,
                crossmint_order_id=crossmint_order_id,
                amount_usdc=amount,
            )
            for item_id, crossmint_order_id, amount in zip(
                cart.item_ids, cart.crossmint_order_ids, cart.amounts, strict=True
            )
        ],
    )


class _Step(NamedTuple):
    loader: type[Loader]
    rows: RowFactory[Any]
    is_fetched: bool = True


_STEPS = {
    "sending, waiting, receiving": _Step(TextLoader, tuple_row, is_fetched=False),
    "reading all columns but JSON": _Step(TextLoader, tuple_row),
    "reading JSON": _Step(JsonLoader, tuple_row),
    "making models": _Step(JsonLoader, models.chat_message_row),
}


def _print_page(url: str, chat: Turn, rounds: int) -> None:
    """Time a page read by and by, and print what each step adds."""
    parameters = [chat.session_id, chat.user_id, 0, _MESSAGES]

    def read(step: _Step, conn: psycopg.Connection[Any]) -> None:
        cursor = RawCursor(conn, row_factory=step.rows)
        cursor.execute(chat_queries.LIST_CHAT_MESSAGES.encode(), parameters)
        if step.is_fetched:
            cursor.fetchall()

    elapsed: dict[str, list[float]] = {name: [] for name in _STEPS}
    busy: dict[str, list[float]] = {name: [] for name in _STEPS}
    with ExitStack() as stack:
        conns = {
            name: stack.enter_context(psycopg.connect(url, autocommit=True))
            for name in _STEPS
        }
        for name, conn in conns.items():
            conn.adapters.register_loader("jsonb", _STEPS[name].loader)
        for number in range(_WARM_UP + rounds):
            for name in random.sample(list(_STEPS), len(_STEPS)):
                start, start_busy = perf_counter(), process_time()
                read(_STEPS[name], conns[name])
                if number >= _WARM_UP:
                    elapsed[name].append(perf_counter() - start)
                    busy[name].append(process_time() - start_busy)
    table = Table(title=f"a page of {_MESSAGES} messages", title_justify="left")
    table.add_column("what it takes")
    table.add_column("ms", justify="right")
    table.add_column("CPU, ms", justify="right")
    before = before_busy = 0.0
    for name in _STEPS:
        whole, whole_busy = median(elapsed[name]), median(busy[name])
        added = (
            f"{1e3 * (whole - before):.2f}",
            f"{1e3 * (whole_busy - before_busy):.2f}",
        )
        table.add_row(name, *added)
        before, before_busy = whole, whole_busy
    table.add_row("together", f"{1e3 * before:.2f}", f"{1e3 * before_busy:.2f}")
    console.print(table)


# The server


def _print_server(title: str, parts: dict[str, float]) -> None:
    table = Table(title=f"{title}: the server", title_justify="left")
    table.add_column("part")
    table.add_column("ms", justify="right")
    for part, seconds in parts.items():
        table.add_row(part, f"{1e3 * seconds:.3f}")
    console.print(table)


def _statements(url: str, made: list[Cart]) -> dict[str, float]:
    """Time each statement of a checkout by the server's clock, between them."""
    times: dict[str, list[float]] = {}
    with psycopg.Connection[TupleRow].connect(
        url, autocommit=True, prepare_threshold=0, cursor_factory=RawCursor
    ) as conn:
        for number, cart in enumerate(made):
            ids = [uuid4() for _ in cart.item_ids]
            names = cart.crossmint_order_ids
            create = [uuid4(), cart.user_id, True, ids, names, cart.amounts]
            claim = [ids, cart.item_ids, [None] * len(ids), cart.user_id]
            marks: list[tuple[str, psycopg.Cursor[TupleRow]]] = []
            with conn.pipeline():
                for part, query, parameters in (
                    ("BEGIN", "BEGIN", []),
                    ("(the clock itself)", None, []),
                    ("lock_crossmint_orders", LOCK_CROSSMINT_ORDERS, [names]),
                    ("create_orders", CREATE_ORDERS, create),
                    ("claim_cart_items_by_id", CLAIM_CART_ITEMS_BY_ID, claim),
                    ("COMMIT, durable", "COMMIT", []),
                ):  # fmt: skip
                    if query:
                        conn.execute(query.encode(), parameters)
                    marks.append((part, conn.execute("SELECT clock_timestamp()")))
            moments: list[tuple[str, datetime]] = [
                (part, cursor.fetchall()[0][0]) for part, cursor in marks
            ]
            if number < _WARM_UP:
                continue
            for (_, before), (part, after) in pairwise(moments):
                times.setdefault(part, []).append((after - before).total_seconds())
    return {part: median(each) for part, each in times.items()}


def _reading(url: str, chat: Turn) -> dict[str, float]:
    """Time a page as EXPLAIN tells it: finding the rows, and making texts of them."""
    explain = "EXPLAIN (ANALYZE, SERIALIZE TEXT, FORMAT JSON) "
    query = (explain + chat_queries.LIST_CHAT_MESSAGES.strip()).encode()
    plans: list[dict[str, Any]] = []
    with psycopg.connect(url, autocommit=True, cursor_factory=RawCursor) as conn:
        for _ in range(_WARM_UP):
            cursor = conn.execute(query, [chat.session_id, chat.user_id, 0, _MESSAGES])
            [(explained,)] = cursor.fetchall()
            plans += explained
    return {
        "finding the rows": median(p["Plan"]["Actual Total Time"] for p in plans) / 1e3,
        "writing them as text": median(p["Serialization"]["Time"] for p in plans) / 1e3,
    }


if __name__ == "__main__":
    sys.exit(main())
