"""Templates are built once, shared, and swept when they are old."""

import os
import secrets
import stat
import tempfile
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import psycopg
import pytest

from postgres_testing import databases, embedded, schemas
from postgres_testing.embedded import Server
from postgres_testing.schemas import Schema


class Built:
    """A schema that counts how often it was built."""

    def __init__(self, key: str | None = None) -> None:
        self.times = 0
        self.schema = Schema(key or secrets.token_hex(32), self._build)

    @property
    def name(self) -> str:
        """Give the name of its template."""
        return f"test_template_{self.schema.key[:12]}"

    def use(self, server: Server) -> None:
        """Clone it once."""
        with (
            databases.cached_template(server.url, self.schema) as template,
            template.clone() as url,
            psycopg.connect(url) as conn,
        ):
            conn.execute("SELECT FROM built")

    def _build(self, url: str) -> None:
        self.times += 1
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute("CREATE TABLE built ()")


def names(server: Server) -> set[str]:
    """List the server's databases."""
    with psycopg.connect(server.url) as conn:
        return {name for (name,) in conn.execute("SELECT datname FROM pg_database")}


def test_a_template_serves_the_next_run(own_server: Server) -> None:
    """A server that stays builds a schema once."""
    built = Built()
    built.use(own_server)
    built.use(own_server)
    assert built.times == 1


def test_of_many_who_want_it_at_once_one_builds_it(own_server: Server) -> None:
    """The others wait for the template, and clone it then."""
    built, at_once = Built(), Barrier(4)

    def use(_: int) -> None:
        at_once.wait()
        built.use(own_server)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(use, range(4)))
    assert built.times == 1


def test_a_changed_migration_is_another_schema(tmp_path: Path) -> None:
    """The key depends on each file's name and content, and on no others."""
    change: list[Callable[[], object]] = [
        lambda: (tmp_path / "0001_a.sql").write_text("SELECT 1;"),
        lambda: (tmp_path / "0001_a.sql").write_text("SELECT 2;"),
        lambda: (tmp_path / "0001_a.sql").rename(tmp_path / "0002_a.sql"),
        lambda: (tmp_path / "0003_b.sql").write_text(""),
    ]
    keys = {schemas.migrated(tmp_path).key}
    for one in change:
        one()
        keys.add(schemas.migrated(tmp_path).key)
    (tmp_path / "notes.txt").write_text("of no account")
    assert schemas.migrated(tmp_path).key in keys
    assert len(keys) == len(change) + 1


def test_what_failed_is_no_template(own_server: Server) -> None:
    """A build that fails leaves nothing, and the next one begins anew."""
    built = Built()

    def fail(url: str) -> None:
        with psycopg.connect(url) as conn:
            conn.execute("CREATE TABLE built ()")
        raise RuntimeError("half way")

    with (
        pytest.raises(RuntimeError, match="half way"),
        databases.cached_template(own_server.url, Schema(built.schema.key, fail)),
    ):
        pass
    assert built.name not in names(own_server)
    built.use(own_server)


def test_what_a_killed_builder_left_is_built_anew(own_server: Server) -> None:
    """A database with a template's name that was not built to its end is replaced."""
    built = Built()
    databases.create(own_server.url, built.name)
    built.use(own_server)
    assert built.times == 1


def test_templates_long_unused_are_swept(own_server: Server) -> None:
    """A server keeps those that were used last, and one that is in use."""
    in_use, *others = [Built() for _ in range(schemas.TEMPLATES_KEPT + 2)]
    with databases.cached_template(own_server.url, in_use.schema):
        for built in others:
            built.use(own_server)
        assert in_use.name in names(own_server)
    kept = {each.name for each in others if each.name in names(own_server)}
    assert kept == {each.name for each in others[-schemas.TEMPLATES_KEPT :]}


def test_what_a_killed_session_left_is_swept(own_server: Server) -> None:
    """Its clones go with the next session; those of the living and the kept stay."""
    databases.create(own_server.url, "test_0badbeef_7")
    built = Built()
    with (
        databases.cached_template(own_server.url, built.schema) as template,
        template.clone() as living,
        template.clone() as kept,
        databases.database(own_server.url) as single,
    ):
        template.keep(kept, "for the test")
        built.use(own_server)
        there = names(own_server)
    assert "test_0badbeef_7" not in there
    assert {databases.name_of(url) for url in (living, kept, single)} <= there
    built.use(own_server)
    there = names(own_server)
    assert databases.name_of(kept) in there
    assert not {databases.name_of(url) for url in (living, single)} & there
    databases.drop(own_server.url, databases.name_of(kept))


def test_the_databases_of_others_are_not_swept(own_server: Server) -> None:
    """Only names that the kit gives are ever dropped."""
    theirs = {
        "test",
        "test_mine",
        "test_0badbeef_",
        "contest_0badbeef",
        "test_template",
    }
    for name in theirs:
        databases.create(own_server.url, name)
    Built().use(own_server)
    assert theirs < names(own_server)
    for name in theirs:
        databases.drop(own_server.url, name)


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch) -> Generator[Path]:
    """Give an empty cache, where the server's user can read."""
    with tempfile.TemporaryDirectory(dir=embedded.default_directory()) as folder:
        Path(folder).chmod(0o755)
        monkeypatch.setenv("EMBEDDED_POSTGRES_CACHE", folder)
        yield Path(folder, "postgres-testing")


def test_an_embedded_server_starts_with_its_template(cache: Path) -> None:
    """The schema is built for the first start, and lies in the cache for the next."""
    built = Built()
    for _ in range(2):
        with embedded.start(schema=built.schema) as server:
            assert built.name in names(server)
            built.use(server)
    assert built.times == 1
    assert not list(cache.glob("partial-*"))
    [folder] = cache.glob("cluster-*-schema-*")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_cached_clusters_long_unused_are_swept(cache: Path) -> None:
    """Of those not used for a day the last few stay; what is of today stays anyway."""
    many = [Built() for _ in range(schemas.TEMPLATES_KEPT + 2)]
    folders: list[Path] = []
    for built in many:
        with embedded.start(schema=built.schema):
            folders += cache.glob(f"cluster-*-{built.schema.key[:12]}")
    assert all(folder.exists() for folder in folders)
    yesterday = time.time() - 2 * 86400
    for number, folder in enumerate(folders):
        os.utime(folder, (yesterday + number, yesterday + number))
    with embedded.start(schema=many[0].schema):
        pass
    kept = [folder for folder in folders if folder.exists()]
    assert kept == [folders[0], *folders[-schemas.TEMPLATES_KEPT + 1 :]]
