"""On a Citus that TEST_CITUS_URL names: migrations, errors, and a schema that moves.

It leads to the coordinator of at least two workers, to a database that has the
extension on all nodes; the role may create schemas. Where TEST_DATABASE_SCHEMA names
one, the store's other tests run there, too. What does not is told in docs/scaling.md.
"""

import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import conninfo, sql

from generated.internal import order_steps
from store import CheckoutLine, Product, Settings, Store, errors, migrations
from store.migrations import runner
from store.settings import DatabaseSettings
from store_testing import factories
from store_testing.schema import MIGRATIONS
from tests.support import citus

pytestmark = pytest.mark.skipif(not citus.URL, reason="TEST_CITUS_URL names no Citus")

SWITCHED_ON = "citus.enable_schema_based_sharding=on"
IS_DISTRIBUTED = "SELECT FROM citus_schemas WHERE schema_name = %s::regnamespace"


@pytest.fixture(scope="module")
def schema() -> Generator[str]:
    """Give a distributed schema that has the migrations."""
    with citus.schema() as name:
        yield name


@pytest.fixture
def conn(schema: str) -> Generator[psycopg.Connection]:
    """Give a session of the coordinator that finds the schema."""
    with psycopg.connect(citus.in_schema(schema), autocommit=True) as session:
        yield session


@pytest.fixture
def store(schema: str) -> Generator[Store]:
    """Give a store in the schema, by way of the coordinator."""
    with opened(citus.URL, schema) as store:
        yield store


@pytest.fixture
def new() -> Generator[str]:
    """Give a name for a schema, and drop that afterwards."""
    name = f"test_{uuid4().hex[:8]}"
    yield name
    citus.drop(name)


def opened(url: str, schema: str) -> Store:
    """Make a store in a schema, by way of any node."""
    given = {"database_url": url, "database_schema": schema}
    return Store(Settings.model_validate(given))


def settings(schema: str, *options: str) -> DatabaseSettings:
    """Give what migrations need, in sessions that have these options."""
    url = citus.with_options(*options) if options else citus.URL
    return DatabaseSettings.load(database_url=url, database_schema=schema)


def is_distributed(name: str) -> bool:
    """Ask Citus whether it has distributed a schema."""
    with psycopg.connect(citus.URL) as conn:
        there = conn.execute("SELECT to_regnamespace(%s)", [name]).fetchone()
        return there != (None,) and conn.execute(IS_DISTRIBUTED, [name]).rowcount == 1


def on_node(name: str, question: str) -> list[tuple[object, ...]]:
    """Ask the schema's own node."""
    with psycopg.connect(f"{citus.node(name)}?options=-csearch_path%3D{name}") as conn:
        return conn.execute(question.encode()).fetchall()


# Migrations


def test_a_new_schema_is_distributed_if_citus_says_so(new: str) -> None:
    """All is applied, then the schema distributed; a second run has nothing to do."""
    said: list[str] = []
    given = settings(new, SWITCHED_ON)
    applied = migrations.up(given, directory=MIGRATIONS, progress=said.append)
    assert said[-1] == f"Distributing: the schema {new}, by Citus"
    assert is_distributed(new)
    assert migrations.status(given, directory=MIGRATIONS).applied == applied
    functions = (
        "SELECT count(*) FROM pg_proc"
        " WHERE pronamespace = current_schema()::regnamespace"
    )
    [(here,)] = on_node(new, functions)
    with psycopg.connect(citus.in_schema(new)) as conn:
        assert conn.execute(functions).fetchone() == (here,)
    said.clear()
    assert migrations.up(given, directory=MIGRATIONS, progress=said.append) == ()
    assert said == []


def test_a_schema_stays_plain_where_the_switch_is_off(new: str) -> None:
    """All is applied on the coordinator, also where it is on the next time."""
    given = settings(new, "citus.enable_schema_based_sharding=off")
    assert migrations.up(given, directory=MIGRATIONS)
    assert migrations.up(settings(new, SWITCHED_ON), directory=MIGRATIONS) == ()
    assert not is_distributed(new)
    migrations.rollback(given, directory=MIGRATIONS)


