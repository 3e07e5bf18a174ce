"""A project that installs the store has the kit's fixtures, and pays for no others."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from urllib.parse import urlsplit

import psycopg
import pytest

from postgres_testing import databases, servers
from postgres_testing.embedded import Server

pytest_plugins = ["pytester"]

SHOP = """
import pytest
from store import Product
from store_testing import chains, crossmint, factories, strategies

PEN = Product(product_id="B01", product_name="Pen", price=100)

@pytest.fixture
def anyio_backend():
    return "asyncio"

@pytest.mark.parametrize("number", range(3))
def test_a_store(store, conn, number):
    user = store.create_user("google|1", email=None)
    assert store.add_cart_item(user.id, PEN).item.price == 100
    assert conn.execute("SELECT count(*) FROM users").fetchone() == (1,)

@pytest.mark.anyio
@pytest.mark.parametrize("number", range(3))
async def test_a_store_to_await(async_store, async_conn, number):
    user = await async_store.create_user("google|1", email=None)
    assert (await async_store.add_cart_item(user.id, PEN)).item.price == 100
    counted = await async_conn.execute("SELECT count(*) FROM users")
    assert await counted.fetchone() == (1,)

def test_a_payment(store, conn):
    item = factories.add_item(conn, factories.add_user(conn))
    [placed] = store.checkout(item.user_id, [factories.line(item, "x")])
    event = crossmint.event("orders.payment.succeeded", crossmint.order("x"))
    store.receive_order_event(*crossmint.delivery("event-1", event))
    [paid] = factories.orders_of(conn, item.user_id)
    assert paid.order.status == "payment_confirmed"
"""

IDLE = """
import sys

def test_nothing_of_the_kit_is_there_unasked():
    ours = {"generated", "postgres_testing.servers", "psycopg", "store"}
    assert not ours & sys.modules.keys()
"""

FAILING = """
import pytest

def test_is_well(conn):
    conn.execute("CREATE TABLE forgotten ()")

@pytest.mark.parametrize("where", ["here"])
def test_fails(conn, where):
    conn.execute("CREATE TABLE seen AS SELECT 'last words' AS words")
    assert conn is None

@pytest.fixture
def broken(conn):
    conn.execute("CREATE TABLE seen AS SELECT 'last words' AS words")
    raise RuntimeError

def test_is_not_set_up(broken):
    pass
"""


@pytest.mark.usefixtures("no_server_is_given")
@pytest.mark.parametrize("processes", ["0", "2"])
def test_a_project_without_a_conftest_has_its_fixtures(
    pytester: pytest.Pytester, processes: str
) -> None:
    """Blocking and awaiting tests have a store each, in one process or in two."""
    pytester.makepyfile(SHOP)
    ran = pytester.runpytest_subprocess("-W", "error", "-n", processes)
    ran.assert_outcomes(passed=7)


def test_a_project_that_does_not_ask_pays_nothing(pytester: pytest.Pytester) -> None:
    """Without a fixture nothing is started, and nothing of the store is imported."""
    pytester.makepyfile(IDLE)
    pytester.runpytest_subprocess("-W", "error").assert_outcomes(passed=1)


def test_the_store_needs_no_pytest() -> None:
    """What is not a test imports the store where pytest is not installed."""
    program = "import sys; sys.modules.update(pytest=None, hypothesis=None); "
    program += "import generated, store.migrations"
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.usefixtures("no_server_is_given")
@pytest.mark.parametrize("processes", ["0", "2"])
def test_a_failed_test_s_database_is_kept_on_an_embedded_server(
    pytester: pytest.Pytester, processes: str
) -> None:
    """A shell shows it by the command, without a password; the others are dropped."""
    pytester.makepyfile(FAILING)
    ran = pytester.runpytest_subprocess("--keep-databases", "-n", processes)
    ran.assert_outcomes(passed=1, failed=1, errors=1)
    commands: list[str] = re.findall("The database is kept: (.+)", ran.stdout.str())
    kept = [shlex.split(command)[-1] for command in commands]
    holders = {
        int(id_) for id_ in re.findall(r"`kill (\d+)` ends it", ran.stdout.str())
    }
    try:
        assert len(kept) == 2
        for command, url in zip(commands, kept, strict=True):
            assert urlsplit(url).password is None
            looking = f"{command} --tuples-only --no-align -c 'TABLE seen'"
            assert subprocess.check_output(looking, shell=True) == b"last words\n"  # noqa: S602 - as it is pasted
            assert clones(url) <= {databases.name_of(each) for each in kept}
    finally:
        for holder in holders:
            os.kill(holder, signal.SIGTERM)
    assert all(ends(url) for url in kept)


@pytest.mark.usefixtures("no_server_is_given")
def test_a_failed_test_s_database_is_kept_on_a_given_server(
    pytester: pytest.Pytester, own_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stays when others run tests there, until somebody drops it."""
    monkeypatch.setenv("TEST_DATABASE_URL", own_server.url)
    monkeypatch.setenv("TEST_KEEP_DATABASES", "1")
    pytester.makepyfile(FAILING)
    ran = pytester.runpytest_subprocess("-k", "fails")
    [command] = re.findall("The database is kept: (.+)", ran.stdout.str())
    kept = shlex.split(command)[-1]
    assert str(urlsplit(own_server.url).password) not in ran.stdout.str()
    pytester.runpytest_subprocess("-k", "is_well").assert_outcomes(passed=1)
    url = databases.url_of(own_server.url, databases.name_of(kept))
    with psycopg.connect(url) as conn:
        assert conn.execute("SELECT words FROM seen").fetchone() == ("last words",)
    databases.drop(own_server.url, databases.name_of(kept))


