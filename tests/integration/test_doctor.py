"""`store doctor` names what is wrong, on real servers with real faults."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import LiteralString, TypeAlias
from urllib.parse import quote, urlsplit

import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr

from generated.internal import server as queries
from generated.internal.server import GetServerRow
from postgres_testing import clusters, databases, embedded, pooler
from postgres_testing.clusters import Cluster
from postgres_testing.databases import url_of
from postgres_testing.embedded import Server
from store.cli import main as command_line
from store.doctor import server as server_checks
from store.doctor import variables
from store.schema_tools import programs
from store_testing import chains, crossmint, factories, wallets
from store_testing.schema import SCHEMA
from tests.support import stores

ROOT = Path(__file__).parents[2]
DATABASE = ROOT / "db"
RING = "0f" * 32
PASSWORD = "only for these tests"  # noqa: S105
KEY = chains.sui_private_key(bytes(range(32)))


@dataclass(frozen=True, slots=True)
class Report:
    """What was said, and how it ended."""

    code: int
    found: list[dict[str, str]]
    text: str

    def of(self, level: str) -> list[tuple[str, str]]:
        """Give what was found of a level: which check, and its message."""
        return [
            (one["check"], one["message"])
            for one in self.found
            if one["level"] == level
        ]

    def names(self, level: str, check: str, words: str) -> bool:
        """Tell whether a check of that level says these words."""
        return any(check == one and words in said for one, said in self.of(level))


Doctor: TypeAlias = Callable[..., Report]


@pytest.fixture
def doctor(
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Doctor:
    """Run the doctor in a copy of db/, with these variables beside good ones."""
    shutil.copytree(DATABASE, tmp_path / "db")
    monkeypatch.chdir(tmp_path)

    def run(**given: str | None) -> Report:
        good = {
            "DATABASE_URL": database_url,
            "WALLET_ENCRYPTION_KEYS": RING,
            "CROSSMINT_WEBHOOK_SECRETS": crossmint.SECRET,
        }
        for name in {*os.environ} & {*variables.NAMES}:
            monkeypatch.delenv(name)
        for name, value in (good | given).items():
            if value is not None:
                monkeypatch.setenv(name, value)
        capsys.readouterr()
        code = command_line.main(["doctor", "--json"])
        said = capsys.readouterr()
        hidden = {
            *(good | given).values(),
            *(urlsplit(url).password for url in (database_url,)),
            KEY,
        } - {None, "", "0", "no", "yes"}
        assert not [one for one in hidden if one and one in said.out + said.err]
        return Report(code, json.loads(said.out)["checks"], said.err)

    return run


# The environment


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"DATABASE_POOL_SIZE": "0"}, "unknown value"),
        ({"DATABASE_URL": "mysql://a/b"}, "does not begin with postgresql://"),
        ({"WALLET_ENCRYPTION_KEYS": f"{RING},12"}, "(entry 2) is not 32 bytes"),
        ({"CROSSMINT_WEBHOOK_SECRETS": "whsec_?"}, "is not whsec_ with base64"),
        ({"DATABASE_URL": None}, "is not set"),
    ],
)
def test_each_bad_variable_is_named(
    doctor: Doctor, given: dict[str, str | None], words: str
) -> None:
    """What is wrong with one is said without its value, and beside all the others."""
    both: dict[str, str | None] = {"CART_MAX_ITEMS": "none at all", **given}
    report = doctor(**both)
    [name] = given
    assert report.names("wrong", name, words)
    assert report.names("wrong", "CART_MAX_ITEMS", "unknown value")
    assert report.code == 2


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("WALLET_ENCRYPTION_KEY", "WALLET_ENCRYPTION_KEYS"),
        ("DATABASE_POOLSIZE", "DATABASE_POOL_SIZE"),
        ("DATABSE_URL", "DATABASE_URL"),
    ],
)
def test_a_name_that_is_almost_a_setting_is_named(
    doctor: Doctor, name: str, meant: str
) -> None:
    """Nobody reads a variable that is spelled otherwise."""
    assert doctor(**{name: "x-y-z"}).names("wrong", name, f"{meant} is")


def test_what_is_not_set_is_said_where_something_needs_it(doctor: Doctor) -> None:
    """Without keys and secrets the store starts, and refuses what needs them."""
    report = doctor(WALLET_ENCRYPTION_KEYS=None, CROSSMINT_WEBHOOK_SECRETS=None)
    assert report.names("notice", "WALLET_ENCRYPTION_KEYS", "is not set")
    assert report.names("notice", "CROSSMINT_WEBHOOK_SECRETS", "is not set")


# The way to the server


def changed(url: str, **parts: str) -> str:
    """Change parts of a URL: host and port, password, or the query."""
    one = urlsplit(url)
    user = quote(one.username or "")
    password = quote(parts.get("password", one.password or ""))
    place = parts.get("place", f"{one.hostname}:{one.port}")
    query = parts.get("query", one.query)
    return one._replace(netloc=f"{user}:{password}@{place}", query=query).geturl()


@contextmanager
def silent() -> Generator[str]:
    """Have somebody listen who never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"


