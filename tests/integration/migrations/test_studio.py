"""The visual browser of the database."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from tests.support import browsing


def call(address: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
    """Call the studio's own API, as its page does."""
    request = urllib.request.Request(  # noqa: S310 - a fixed scheme
        f"{address}api/{path}",
        None if body is None else json.dumps(body).encode(),
        {"X-Rowbase": "1"},
    )
    try:
        with urllib.request.urlopen(request) as response:  # noqa: S310 - as above
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


def test_it_is_read_only(database_url: str) -> None:
    """A statement that writes is refused, and one that reads is answered."""
    with browsing.studio(database_url) as address:
        [connection] = call(address, "conns")
        ask = {"conn": connection["id"]}
        refused = call(address, "query", ask | {"sql": "DELETE FROM chain_cursor"})
        read = call(address, "query", ask | {"sql": "SELECT 6 * 7 AS answer"})
    assert connection["readOnly"] is True
    assert "read-only" in refused["error"].lower()
    assert "42" in json.dumps(read)


def test_the_password_stays_out_of_its_pages(database_url: str) -> None:
    """Nothing that its page reads about the connection holds the password."""
    password = urlsplit(database_url).password or pytest.skip("this server takes none")
    with browsing.studio(database_url) as address:
        answers = [call(address, path) for path in ("conns", "settings", "history")]
    assert password not in json.dumps(answers)


def test_a_server_that_does_not_answer_is_named() -> None:
    """Where there is no server the command says which, and ends with 2."""
    url = "postgresql://somebody:secret-word@127.0.0.1:1/nothing"
    ended = subprocess.run(
        [sys.executable, "-m", "store", "migrate", "studio"],
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert "port 1 failed" in ended.stderr
    assert "secret-word" not in ended.stderr
