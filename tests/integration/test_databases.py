"""What the session's server and its clones promise to all other tests."""

import os
from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from postgres_testing import databases, schemas
from postgres_testing.databases import Template
from postgres_testing.embedded import Server
from store_testing.schema import MIGRATIONS, SCHEMA


def test_a_clone_has_every_migration(conn: psycopg.Connection) -> None:
    """A fresh database has applied exactly the files of db/migrations."""
    applied = conn.execute("SELECT version FROM schema_migrations ORDER BY version")
    files = sorted(path.name[:4] for path in MIGRATIONS.glob("*.sql"))
    assert [version for (version,) in applied] == files


def test_what_one_clone_holds_no_other_sees(postgres_template: Template) -> None:
    """Two clones of one template share nothing."""
    with postgres_template.clone() as one, postgres_template.clone() as other:
        with psycopg.connect(one) as conn:
            conn.execute("CREATE TABLE mark ()")
        with psycopg.connect(other) as conn:
            found = conn.execute("SELECT to_regclass('mark')").fetchone()
    assert found == (None,)


def test_a_clone_goes_with_its_connections(own_server: Server) -> None:
    """A clone is dropped in the end, though somebody is still connected."""
    with (
        databases.cached_template(own_server.url, SCHEMA) as template,
        template.clone() as url,
    ):
        left_open = psycopg.connect(url)
    with pytest.raises(psycopg.OperationalError, match="terminat"):
        left_open.execute("SELECT 1")
    left_open.close()
    assert url.partition("?")[0].rpartition("/")[2] not in _databases(own_server)


def test_a_template_goes_in_the_end(own_server: Server, tmp_path: Path) -> None:
    """A template leaves no database behind, though its migrations fail."""
    bad = "-- migrate:up\nSELECT nowhere;\n-- migrate:down\n"
    (tmp_path / "0001_bad.sql").write_text(bad)
    before = _databases(own_server)
    with (
        pytest.raises(RuntimeError, match='column "nowhere" does not exist'),
        databases.template(own_server.url, schemas.migrated(tmp_path).build),
    ):
        pass
    assert _databases(own_server) == before


@given(number=st.integers())
def test_examples_share_one_clone(number: int, conn: psycopg.Connection) -> None:
    """Hypothesis takes the clone of a test function for all of its examples."""
    returned = conn.execute("SELECT %s::numeric", [number]).fetchone()
    assert returned == (number,)


def test_no_test_sees_the_application_s_databases() -> None:
    """`DATABASE_URL` and `DATABASE_URL_DIRECT` are unset while tests run."""
    assert not {"DATABASE_URL", "DATABASE_URL_DIRECT"} & set(os.environ)


def _databases(server: Server) -> set[str]:
    with psycopg.connect(server.url) as conn:
        return {name for (name,) in conn.execute("SELECT datname FROM pg_database")}
