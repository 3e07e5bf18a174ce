"""Bookmarks outlive their primary: nothing hangs on them, and nothing lies by them.

docs/replicas.md says why.
"""

import os

import psycopg
import pytest

from postgres_testing import clusters
from store import Replica, Settings, Store, errors
from store.bookmarks import Position
from tests.support import standbys
from tests.support.standbys import read, rename

ROLES = """
CREATE ROLE app LOGIN PASSWORD 'secret';
GRANT pg_read_all_data, pg_write_all_data TO app;
"""


def test_bookmarks_after_a_failover() -> None:
    """Those of the old primary are read at once, those of the new one wait for it.

    Also where they name what the promoted standby never got, and where another standby
    goes on following the old primary, as long as it does.
    """
    if "TEST_DATABASE_URL" in os.environ:
        pytest.skip("the server of TEST_DATABASE_URL has no standby of ours")
    with standbys.start() as servers, clusters.standby_of(servers.primary) as third:
        primary, standby = servers.primary, servers.standby
        servers.run(ROLES)
        with Store(servers.settings) as store, Replica(servers.settings) as replica:
            user_id = standbys.add_user(store)
            kept = rename(store, user_id, "kept")
            assert read(replica.at_least(kept), user_id) == "kept"
            standby.kill()
            third.kill()
            lost = rename(store, user_id, "lost")
        primary.kill()
        standby.start()
        standby.promote()

        url = clusters.urls_of("shop", standby)
        now = Settings.load(database_url=url, database_url_replica=url)
        with Store(now) as store, Replica(now) as replica:
            for old in (kept, lost):
                assert read(replica.at_least(old, within=0), user_id) == "kept"
            new = rename(store, user_id, "new")
            assert read(replica.at_least(new, within=0), user_id) == "new"

        third.start()
        url = clusters.urls_of("shop", third)
        own = url.replace(f"postgres:{third.password}", "app:secret")
        behind = Settings.load(database_url=own, database_url_replica=own)
        with Replica(behind) as replica:
            assert read(replica.at_least(kept, within=0), user_id) == "kept"
            with pytest.raises(errors.ReplicaBehind) as refused:
                read(replica.at_least(new, within=0), user_id)
            assert refused.value.behind is None
            third.follow(standby)
            with psycopg.connect(standby.url, autocommit=True) as conn:
                conn.execute("GRANT pg_read_all_stats TO app")
            assert read(replica.at_least(new, within=30), user_id) == "new"
            for old in (kept, lost):
                assert read(replica.at_least(old), user_id) == "new"
            # Whoever has seen that is not shown less by another one.
            seen = replica.bookmark()
            assert seen
            assert Position.parse(seen).covers(Position.parse(new))