def test_a_schema_that_somebody_made_for_it_is_distributed(new: str) -> None:
    """An empty one, which Citus has distributed as it was made, is as good as none."""
    with psycopg.connect(citus.with_options(SWITCHED_ON)) as conn:
        conn.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(new)))
    assert is_distributed(new)
    assert migrations.up(settings(new), directory=MIGRATIONS)
    assert is_distributed(new)


_KILLED = """
import os, signal, sys
from pathlib import Path
from store import migrations
from store.settings import DatabaseSettings

url, schema, directory, last = sys.argv[1:]

def progress(line):
    if line.startswith(last):
        os.kill(os.getpid(), signal.SIGKILL)

given = DatabaseSettings.load(database_url=url, database_schema=schema)
migrations.up(given, directory=Path(directory), progress=progress)
"""


@pytest.mark.parametrize("last", ["Applied: 0009", "Distributing"])
def test_a_run_that_was_killed_is_gone_on_with(new: str, last: str) -> None:
    """What it left is plain, and known as what is to be distributed, switch or not."""
    killed = subprocess.run(
        [
            *(sys.executable, "-c", _KILLED),
            *(citus.with_options(SWITCHED_ON), new, str(MIGRATIONS), last),
        ],
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert not is_distributed(new)
    migrations.up(settings(new), directory=MIGRATIONS)
    assert is_distributed(new)
    with opened(citus.URL, new) as store:
        assert store.create_user("google|1", email=None).onboarding_step == 0


LATER = """\
-- migrate:up
-- Citus passes on a query's text as it came, of which a node takes one statement.
ALTER TABLE cart_items ADD COLUMN note text;
ALTER TABLE cart_items ADD CONSTRAINT note_isn_t_empty CHECK (note <> '') NOT VALID;
CREATE INDEX cart_items_note_idx ON cart_items (note);
CREATE FUNCTION notes_of(owner_id uuid) RETURNS bigint LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT count(note) FROM cart_items WHERE user_id = owner_id;
END;
CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.note := upper(NEW.note);
    RETURN NEW;
END
$$;
CREATE TRIGGER shout BEFORE UPDATE OF note ON cart_items
FOR EACH ROW EXECUTE FUNCTION shout();

-- migrate:down
DROP TRIGGER shout ON cart_items;
DROP FUNCTION shout();
DROP FUNCTION notes_of(uuid);
DROP INDEX cart_items_note_idx;
ALTER TABLE cart_items DROP COLUMN note;
"""


def test_a_later_migration_reaches_the_node(new: str, tmp_path: Path) -> None:
    """Its tables, triggers and functions are there; and it can be taken back."""
    citus.make(new)
    shutil.copytree(MIGRATIONS, tmp_path, dirs_exist_ok=True)
    later = tmp_path / "0999_notes.sql"
    later.write_text(LATER)
    given = settings(new)
    assert migrations.up(given, directory=tmp_path, unrecorded_allowed=True) == (
        later.name,
    )
    with psycopg.connect(citus.in_schema(new), autocommit=True) as conn:
        user_id = factories.add_user(conn)
        item = factories.add_item(conn, user_id)
        noted = conn.execute(
            "UPDATE cart_items SET note = 'a' WHERE id = %s RETURNING note", [item.id]
        )
        assert noted.fetchone() == ("A",)
        counted = "SELECT notes_of(id) FROM users WHERE id = %s"
        assert conn.execute(counted, [user_id]).fetchone() == (1,)
    migrations.record(tmp_path)
    assert migrations.rollback(given, directory=tmp_path) == later.name
    left = "SELECT FROM pg_proc WHERE proname IN ('shout', 'notes_of')"
    assert on_node(new, f"{left} AND pronamespace = '{new}'::regnamespace") == []


def test_a_worker_is_refused(schema: str, new: str) -> None:
    """Its migration lock is its own: nothing is changed through it."""
    for name in (schema, new):
        through = DatabaseSettings.load(
            database_url=citus.node(schema), database_schema=name
        )
        with pytest.raises(
            errors.MigrationError, match="set DATABASE_URL_DIRECT to the coord"
        ):
            migrations.up(through, directory=MIGRATIONS)
        with pytest.raises(errors.MigrationError, match="a worker of Citus"):
            migrations.rollback(through, directory=MIGRATIONS)
        with pytest.raises(errors.MigrationError, match="a worker of Citus"):
            runner.repair(through, "0001_users.sql", directory=MIGRATIONS)
    assert not is_distributed(new)


# Errors


@pytest.fixture(scope="module")
def rows(schema: str) -> dict[str, object]:
    """Have a user, an order, and what the order of a deleted user has used."""
    with psycopg.connect(citus.in_schema(schema), autocommit=True) as conn:
        user_id = factories.add_user(conn, "google|taken")
        conn.execute(
            "INSERT INTO orders (user_id, type, tx_hash)"
            " VALUES (%s, 'deposit', '0x' || repeat('a', 64))",
            [user_id],
        )
        conn.execute(
            "INSERT INTO retired_orders (id, crossmint_order_id, tx_hash)"
            " VALUES (gen_random_uuid(), 'used', '0x' || repeat('b', 64))"
        )
    return {"user": user_id}


# What breaks a rule of each kind; kind, rule, table and column of the store's error are
# those of a plain server.
Violation = tuple[str, type[errors.StoreError], tuple[str | None, ...]]
VIOLATIONS: list[Violation] = [
    (
        "INSERT INTO users (crossmint_user_id) VALUES ('google|taken')",
        errors.AlreadyExists,
        ("users_crossmint_user_id_key", "users", None),
    ),
    (
        (
            "INSERT INTO orders (user_id, type, crossmint_order_id)"
            " VALUES (%(user)s, 'checkout', 'used')"
        ),
        errors.AlreadyExists,
        ("orders_crossmint_order_id_key", "orders", None),
    ),
    (
        (
            "INSERT INTO orders (user_id, type, tx_hash)"
            " VALUES (%(user)s, 'deposit', '0x' || repeat('b', 64))"
        ),
        errors.AlreadyExists,
        ("orders_tx_hash_key", "orders", None),
    ),
    (
        "INSERT INTO chat_sessions (user_id) VALUES (gen_random_uuid())",
        errors.MissingReference,
        ("chat_sessions_user_id_fkey", "chat_sessions", None),
    ),
    (
        "INSERT INTO orders (user_id, type) VALUES (%(user)s, 'deposit')",
        errors.InvalidValue,
        ("orders_deposit_has_tx_hash", "orders", None),
    ),
    (
        "INSERT INTO users DEFAULT VALUES",
        errors.InvalidValue,
        (None, "users", "crossmint_user_id"),
    ),
    (
        "UPDATE users SET email = ''",
        errors.InvalidValue,
        ("email_address_is_not_empty", None, None),
    ),
    (
        "UPDATE users SET display_name = repeat('x', 999)",
        errors.InvalidValue,
        (None, None, None),
    ),
    ("SELECT nothing FROM users", errors.SchemaMismatch, (None, None, None)),
]


@pytest.mark.parametrize("way", ["coordinator", "own node", "another node"])
@pytest.mark.parametrize("violation", VIOLATIONS, ids=lambda each: each[0][:50])
def test_an_error_is_that_of_a_plain_server(
    schema: str, rows: dict[str, object], way: str, violation: Violation
) -> None:
    """Whichever node passes it on, class, rule, table and column are known."""
    statement, kind, known = violation
    url = citus.URL
    if way != "coordinator":
        url = citus.node(schema, another=way == "another node")
    with (
        opened(url, schema) as store,
        pytest.raises((errors.DatabaseError, errors.InvalidValue)) as raised,
        store.connection() as conn,
    ):
        conn.execute(statement.encode(), rows)
    error = raised.value
    assert isinstance(error, (errors.DatabaseError, errors.InvalidValue))
    assert type(error) is kind
    assert (error.constraint, error.table, error.column) == known


@pytest.mark.parametrize("way", ["coordinator", "own node", "another node"])
def test_a_refused_checkout_says_why(schema: str, way: str) -> None:
    """By way of any node the store understands what the database refuses."""
    url = citus.URL
    if way != "coordinator":
        url = citus.node(schema, another=way == "another node")
    with opened(url, schema) as store:
        user_id = store.create_user(f"google|{uuid4()}", email=None).id
        line = CheckoutLine(cart_item_id=add_item(store, user_id))
        first = store.checkout(user_id, [line])
        with pytest.raises(errors.ItemUnavailable):
            store.checkout(user_id, [CheckoutLine(cart_item_id=line.cart_item_id)])
        again = CheckoutLine(
            cart_item_id=add_item(store, user_id), crossmint_order_id=str(uuid4())
        )
        second = store.checkout(user_id, [again])
        for placed in [*first, *second]:
            store.cancel_order(user_id, placed.order.id)
        store.delete_user(user_id)
        other = store.create_user(f"google|{uuid4()}", email=None).id
        taken = CheckoutLine(
            cart_item_id=add_item(store, other),
            crossmint_order_id=again.crossmint_order_id,
        )
        with pytest.raises(errors.AlreadyExists) as raised:
            store.checkout(other, [taken])
    assert raised.value.constraint == "orders_crossmint_order_id_key"


def add_item(store: Store, user_id: UUID) -> UUID:
    """Put a product of its own into the cart."""
    pen = Product(product_id=str(uuid4()), product_name="Pen", price=250)
    return store.add_cart_item(user_id, pen).item.id


# Nodes


def test_a_store_is_on_one_node(schema: str, conn: psycopg.Connection) -> None:
    """All of its tables are distributed, as one group."""
    found = conn.execute(
        "SELECT DISTINCT colocation_id, nodename, nodeport FROM citus_shards"
        " WHERE table_name IN"
        " (SELECT oid FROM pg_class WHERE relnamespace = %s::regnamespace)",
        [schema],
    )
    assert len(found.fetchall()) == 1


def test_callers_exclude_each_other(
    schema: str, store: Store, conn: psycopg.Connection
) -> None:
    """By way of two nodes, too: who locks an order holds others up until COMMIT."""
    order: list[str] = []

    def second() -> None:
        with store.transaction() as inside:
            order_steps.lock_crossmint_orders(inside, crossmint_order_ids=["x"])
            inside.execute("SELECT 1").fetchone()
            order.append("second")

    near = f"{citus.node(schema)}?options=-csearch_path%3D{schema}"
    with (
        psycopg.connect(near, autocommit=True) as holder,
        ThreadPoolExecutor(1) as thread,
    ):
        with holder.transaction():
            order_steps.lock_crossmint_orders(holder, crossmint_order_ids=["x"])
            waiting = thread.submit(second)
            while not conn.execute(
                "SELECT FROM citus_stat_activity WHERE query LIKE '%mutexes%'"
                " AND state = 'active' AND pid <> pg_backend_pid()"
            ).rowcount:
                assert not waiting.done()
            order.append("first")
        waiting.result()
    assert order == ["first", "second"]


@pytest.mark.long
def test_a_move_loses_nothing(
    new: str, record_property: Callable[[str, object], None]
) -> None:
    """Of four that write while their schema moves each checkout stands."""
    citus.make(new)
    done: list[UUID] = []
    failed: list[BaseException] = []
    has_moved = threading.Event()

    def buy(store: Store) -> None:
        user_id = store.create_user(f"google|{uuid4()}", email=None).id
        while not has_moved.is_set():
            try:
                line = CheckoutLine(
                    cart_item_id=add_item(store, user_id),
                    crossmint_order_id=str(uuid4()),
                )
                [placed] = store.checkout(user_id, [line])
                done.append(placed.order.id)
            except errors.StoreError as error:
                failed.append(error)

    before, target = citus.node(new), citus.node(new, another=True)
    with (
        opened(citus.URL, new) as store,
        ThreadPoolExecutor(4) as threads,
        psycopg.connect(citus.URL, autocommit=True) as conn,
    ):
        writers = [threads.submit(buy, store) for _ in range(4)]
        try:
            while len(done) < 40:
                time.sleep(0.01)
            began, earlier = time.monotonic(), len(done)
            to = conninfo.conninfo_to_dict(target)
            conn.execute(
                "SELECT citus_schema_move(%s::regnamespace, %s, %s::integer)",
                [new, to["host"], to["port"]],
            )
            seconds, meanwhile = time.monotonic() - began, len(done) - earlier
            after = len(done)
            while len(done) < after + 40:
                time.sleep(0.01)
        finally:
            has_moved.set()
        for each in writers:
            each.result()
    record_property(
        f"checkouts, {meanwhile} during a move of {seconds:.1f} s", len(done)
    )
    record_property("of them failed", len(failed))
    assert citus.node(new) == target != before
    kept = on_node(new, "SELECT id FROM orders")
    assert {(each,) for each in done} == {*kept}
    assert failed == []
