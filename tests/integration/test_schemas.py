"""DATABASE_SCHEMA: several stores in one database, each with rows of its own."""

import asyncio
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from uuid import UUID

import psycopg
import pytest

from generated import carts, users
from generated.internal import user_steps
from postgres_testing import databases, pooler, proxy
from postgres_testing.databases import Template
from postgres_testing.embedded import Server
from store import AsyncStore, Product, Settings, Store, errors, migrations
from store.cli.main import main
from store.migrations import indexes, ledger, runner
from store.settings import DatabaseSettings
from store_testing import factories
from store_testing.schema import MIGRATIONS

SCHEMAS = ("shop", "other")
PEN = Product(product_id="B02", product_name="Pen", price=250)


def settings(url: str, schema: str | None, **others: object) -> Settings:
    """Give the settings of a store in a schema."""
    given: dict[str, object] = {"database_url": url, "database_schema": schema}
    return Settings.model_validate(given | others)


def within(url: str, schema: str) -> DatabaseSettings:
    """Give the settings of its migrations."""
    return DatabaseSettings.load(database_url=url, database_schema=schema)


@pytest.fixture(scope="module")
def stores(postgres_server: Server) -> Generator[Template]:
    """Give a database that has a store in each schema, and none in the default one."""

    def build(url: str) -> None:
        for schema in SCHEMAS:
            migrations.up(within(url, schema), directory=MIGRATIONS)

    with databases.template(postgres_server.url, build) as template:
        yield template


@pytest.fixture
def url(stores: Template) -> Generator[str]:
    """Give a copy of it."""
    with stores.clone() as copy:
        yield copy


@pytest.fixture(scope="module")
def one_session(postgres_server: Server) -> Generator[Callable[[str], str]]:
    """Give the way through a PgBouncer that has one session for all clients."""
    program = pooler.program()
    if program is None:
        pytest.skip("TEST_PGBOUNCER names no PgBouncer")
    with pooler.start(program, postgres_server.url, size=1) as between:
        yield between.url


def shown(store: Store, name: str) -> str:
    """Give a setting as a single statement has it."""
    with store.connection() as conn:
        [(value,)] = conn.execute(f"SHOW {name}".encode())
    return str(value)


def names_of(store: Store) -> set[str]:
    """Give who is in a store, by a single statement and by a transaction."""
    with store.connection() as conn:
        single = conn.execute("SELECT crossmint_user_id FROM users").fetchall()
    with store.transaction() as conn:
        inside = conn.execute("SELECT crossmint_user_id FROM users").fetchall()
    assert single == inside
    return {name for (name,) in single}


# The settings


@pytest.mark.parametrize(
    "name",
    [
        "Shop",
        "1shop",
        "shop,public",
        '"$user"',
        "pg_shop",
        "information_schema",
        "a" * 64,
    ],
)
def test_a_name_that_would_need_quotes_is_refused(name: str) -> None:
    """What a search_path would read otherwise than it is written is no name."""
    with pytest.raises(errors.ConfigurationError, match=r"^DATABASE_SCHEMA is "):
        Settings.load(database_url="postgresql://h/db", database_schema=name)


def test_without_it_nothing_is_set(store: Store, database_url: str) -> None:
    """The role's search_path stays as it is."""
    with psycopg.connect(database_url) as conn:
        [(default,)] = conn.execute("SHOW search_path")
    assert shown(store, "search_path") == default


@pytest.mark.parametrize("pooler", ["no", "yes"])
def test_a_word_of_sql_is_a_name(database_url: str, pooler: str) -> None:
    """A schema named `default` is none but that, in a database with another store."""
    migrations.up(within(database_url, "default"), directory=MIGRATIONS)
    with Store(settings(database_url, "default", database_pooler=pooler)) as store:
        store.create_user("google|1", email=None)
        assert names_of(store) == {"google|1"}
    with psycopg.connect(database_url) as conn:
        assert conn.execute('SELECT FROM "default".users').rowcount == 1


# Straight to the server