def test_a_host_that_nobody_knows_is_named(doctor: Doctor, database_url: str) -> None:
    """A slip in the host's name is told from a server that is down."""
    url = changed(database_url, place="db.nowhere.invalid:5432")
    report = doctor(DATABASE_URL=url)
    assert report.names("wrong", "DATABASE_URL", "host db.nowhere.invalid: its name")
    assert report.code == 2


def test_a_server_that_is_down_is_named(doctor: Doctor, database_url: str) -> None:
    """So is a port at which nobody listens."""
    place = f"127.0.0.1:{embedded.free_port()}"
    report = doctor(DATABASE_URL=changed(database_url, place=place))
    assert report.names("wrong", "DATABASE_URL", "nobody listens")


def test_a_server_that_is_silent_is_named(doctor: Doctor, database_url: str) -> None:
    """The doctor does not wait for ever, and says so."""
    with silent() as place:
        url = changed(database_url, place=place, query="connect_timeout=2")
        report = doctor(DATABASE_URL=url)
    assert report.names("wrong", "DATABASE_URL", "did not answer in time")


def test_a_wrong_password_is_named(doctor: Doctor, database_url: str) -> None:
    """So is a password that the server refuses, and it is not shown."""
    url = changed(database_url, password="s3cret-and-wrong")  # noqa: S106
    report = doctor(DATABASE_URL=url)
    assert report.names("wrong", "DATABASE_URL", "refused the user or the password")
    assert "s3cret" not in report.text


def test_a_database_that_is_missing_is_named(
    doctor: Doctor, postgres_server: Server
) -> None:
    """So is a name of no database."""
    report = doctor(DATABASE_URL=url_of(postgres_server.url, "store_test_nowhere"))
    assert report.names("wrong", "DATABASE_URL", "no database of the name")


def test_tls_that_the_server_lacks_is_named(doctor: Doctor, database_url: str) -> None:
    """What the URL demands and the server lacks is told from a wrong password."""
    report = doctor(DATABASE_URL=changed(database_url, query="sslmode=require"))
    assert report.names("wrong", "DATABASE_URL", "TLS could not be agreed on")


def test_two_urls_of_two_databases_are_named(
    doctor: Doctor, postgres_server: Server
) -> None:
    """Migrations would be applied to another database than the one that is used."""
    report = doctor(DATABASE_URL_DIRECT=postgres_server.url)
    assert report.names("wrong", "DATABASE_URL_DIRECT", "another database or server")


