"""What docs/operations.md shows is done here, word for word, on a server of its own."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TypeAlias
from urllib.parse import quote, urlsplit

import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr

from postgres_testing import databases, embedded
from postgres_testing.embedded import Server
from store import CheckoutLine, Product, Settings, Store
from store_testing import chains
from tests.support.recorded import MIGRATIONS
from tests.support.tables import Tables

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/operations.md").read_text()
PASSWORD = "only for these tests"  # noqa: S105
RING = "0f" * 32

Shell: TypeAlias = Callable[..., None]


def shown(title: str) -> str:
    """Give the commands of a section."""
    section = PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]
    blocks: list[str] = re.findall(
        r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL
    )
    [commands] = blocks
    return commands


@pytest.fixture
def server() -> Generator[Server]:
    """Give a server for roles of these names."""
    with embedded.start() as started:
        yield started


def url_of(server: Server, role: str, database: str) -> str:
    """Give a role's URL of a database."""
    parts = urlsplit(databases.url_of(server.url, database))
    address = f"{role}:{quote(PASSWORD)}@{parts.hostname}:{parts.port}"
    return parts._replace(netloc=address).geturl()


@pytest.fixture
def run(server: Server, tmp_path: Path) -> Shell:
    """Run commands, as somebody whose psql reaches the server, at no terminal."""
    parts = urlsplit(server.url)
    (tmp_path / "db").symlink_to(ROOT / "db")
    environment = os.environ | {
        "PATH": f"{server.bin}:{sys.prefix}/bin:{os.environ['PATH']}",
        "PGHOST": str(parts.hostname),
        "PGPORT": str(parts.port),
        "PGUSER": str(parts.username),
        "PGPASSWORD": str(parts.password),
        "ADMIN_URL": databases.url_of(server.url, "shop"),
        "WALLET_ENCRYPTION_KEYS": RING,
    }

    def run(commands: str, *, typed: str = "", database: str = "shop") -> None:
        urls = {
            "DATABASE_URL": url_of(server, "shop_app", database),
            "DATABASE_URL_DIRECT": url_of(server, "shop_migrator", database),
        }
        subprocess.run(
            ["bash", "-euc", commands],
            cwd=tmp_path,
            env=environment | urls,
            input=typed,
            text=True,
            check=True,
            start_new_session=True,  # else psql asks the terminal for the passwords
        )

    return run


def test_a_backup_is_restored_as_is_written(server: Server, run: Shell) -> None:
    """With its roles, every row and key is there again, and the store goes on."""
    run("createdb shop")
    run(shown("Roles"), typed=f"{PASSWORD}\n" * 4)
    run(f"store migrate --directory {MIGRATIONS} up")
    key = SecretStr(chains.sui_private_key(bytes(32)))
    pen = Product(product_id="B01", product_name="Pen", price=250)
    app = url_of(server, "shop_app", "shop")
    with Store(Settings.load(database_url=app, wallet_encryption_keys=RING)) as store:
        user_id = store.create_user("google|1", email=None).id
        store.set_sui_private_key(user_id, key)
        item = store.add_cart_item(user_id, pen).item
        store.checkout(user_id, [CheckoutLine(cart_item_id=item.id)])

    run(shown("Back up"))
    run(shown("Restore"))

    run(f"store migrate --directory {MIGRATIONS} status", database="restored")
    run("store keys check", database="restored")
    with (
        psycopg.connect(databases.url_of(server.url, "shop")) as before,
        psycopg.connect(databases.url_of(server.url, "restored")) as after,
    ):
        rows = Tables(after).read()
        assert rows == Tables(before).read()
        assert rows["order_items"]
    restored = url_of(server, "shop_app", "restored")
    settings = Settings.load(database_url=restored, wallet_encryption_keys=RING)
    with Store(settings) as store:
        assert store.add_cart_item(user_id, pen).is_new
        found = store.get_sui_private_key(user_id)
        assert found == key
    with (
        psycopg.connect(restored) as conn,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        conn.execute(sql.SQL("DROP TABLE users CASCADE"))