def test_a_store_lives_in_its_schema(url: str) -> None:
    """Each has its own user of one identity and its own ledger; nothing is public."""
    ids = set[UUID]()
    for schema in SCHEMAS:
        with Store(settings(url, schema)) as store:
            ids.add(store.create_user("google|1", email=None).id)
            assert names_of(store) == {"google|1"}
            assert shown(store, "search_path") == f'"{schema}", pg_temp'
        state = runner.status(within(url, schema), directory=MIGRATIONS)
        assert not state.pending
        assert not state.findings
    assert len(ids) == 2
    with psycopg.connect(url) as conn:
        [(strays,)] = conn.execute(
            "SELECT count(*) FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace"
            " WHERE nspname = 'public'"
        )
    assert strays == 0


def test_a_rollback_touches_one_schema(url: str) -> None:
    """What one store takes back stays applied in the other."""
    gone = migrations.rollback(within(url, "shop"), directory=MIGRATIONS)
    pending = [
        runner.status(within(url, schema), directory=MIGRATIONS).pending
        for schema in SCHEMAS
    ]
    assert pending == [(gone,), ()]


def test_a_schema_that_is_not_there(url: str) -> None:
    """The store says that it is not migrated, and never falls back to another one."""
    with (
        Store(settings(url, "nowhere")) as store,
        pytest.raises(errors.SchemaMismatch),
        store.connection() as conn,
    ):
        users.get_user(conn, id=UUID(int=0))


def test_its_role_needs_no_right_to_make_schemas(url: str) -> None:
    """Where the schema is there, migrations do not ask for CREATE on the database."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("DROP ROLE IF EXISTS tenant_migrator")
        conn.execute("CREATE ROLE tenant_migrator LOGIN PASSWORD 'x'")
        try:
            conn.execute("CREATE SCHEMA theirs AUTHORIZATION tenant_migrator")
            with psycopg.connect(url) as theirs:
                theirs.execute("SET ROLE tenant_migrator")
                ledger.make_schema(theirs, "theirs")
        finally:
            conn.execute("DROP OWNED BY tenant_migrator CASCADE")
            conn.execute("DROP ROLE tenant_migrator")


def test_an_invalid_index_of_another_store_is_its_own_affair(url: str) -> None:
    """It stops nobody else, and nobody else drops it."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("SET search_path = other")
        for name in ("a", "b"):
            user_steps.create_user(conn, crossmint_user_id=name, email="same@a.example")
        with pytest.raises(psycopg.errors.UniqueViolation):
            conn.execute("CREATE UNIQUE INDEX CONCURRENTLY broken ON users (email)")
        assert len(indexes.invalid(conn)) == 1
        conn.execute("SET search_path = shop")
        assert indexes.invalid(conn) == []


def test_adoption_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the replaced backend made is in the schema where it is."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/db")
    monkeypatch.setenv("DATABASE_SCHEMA", "shop")
    assert main(["adopt"]) == 2
    assert "DATABASE_SCHEMA is set" in capsys.readouterr().err


# Through one session of a pooler


def test_stores_that_share_a_session_never_meet(
    url: str, one_session: Callable[[str], str]
) -> None:
    """Single statements, transactions and batches see and write their own alone."""
    with ExitStack() as stack:
        stores = {
            schema: stack.enter_context(
                Store(settings(one_session(url), schema, database_url_direct=url))
            )
            for schema in SCHEMAS
        }
        ids = {
            schema: store.create_user(schema, email=None).id
            for schema, store in stores.items()
        }
        assert all(store.statistics.behind_pooler for store in stores.values())

        def work(turn: int) -> None:
            schema = SCHEMAS[turn % 2]
            store, mine = stores[schema], ids[schema]
            assert names_of(store) == {schema}
            with store.connection() as conn:
                users.set_display_name(conn, id=mine, display_name=f"{schema} {turn}")
                conn.cursor().executemany(
                    "UPDATE users SET apt = %s", [(schema,), (schema,)]
                )
                item = factories.add_item(conn, mine, product_id=f"{turn}")
            store.checkout(mine, [factories.line(item, f"{turn}")])
            with store.connection() as conn:
                assert not [
                    each
                    for each in carts.list_cart_items(conn, user_id=mine, max_rows=99)
                    if each.id == item.id
                ]

        with ThreadPoolExecutor(4) as threads:
            list(threads.map(work, range(40)))
    with psycopg.connect(url) as conn:
        for schema in SCHEMAS:
            conn.execute(f"SET search_path = {schema}".encode())
            rows = conn.execute(
                "SELECT u.id, apt, split_part(display_name, ' ', 1), count(o.id)"
                " FROM users u JOIN orders o ON o.user_id = u.id GROUP BY u.id"
            ).fetchall()
            assert rows == [(ids[schema], schema, schema, 20)]