@pytest.fixture
def pooled(postgres_server: Server, database_url: str) -> Generator[str]:
    """Give the URL by way of a pooler."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("there is no PgBouncer here")
    with pooler.start(Path(program), postgres_server.url) as between:
        yield between.url(database_url)


def test_a_pooler_is_recognised(doctor: Doctor, pooled: str, database_url: str) -> None:
    """Whatever its port: where it is right it is told, where it hurts it is named."""
    report = doctor(DATABASE_URL=pooled, DATABASE_URL_DIRECT=database_url)
    assert report.names("ok", "pooler", "leads to one")
    assert not [one for one in report.of("wrong") if one[0].startswith("DATABASE")]
    report = doctor(DATABASE_URL=pooled, DATABASE_POOLER="no")
    assert report.names("wrong", "DATABASE_POOLER", "prepared statements fail there")
    assert report.names("notice", "DATABASE_URL_DIRECT", "no migrations from here")
    report = doctor(DATABASE_URL_DIRECT=pooled, DATABASE_POOLER="yes")
    assert report.names("wrong", "DATABASE_URL_DIRECT", "leads to a pooler")
    assert report.names("notice", "DATABASE_POOLER", "leads to the server")


# Faults of a database, each planted by a statement, its name standing for `{}`

FAULTS: dict[str, tuple[LiteralString, str, str, str]] = {
    "pending": (
        "DELETE FROM schema_migrations WHERE version = '0015'",
        *("wrong", "schema", "1 migrations are pending, the first is 0015_"),
    ),
    "not migrated": (
        "DELETE FROM schema_migrations",
        *("wrong", "schema", "no migration is applied"),
    ),
    "newer": (
        "INSERT INTO schema_migrations VALUES ('9999')",
        *("notice", "schema", "9999"),
    ),
    "another file": (
        (
            "ALTER TABLE schema_migrations ADD name text, ADD sha256 text;"
            "UPDATE schema_migrations SET name = '0003_x.sql', sha256 = 'x'"
            " WHERE version = '0003'"
        ),
        *("wrong", "schema", "0003_carts.sql"),
    ),
    "a broken index": (
        (
            "UPDATE pg_index SET indisvalid = FALSE"
            " WHERE indexrelid = 'users_pkey'::regclass"
        ),
        *("wrong", "indexes", "users_pkey"),
    ),
    "a column by hand": (
        "ALTER TABLE users ADD shoe_color text",
        *("wrong", "schema", "only here has: CREATE TABLE public.users ( shoe_color"),
    ),
    "a rule gone": (
        "ALTER TABLE users DROP CONSTRAINT users_updated_after_created",
        *("wrong", "schema", "only db/schema.sql has: "),
    ),
    "read only": (
        "ALTER DATABASE {} SET default_transaction_read_only = on",
        *("wrong", "server settings", "nothing can be written"),
    ),
    "no triggers": (
        "ALTER DATABASE {} SET session_replication_role = replica",
        *("wrong", "server settings", "turns triggers and foreign keys off"),
    ),
    "idle sessions end": (
        "ALTER DATABASE {} SET idle_session_timeout = '1min'",
        *("notice", "server settings", "idle_session_timeout is 60000 ms"),
    ),
    "damage is hidden": (
        "ALTER DATABASE {} SET zero_damaged_pages = on",
        *("wrong", "server settings", "damaged rows vanish"),
    ),
    "few connections": (
        "ALTER DATABASE {} CONNECTION LIMIT 3",
        *("wrong", "connections", "there are but 3"),
    ),
    "a time zone": (
        "ALTER DATABASE {} SET timezone = 'Europe/Berlin'",
        *("notice", "time zone", "Europe/Berlin"),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_database_is_named(
    doctor: Doctor, conn: psycopg.Connection, fault: str
) -> None:
    """It is named where it was planted, and not before."""
    planting, level, check, words = FAULTS[fault]
    major = programs.version().partition(".")[0]
    if words.startswith("only ") and conn.info.server_version // 10_000 != int(major):
        pytest.skip("other versions spell the schema otherwise, and are not compared")
    assert not doctor().names(level, check, words)
    database = sql.Identifier(conn.info.dbname)
    conn.execute(sql.SQL(planting).format(database))
    assert doctor().names(level, check, words)


def test_an_edited_migration_is_named(doctor: Doctor, tmp_path: Path) -> None:
    """A recorded file that changed is found before any server is asked."""
    assert doctor().names("ok", "journal", "as they were recorded")
    with (tmp_path / "db/migrations/0002_chats.sql").open("a") as file:
        file.write("-- one more line\n")
    assert doctor().names("wrong", "journal", "0002_chats.sql")


def test_an_encoding_that_cannot_hold_every_text_is_named(
    doctor: Doctor, postgres_server: Server, conn: psycopg.Connection
) -> None:
    """A database in LATIN1 refuses most names of people."""
    name = f"store_test_{secrets.token_hex(4)}"
    making = "CREATE DATABASE {} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0"
    conn.execute(sql.SQL(making).format(sql.Identifier(name)))
    try:
        report = doctor(DATABASE_URL=url_of(postgres_server.url, name))
    finally:
        conn.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))
    assert report.names("wrong", "encoding", "in LATIN1")


def test_a_role_that_lacks_a_right_is_named(
    doctor: Doctor, conn: psycopg.Connection, database_url: str
) -> None:
    """Each table that it cannot write is named with what it lacks, and nothing more."""
    role = f"store_test_{secrets.token_hex(4)}"
    names = {"role": sql.Identifier(role), "password": sql.Literal(PASSWORD)}
    for statement in (
        "CREATE ROLE {role} LOGIN PASSWORD {password}",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
        "REVOKE UPDATE, DELETE ON cart_items FROM {role}",
    ):
        conn.execute(sql.SQL(statement).format(**names))
    one = urlsplit(database_url)
    place = f"{role}:{quote(PASSWORD)}@{one.hostname}:{one.port}"
    try:
        report = doctor(DATABASE_URL=one._replace(netloc=place).geturl())
    finally:
        for statement in ("DROP OWNED BY {role}", "DROP ROLE {role}"):
            conn.execute(sql.SQL(statement).format(**names))
    rights = [said for check, said in report.of("wrong") if check == "rights"]
    assert rights == [f"{role} lacks UPDATE, DELETE on cart_items"]
    assert PASSWORD not in report.text


def test_a_superuser_is_more_than_it_needs(doctor: Doctor) -> None:
    """The application's role should not be one."""
    assert doctor().names("notice", "rights", "is a superuser")


