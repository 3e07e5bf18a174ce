"""Browsing the database in a visual UI: Rowbase, read-only, for who started it alone.

Rowbase listens on the loopback interface, where every user of the machine can reach
it, and asks nobody who they are. So its pages are served to one browser here: the first
that comes with the key, which then has a cookie. The key is in no program's arguments,
which other users can read, but in a page in a folder that only this user can enter.
"""

from __future__ import annotations

import html
import importlib
import os
import secrets
import threading
import webbrowser
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

from psycopg.conninfo import conninfo_to_dict

from ..errors import MigrationError
from ..migrations import connections, folders
from ..settings import DatabaseSettings

__all__ = ["browse"]

# What Rowbase calls the connection; it looks for a password under this name.
_NAME, _PASSWORD = "store", "ROWBASE_PASSWORD_STORE"

# What its page may ask for. The others save connections, switch read-only off, or edit.
_READING = ("query", "export", "build", "values", "refresh", "resolve")
_COOKIE = "studio"


def browse(
    settings: DatabaseSettings, *, port: int = 0, opens_browser: bool = True
) -> None:
    """Serve the UI on a port of the loopback interface (0: a free one) until Ctrl-C.

    Rowbase keeps its files in a folder that lasts as long as the browsing, and the
    password in the environment only: call this from a process of its own.

    Raises:
        MigrationError: Rowbase is not installed, or the database cannot be reached.
    """
    address, password = _reached(settings)
    with folders.temporary("studio") as (home, _lock):
        os.environ["ROWBASE_HOME"] = str(home)
        os.environ["ROWBASE_NO_UPDATE_CHECK"] = "1"
        os.environ["ROWBASE_SECRETS"] = "file"  # rather than the desktop's keychain
        os.environ[_PASSWORD] = password
        try:
            rowbase = importlib.import_module("rowbase.cli")
        except ModuleNotFoundError:
            raise MigrationError(
                "rowbase-db is not installed: run make setup"
            ) from None
        rowbase.main(["add", _NAME, address, "--no-test"])
        _read_only(importlib.import_module("rowbase.drivers"))
        _serve(port, home / "open.html" if opens_browser else None)


def _read_only(drivers: Any) -> None:  # noqa: ANN401 - an untyped module
    """Begin each of its transactions READ ONLY, whatever a connection is said to be."""
    begin = drivers.Postgres.begin

    def begin_read_only(
        session: object, db: object, _read_only: bool, seconds: int
    ) -> None:
        begin(session, db, True, seconds)

    drivers.Postgres.begin = begin_read_only


def _serve(port: int, page: Path | None) -> None:
    """Serve its UI to whoever comes with the key first, until Ctrl-C."""
    server: Any = importlib.import_module("rowbase.server")
    key = secrets.token_urlsafe(32)
    server.Handler = _locked(server.Handler, key)
    with server.make_server(port) as serving:
        url = f"http://127.0.0.1:{serving.server_address[1]}/?key={key}"
        print(f"the studio, for one browser: {url}  (Ctrl-C ends it)", flush=True)  # noqa: T201 - for people
        if page:
            page.touch(mode=0o600)
            refresh = f'<meta http-equiv="refresh" content="0; url={html.escape(url)}">'
            page.write_text(refresh, encoding="utf-8")
            threading.Timer(0.5, webbrowser.open, [page.as_uri()]).start()
        with suppress(KeyboardInterrupt):
            serving.serve_forever()


def _locked(handler: Any, key: str) -> Any:  # noqa: ANN401 - an untyped class
    """Make a handler that serves the one browser that came with the key."""
    cookie = f"{_COOKIE}={secrets.token_urlsafe(32)}"

    class Locked(handler):  # type: ignore[misc]  # of an untyped module
        unused: ClassVar = {key}

        def allowed(self, api: bool) -> bool:
            given = [part.strip() for part in self.headers.get("Cookie", "").split(";")]
            return handler.allowed(self, api) and any(
                secrets.compare_digest(part.encode(), cookie.encode()) for part in given
            )

        def do_GET(self) -> None:  # noqa: N802 - http.server's name
            if handler.allowed(self, False) and self._has_key():
                self.send_response(303)
                self.send_header("Location", "/")
                self.send_header("Set-Cookie", f"{cookie}; HttpOnly; SameSite=Strict")
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                handler.do_GET(self)

        def do_POST(self) -> None:  # noqa: N802 - http.server's name
            if self.path.removeprefix("/api/") in _READING:
                handler.do_POST(self)
            else:
                self.send(403, {"error": "the studio only reads"})

        def _has_key(self) -> bool:
            """Tell whether the URL has the key, which is good for once."""
            _, _, given = self.path.partition("/?key=")
            if not secrets.compare_digest(given.encode(), key.encode()):
                return False
            try:
                self.unused.remove(key)
            except KeyError:
                return False
            return True

    return Locked


def _reached(settings: DatabaseSettings) -> tuple[str, str]:
    """Connect once; give the address in Rowbase's terms, and the password apart.

    So all that libpq knows counts (service and password files, its environment), and
    Rowbase, which does not negotiate, is told whether the server speaks TLS.
    """
    with connections.opened(settings, name="store studio") as conn:
        info, encrypted = conn.info, conn.pgconn.ssl_in_use
        user, database = quote(info.user, safe=""), quote(info.dbname, safe="")
        host, port, password = info.host, info.port, info.password
    url = settings.database_url_direct.get_secret_value()
    mode = "require" if encrypted else "disable"
    wanted = str(conninfo_to_dict(url).get("sslmode"))
    options = {"sslmode": wanted if wanted.startswith("verify-") else mode}
    if host.startswith("/"):
        options["socket"], host = host, ""
    host = f"[{host}]" if ":" in host else host
    where = f"{user}@{host}:{port}/{database}"
    return f"postgres://{where}?{urlencode(options)}", password