def test_a_session_that_somebody_soiled_does_not_matter(
    url: str, one_session: Callable[[str], str]
) -> None:
    """Whatever search_path others leave on the session, ours is said each time."""
    with Store(settings(one_session(url), "shop", database_url_direct=url)) as store:
        with psycopg.connect(
            one_session(url), autocommit=True, prepare_threshold=None
        ) as rude:
            rude.execute("SET search_path = other")
        user = store.create_user("google|1", email=None)
        assert names_of(store) == {"google|1"}
        assert shown(store, "search_path") == '"shop", pg_temp'
        with psycopg.connect(
            one_session(url), autocommit=True, prepare_threshold=None
        ) as later:
            assert later.execute("SHOW search_path").fetchone() == ("other",)
    with psycopg.connect(url) as conn:
        assert conn.execute("SELECT id FROM shop.users").fetchall() == [(user.id,)]
        assert conn.execute("SELECT id FROM other.users").fetchall() == []


def test_temporary_tables_of_somebody_hide_nothing(
    url: str, one_session: Callable[[str], str]
) -> None:
    """A table that was left on the session under a store's name is not written to."""
    with Store(settings(one_session(url), "shop", database_url_direct=url)) as store:
        with psycopg.connect(
            one_session(url), autocommit=True, prepare_threshold=None
        ) as rude:
            rude.execute("CREATE TEMPORARY TABLE users (LIKE other.users)")
            rude.execute("CREATE TEMPORARY TABLE cart_items (LIKE other.cart_items)")
        user = store.create_user("google|1", email=None)
        store.add_cart_item(user.id, PEN)
        assert names_of(store) == {"google|1"}
    with psycopg.connect(url) as conn:
        assert conn.execute("SELECT count(*) FROM shop.cart_items").fetchone() == (1,)


def test_a_temporary_table_of_ones_own_hides_nothing(url: str) -> None:
    """Straight to the server, too, what a block leaves on its session is not read."""
    with Store(settings(url, "shop", database_pool_size=1)) as store:
        with store.connection() as conn:
            conn.execute("CREATE TEMPORARY TABLE users (crossmint_user_id text)")
            conn.execute("CREATE TEMPORARY TABLE notes (text text)")
        store.create_user("google|1", email=None)
        assert names_of(store) == {"google|1"}
        with store.connection() as conn:
            assert conn.execute("SELECT FROM notes").rowcount == 0  # it is found


def test_single_statements_commit_one_by_one(
    url: str, one_session: Callable[[str], str]
) -> None:
    """What comes before a statement that fails stays, and the connection is as good."""
    with Store(settings(one_session(url), "shop", database_url_direct=url)) as store:
        user = store.create_user("google|1", email=None)

        def write() -> None:
            with store.connection() as conn:
                users.set_display_name(conn, id=user.id, display_name="Ada")
                conn.execute("SELECT 'x'::integer")

        with pytest.raises(errors.InvalidValue):
            write()
        with store.connection() as conn:
            found = users.get_user(conn, id=user.id)
            assert found
            assert found.display_name == "Ada"
            assert conn.execute("UPDATE users SET apt = '1'").rowcount == 1
            with pytest.raises(psycopg.errors.DivisionByZero):
                conn.execute("SELECT 1 / 0")
            assert conn.execute("SELECT apt FROM users").fetchall() == [("1",)]
        assert store.statistics.discarded == 0


def test_copy_is_refused_where_it_could_miss_the_schema(
    url: str, one_session: Callable[[str], str]
) -> None:
    """COPY cannot travel with another statement: it raises, and writes nowhere."""
    with Store(settings(one_session(url), "shop", database_url_direct=url)) as store:
        with (
            pytest.raises(errors.DatabaseError),
            store.connection() as conn,
            conn.cursor().copy("COPY mutexes FROM STDIN") as copy,
        ):
            copy.write_row((1,))
        assert names_of(store) == set()