@pytest.mark.usefixtures("no_server_is_given")
def test_no_database_is_kept_unasked(
    pytester: pytest.Pytester, own_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the option the database of a failed test goes like all others."""
    monkeypatch.setenv("TEST_DATABASE_URL", own_server.url)
    pytester.makepyfile(FAILING)
    ran = pytester.runpytest_subprocess()
    ran.assert_outcomes(passed=1, failed=1, errors=1)
    assert "is kept" not in ran.stdout.str()
    with psycopg.connect(own_server.url) as conn:
        left = conn.execute(
            "SELECT FROM pg_database WHERE datname ~ '^test_[0-9a-f]{8}'"
        )
        assert left.rowcount == 0


def test_a_schema_of_one_s_own(
    pytester: pytest.Pytester, own_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A project's own `postgres_schema` takes the place of the store's."""
    monkeypatch.setenv("TEST_DATABASE_URL", own_server.url)
    pytester.makepyfile(
        """
        import psycopg, pytest
        from postgres_testing.schemas import Schema

        def build(url):
            with psycopg.connect(url) as conn:
                conn.execute("CREATE TABLE mine ()")

        @pytest.fixture(scope="session")
        def postgres_schema():
            return Schema("0123456789ab", build)

        def test_it(conn):
            found = conn.execute("SELECT to_regclass('mine'), to_regclass('users')")
            assert found.fetchone() == ("mine", None)
        """
    )
    pytester.runpytest_subprocess("-W", "error").assert_outcomes(passed=1)


def test_a_project_s_tests_run_in_a_container(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where an engine has the image, the server is a container that goes in the end."""
    monkeypatch.delenv("TEST_DATABASE_URL", raising=False)
    try:
        servers.Container.local()
    except servers.NoContainerError as reason:
        pytest.skip(str(reason))
    pytester.makepyfile(FAILING)
    ran = pytester.runpytest_subprocess("-k", "fails", "--keep-databases")
    [command] = re.findall("The database is kept: (.+)", ran.stdout.str())
    kept = shlex.split(command)[-1]
    [name] = re.findall(r"`docker rm --force (\S+)` ends it", ran.stdout.str())
    try:
        with psycopg.connect(kept) as conn:
            assert conn.execute("SELECT words FROM seen").fetchone() == ("last words",)
    finally:
        subprocess.run(["docker", "rm", "--force", name], check=True)


def clones(url: str) -> set[str]:
    """List the databases of tests on a server."""
    ours = "SELECT datname FROM pg_database WHERE datname ~ '^test_[0-9a-f]{8}'"
    with psycopg.connect(url) as conn:
        return {name for (name,) in conn.execute(ours)}


def ends(url: str) -> bool:
    """Wait until nobody listens there any more."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            return True
        time.sleep(0.02)
    return False
