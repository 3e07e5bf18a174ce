"""Whole servers, and what docs/doctor.md says of a sound one."""

from __future__ import annotations

import re
import subprocess
from urllib.parse import quote, urlsplit

import psycopg
import pytest
from psycopg import sql

from postgres_testing import clusters, databases, embedded
from postgres_testing.clusters import Cluster
from store_testing.schema import SCHEMA
from tests.support import other_servers

from .conftest import DATABASE, PASSWORD, ROOT, Doctor

# Whole servers


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


@pytest.mark.long
def test_a_replica_is_looked_at(doctor: Doctor, cluster: Cluster) -> None:
    """It has to be a standby of the server that is written, and is told to be one."""
    role = "CREATE ROLE uninformed LOGIN PASSWORD 'x'"
    with psycopg.connect(cluster.url, autocommit=True) as conn:
        conn.execute(role)
    with clusters.standby_of(cluster) as standby:
        sound = doctor(DATABASE_URL=cluster.url, DATABASE_URL_REPLICA=standby.url)
        assert sound.names("ok", "replica", "a standby, ")
        url = standby.url.replace(f"postgres:{standby.password}", "uninformed:x")
        report = doctor(DATABASE_URL=cluster.url, DATABASE_URL_REPLICA=url)
        assert report.names("notice", "replica", "uninformed does not see")


@pytest.mark.long
@pytest.mark.skipif(len(other_servers.BINARIES) < 2, reason="no other PostgreSQL here")
def test_a_replica_of_another_server_is_named(doctor: Doctor, cluster: Cluster) -> None:
    """It has another system identifier, as those of one version have not in tests."""
    with embedded.start(other_servers.BINARIES[0]) as other:
        report = doctor(DATABASE_URL=cluster.url, DATABASE_URL_REPLICA=other.url)
    assert report.names("wrong", "replica", "no copy of DATABASE_URL's server")


def test_a_replica_that_is_the_primary_is_noticed(
    doctor: Doctor, database_url: str
) -> None:
    """It is right for development alone; without the variable nothing is said."""
    report = doctor(DATABASE_URL_REPLICA=database_url)
    assert report.names("notice", "replica", "leads to a primary")
    assert "replica" not in {one["check"] for one in doctor().found}


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