def test_the_same_to_be_awaited(url: str, one_session: Callable[[str], str]) -> None:
    """Single statements and transactions of the other face say their schema, too."""
    given = settings(one_session(url), "other", database_url_direct=url)

    async def work() -> None:
        async with AsyncStore(given) as store:
            await store.create_user("google|1", email=None)
            counting = "SELECT current_schema(), count(*) FROM users"
            async with store.connection() as conn:
                cursor = await conn.execute(counting)
                assert await cursor.fetchall() == [("other", 1)]
            async with store.transaction() as conn:
                cursor = await conn.execute(counting)
                assert await cursor.fetchall() == [("other", 1)]

    asyncio.run(work())


# As through a pooler, which a setting has the server be taken for


def test_a_lost_reply_is_told_as_without(url: str) -> None:
    """Whether a single statement may have been committed is known here, too."""
    with (
        proxy.before(url) as tap,
        Store(settings(tap.url, "shop", database_pooler="yes")) as store,
    ):
        user = store.create_user("google|1", email=None)
        # Of a read, already the reply to the schema's own statement.
        tap.cut_reply_to(b"SELECT 1")
        with pytest.raises(errors.ConnectionLost), store.connection() as conn:
            users.get_user(conn, id=user.id)
        tap.cut_reply_to(b"UPDATE 1")
        with pytest.raises(errors.OutcomeUnknown), store.connection() as conn:
            users.set_display_name(conn, id=user.id, display_name="Ada")
        with store.connection() as conn:
            found = users.get_user(conn, id=user.id)
        assert found
        assert found.display_name == "Ada"


def test_a_statement_that_takes_too_long_is_ended(url: str) -> None:
    """The client's limit ends it, and the connection goes on with the same schema."""
    given = settings(url, "shop", database_pooler="yes", database_statement_timeout=0.3)
    with Store(given) as store:
        with pytest.raises(errors.StatementTimeout), store.connection() as conn:
            conn.execute("SELECT pg_sleep(60)")
        assert shown(store, "search_path") == '"shop", pg_temp'
        with psycopg.connect(url) as looking:
            [(left,)] = looking.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)'"
                " AND state = 'active' AND datname = current_database()"
            )
        assert left == 0


def test_a_cancelled_call_leaves_nothing_behind(url: str) -> None:
    """Whose task is cancelled gives back a connection that others can use, or none."""
    given = settings(url, "shop", database_pooler="yes", database_pool_size=1)

    async def work() -> None:
        async with AsyncStore(given) as store:

            async def hang() -> None:
                async with store.connection() as conn:
                    await conn.execute("SELECT pg_sleep(60)")

            for _ in range(3):
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(hang(), 0.1)
                async with store.connection() as conn:
                    cursor = await conn.execute("SELECT current_schema()")
                    assert await cursor.fetchone() == ("shop",)

    asyncio.run(work())


def test_a_transaction_by_hand_keeps_the_schema(url: str) -> None:
    """From BEGIN to its end, and the next statement says the schema anew."""
    with Store(settings(url, "shop", database_pooler="yes")) as store:
        by_hand(store)
        assert store.statistics.discarded == 0


def by_hand(store: Store) -> None:
    """Begin and end transactions on a connection for single statements."""
    with store.connection() as conn:
        for statement in (
            "BEGIN",
            "SAVEPOINT a",
            "ROLLBACK TO a",
            "COMMIT",
            "SELECT 1",
        ):
            conn.execute(statement.encode())
            assert conn.execute("SELECT current_schema()").fetchone() == ("shop",)
        conn.execute("BEGIN")
        with pytest.raises(psycopg.errors.DivisionByZero):
            conn.execute("SELECT 1 / 0")
        conn.execute("ROLLBACK")
        assert conn.execute("SELECT current_schema()").fetchone() == ("shop",)


# The command line


@pytest.mark.parametrize("pooled", [False, True])
def test_commands_look_at_the_schema(
    url: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    pooled: bool,
) -> None:
    """The doctor and the keys' check find its tables, through a pooler, too."""
    between = request.getfixturevalue("one_session") if pooled else str
    monkeypatch.setenv("DATABASE_URL", between(url))
    monkeypatch.setenv("DATABASE_URL_DIRECT", url)
    monkeypatch.setenv("DATABASE_SCHEMA", "shop")
    monkeypatch.setenv("WALLET_ENCRYPTION_KEYS", "0b" * 32)
    main(["doctor"])
    said = capsys.readouterr().out
    assert "migrations are applied" in said
    assert "wallet keys: there are none yet" in said
    assert main(["keys", "check"]) == 0
