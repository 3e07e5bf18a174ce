"""A primary with a standby, a store on the one, and a replica of the other."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from uuid import UUID, uuid4

import psycopg

from generated import users
from postgres_testing import clusters, databases
from postgres_testing.clusters import Cluster
from store import Settings, Store
from store_testing.schema import SCHEMA

__all__ = ["Servers", "add_user", "read", "rename", "start"]


class Servers:
    """A primary and its standby, with a store on the one and a replica of the other."""

    def __init__(self, primary: Cluster, standby: Cluster) -> None:
        self.primary = primary
        self.standby = standby
        self.settings = Settings.load(
            database_url=clusters.urls_of("shop", primary),
            database_url_replica=clusters.urls_of("shop", standby),
        )

    def committing(self, mode: str) -> Settings:
        """Give settings whose sessions have this synchronous_commit."""
        options = f"-csynchronous_commit%3D{mode}"
        return Settings.load(
            database_url=clusters.urls_of("shop", self.primary, options=options),
            database_url_replica=clusters.urls_of("shop", self.standby),
        )

    def be_synchronous(self, *, yes: bool) -> None:
        """Have COMMIT wait for the standby, or not."""
        names, state = ("*", "sync") if yes else ("", "async")
        with psycopg.connect(self.primary.url, autocommit=True) as conn:
            seen = f"SELECT FROM pg_stat_replication WHERE sync_state = '{state}'"
            if not conn.execute(seen.encode()).rowcount:
                change = f"ALTER SYSTEM SET synchronous_standby_names = '{names}'"
                conn.execute(change.encode())
                conn.execute("SELECT pg_reload_conf()")
            while not conn.execute(seen.encode()).rowcount:
                time.sleep(0.005)  # the standby's next word makes it so

    def run(self, statement: str) -> None:
        """Run a statement on the primary."""
        url = clusters.urls_of("shop", self.primary)
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute(statement.encode())

    @contextmanager
    def paused(self) -> Generator[Callable[[], None]]:
        """Have the standby replay nothing until the block ends, or what it is given."""
        with psycopg.connect(self.standby.url, autocommit=True) as conn:
            conn.execute("SELECT pg_wal_replay_pause()")
            state = "SELECT pg_get_wal_replay_pause_state()"
            while conn.execute(state).fetchone() != ("paused",):
                time.sleep(0.005)  # asked of, and not there yet
            try:
                yield lambda: _resume(conn)
            finally:
                _resume(conn)


def _resume(conn: psycopg.Connection) -> None:
    """Have a standby go on."""
    conn.execute("SELECT pg_wal_replay_resume()")


def read(replica: Store, user_id: UUID) -> str | None:
    """Read a user's name."""
    with replica.connection() as conn:
        user = users.get_user(conn, id=user_id)
    return user.display_name if user else None


def rename(store: Store, user_id: UUID, name: str) -> str:
    """Write a user's name; give the bookmark."""
    tracked = store.tracked()
    with tracked.transaction() as conn:
        users.set_display_name(conn, id=user_id, display_name=name)
    bookmark = tracked.bookmark()
    assert bookmark is not None
    return bookmark


@contextmanager
def start() -> Generator[Servers]:
    """Run a primary and a standby for which it does not wait, until the block ends."""
    with clusters.start() as primary:
        SCHEMA.build(databases.create(primary.url, "shop"))
        with clusters.standby_of(primary) as standby:
            yield Servers(primary, standby)


def add_user(store: Store) -> UUID:
    """Make a user."""
    return store.create_user(f"google|{uuid4()}", email=None).id