@pytest.mark.parametrize("minutes", [2, 10])
def test_a_clock_that_is_wrong_is_named(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    """From five minutes on, webhooks are refused, which is worse than before."""

    class Late(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Late:
            now = datetime.now(tz) + timedelta(minutes=minutes)
            return cls.fromtimestamp(now.timestamp(), tz)

    assert doctor().names("ok", "clock", "agree")
    monkeypatch.setattr(server_checks, "datetime", Late)
    level = "notice" if minutes == 2 else "wrong"
    assert doctor().names(level, "clock", f"differ by {minutes * 60} s")


@pytest.mark.parametrize(
    ("number", "version", "words"),
    [
        (140015, "14.15", "lacks NULLS NOT DISTINCT"),
        (150009, "15.9", "before 15.10 slots lost WAL"),
        (160001, "16.1", "before 16.2 GIN indexes could be corrupted"),
        (170001, "17.1", "before 17.2 replication slots could lose WAL"),
    ],
)
def test_a_version_with_known_faults_is_named(
    doctor: Doctor,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    version: str,
    words: str,
) -> None:
    """Old versions, and minor ones that lose something, as no registry has them now."""
    ask = queries.get_server

    def older(conn: psycopg.Connection) -> GetServerRow:
        row = ask(conn)
        row.version_number, row.version = number, version
        return row

    monkeypatch.setattr(queries, "get_server", older)
    assert doctor().names("wrong", "server", words)


# The wallets' keys


@pytest.fixture
def encrypted(database_url: str, conn: psycopg.Connection) -> None:
    """Have a wallet's key that the ring has encrypted."""
    user_id = factories.add_user(conn)
    with stores.opened(database_url, wallet_encryption_keys=RING) as store:
        store.set_sui_private_key(user_id, SecretStr(KEY))


@pytest.mark.usefixtures("encrypted")
def test_wallet_keys_that_decrypt_are_fine(doctor: Doctor) -> None:
    """The ring that encrypted them reads them."""
    assert doctor().names("ok", "wallet keys", "1 of 1 looked at decrypt")


@pytest.mark.usefixtures("encrypted")
def test_a_ring_that_does_not_fit_is_named(doctor: Doctor) -> None:
    """A key that is lost is found before a user needs it."""
    report = doctor(WALLET_ENCRYPTION_KEYS="a0" * 32)
    assert report.names("wrong", "wallet keys", "1 of 1 looked at do not decrypt")
    report = doctor(WALLET_ENCRYPTION_KEYS=None)
    assert report.names("wrong", "wallet keys", "WALLET_ENCRYPTION_KEYS is not set")


def test_keys_of_the_old_backend_are_counted(
    doctor: Doctor, conn: psycopg.Connection
) -> None:
    """They decrypt, and are bound to nobody until a rotation."""
    factories.add_user(conn)
    token = wallets.legacy_token(KEY, bytes.fromhex(RING))
    conn.execute("UPDATE users SET sui_private_key_encrypted = %s", [token])
    report = doctor()
    assert report.names("ok", "wallet keys", "1 of 1 looked at decrypt")
    assert report.names("notice", "wallet keys", "bound to no user")


# What it leaves alone


def test_a_look_that_would_wait_is_given_up(
    doctor: Doctor, conn: psycopg.Connection
) -> None:
    """Behind somebody's lock it does not queue; all else is looked at."""
    with conn.transaction():
        conn.execute("LOCK users IN ACCESS EXCLUSIVE MODE")
        report = doctor()
    assert report.names("unseen", "wallet keys", "lock timeout")
    assert report.names("ok", "indexes", "none is INVALID")
    assert report.code == 2


def test_nothing_is_changed(doctor: Doctor, conn: psycopg.Connection) -> None:
    """On a database that refuses every write the doctor sees as much as elsewhere."""
    database = sql.Identifier(conn.info.dbname)
    before = doctor()
    setting = "ALTER DATABASE {} SET default_transaction_read_only = on"
    conn.execute(sql.SQL(setting).format(database))
    after = doctor()
    assert not after.of("unseen")
    assert {*after.of("ok")} >= {
        one for one in before.of("ok") if one[0] != "server settings"
    }


# Whole servers


@pytest.fixture(scope="module")
def cluster() -> Generator[Cluster]:
    """Give a server that keeps what it promises."""
    with clusters.start(fsync="on") as started:
        yield started


@pytest.mark.long
def test_a_server_that_may_forget_is_named(doctor: Doctor, cluster: Cluster) -> None:
    """Without these settings a crash of the machine loses or destroys what was kept."""
    risky = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
    sound = doctor(DATABASE_URL=cluster.url)
    with clusters.start(**risky) as careless:
        report = doctor(DATABASE_URL=careless.url)
    for name in risky:
        assert not sound.names("wrong", "server settings", name)
        assert report.names("wrong", "server settings", f"{name} is off")


@pytest.mark.long
def test_a_standby_is_named(doctor: Doctor, cluster: Cluster) -> None:
    """A URL that leads to a standby reads, and never writes."""
    with clusters.standby_of(cluster) as standby:
        report = doctor(DATABASE_URL=standby.url)
    assert report.names("wrong", "server", "is a standby")


# docs/doctor.md

PAGE = (ROOT / "docs/doctor.md").read_text()


@pytest.mark.long
def test_the_page_shows_what_a_sound_database_gives(
    doctor: Doctor, cluster: Cluster
) -> None:
    """With the application's role of db/roles.sql nothing is wrong, and all is said."""
    direct = databases.create(cluster.url, "shop")
    SCHEMA.build(direct)
    psql = embedded.wheel_binaries() / "psql"
    names = ("--set=app=shop_app", "--set=migrator=shop_migrator")
    script = f"--file={DATABASE / 'roles.sql'}"
    subprocess.run([psql, "-X", *names, script, direct], check=True)
    with psycopg.connect(direct) as conn:
        password = sql.Literal(PASSWORD)
        conn.execute(sql.SQL("ALTER ROLE shop_app PASSWORD {}").format(password))
    one = urlsplit(direct)
    place = f"shop_app:{quote(PASSWORD)}@{one.hostname}:{one.port}"
    url = one._replace(netloc=place).geturl()
    report = doctor(DATABASE_URL=url, DATABASE_URL_DIRECT=direct)
    [shown] = re.findall(r"^```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    # Versions and counts change by themselves.
    said, wanted = (re.sub(r"\d[\d.]*", "9", text) for text in (report.text, shown))
    assert said == wanted
    assert report.code == 0


def test_the_page_has_every_check() -> None:
    """Its table has a row for each check that is not named as a variable is."""
    modules = (ROOT / "src/store/doctor").glob("*.py")
    sources = "".join(path.read_text() for path in modules)
    checks = set(re.findall(r"\b(?:ok|notice|wrong)\(\s*\"([\w ]+)\"", sources))
    _, _, table = PAGE.partition("| check |")
    rows = set(re.findall(r"^\| ([\w ]+) \|", table, re.MULTILINE))
    assert checks
    assert checks <= rows
