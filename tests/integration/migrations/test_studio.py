"""The visual browser of the database."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import psycopg
import pytest

from store_testing import factories
from tests.support import browsing


class Studio:
    """The studio's own API, called as its page does, with the key's cookie."""

    def __init__(self, address: str) -> None:
        self.address = address.partition("?")[0]
        cookies = urllib.request.HTTPCookieProcessor()
        self._opener = urllib.request.build_opener(cookies)
        with self._opener.open(address) as page:
            assert b"<html" in page.read().lower()

    def call(self, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        """Give what it answers, if it is an error, too."""
        return call(self.address, path, body, self._opener)


def call(
    address: str,
    path: str,
    body: object = None,
    opener: urllib.request.OpenerDirector | None = None,
) -> Any:  # noqa: ANN401 - JSON
    """Call the API, by default as somebody without a cookie."""
    request = urllib.request.Request(  # noqa: S310 - a fixed scheme
        f"{address}api/{path}",
        None if body is None else json.dumps(body).encode(),
        {"X-Rowbase": "1"},
    )
    try:
        with (opener or urllib.request.build_opener()).open(request) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return json.load(error)


@pytest.mark.skipif(not browsing.CHROMIUM, reason="there is no Chromium here")
def test_people_see_the_rows_of_a_table(database_url: str, user_id: UUID) -> None:
    """A click on a table shows its rows, and nothing is asked of the internet."""
    asked: set[str | None] = set()
    with browsing.studio(database_url) as address, browsing.browser_page() as page:
        page.on("request", lambda request: asked.add(urlsplit(request.url).hostname))
        browsing.open_table(page, address, "users")
        assert str(user_id) in page.inner_text("body")
    assert asked == {"127.0.0.1"}


def test_it_is_read_only(database_url: str, conn: psycopg.Connection) -> None:
    """A statement that writes is refused by the database, whatever is asked for."""
    users = "SELECT count(*) FROM users"
    writing = (
        "DELETE FROM users",
        "WITH gone AS (DELETE FROM users RETURNING 1) SELECT * FROM gone",
        "EXPLAIN ANALYZE DELETE FROM users",
        "SELECT set_config('transaction_read_only', 'off', false)",
        "SELECT set_config('default_transaction_read_only', 'off', false)",
    )
    factories.add_user(conn)
    with browsing.studio(database_url) as address:
        studio = Studio(address)
        [connection] = studio.call("conns")
        ask = {"conn": connection["id"]}
        for path in ("conns/save", "edit", "conns/delete", "settings", "conns/test"):
            change = {"conn": connection | {"readOnly": False}, "id": connection["id"]}
            assert studio.call(path, change) == {"error": "the studio only reads"}
        for statement in writing * 2:
            studio.call("query", ask | {"sql": statement})
        read = studio.call("query", ask | {"sql": f"{users} HAVING count(*) = 1"})
    assert connection["readOnly"] is True
    assert read["rows"], read
    assert conn.execute(users.encode()).fetchone() == (1,)


def test_nobody_else_on_the_machine_gets_in(database_url: str) -> None:
    """Without the cookie nothing is answered, and the key is good for one browser."""
    with browsing.studio(database_url) as address:
        plain = address.partition("?")[0]
        assert call(plain, "conns") == {"error": "forbidden"}
        assert call(plain, "query", {"sql": "SELECT 1"}) == {"error": "forbidden"}
        assert call(plain, "conns", opener=with_cookie("studio=x")) == {
            "error": "forbidden"
        }
        for url in (plain, f"{plain}?key=", f"{plain}?key=x", f"{plain}app.js"):
            assert status(url) == 403
        Studio(address)
        assert status(address) == 403


def test_the_key_is_in_no_arguments(database_url: str) -> None:
    """What other users see of the processes, the browser's too, does not hold it."""
    seen: list[str] = []
    with browsing.studio(database_url, opened_by=seen.append) as address:
        key = address.partition("?key=")[2]
        [opened] = seen
        assert opened.startswith("file://")
        page = Path(urlsplit(opened).path)
        assert key not in opened
        assert key in page.read_text()
        assert page.stat().st_mode & 0o077 == 0
        assert page.parent.stat().st_mode & 0o077 == 0


def with_cookie(cookie: str) -> urllib.request.OpenerDirector:
    """Make a browser that has a cookie."""
    opener = urllib.request.build_opener()
    opener.addheaders = [("Cookie", cookie)]
    return opener


def status(url: str) -> int:
    """Give the status that a new browser gets."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    try:
        with opener.open(url) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_the_password_stays_out_of_its_pages(database_url: str) -> None:
    """Nothing that its page reads about the connection holds the password."""
    password = urlsplit(database_url).password or pytest.skip("this server takes none")
    with browsing.studio(database_url) as address:
        studio = Studio(address)
        answers = [studio.call(path) for path in ("conns", "settings", "history")]
    assert password not in json.dumps(answers)


def test_a_server_that_does_not_answer_is_named() -> None:
    """Where there is no server the command says which, and ends with 2."""
    url = "postgresql://somebody:secret-word@127.0.0.1:1/nothing"
    ended = subprocess.run(
        [sys.executable, "-m", "store", "studio"],
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert "port 1 failed" in ended.stderr
    assert "secret-word" not in ended.stderr
