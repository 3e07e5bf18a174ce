"""Browsing the database in a visual UI: Rowbase, read-only, for this machine alone."""

from __future__ import annotations

import importlib
import os
import tempfile
from urllib.parse import quote, urlencode

import psycopg
from psycopg.conninfo import conninfo_to_dict

from ..errors import MigrationError
from ..settings import DatabaseSettings

__all__ = ["browse"]

# What Rowbase calls the connection; it looks for a password under this name.
_NAME, _PASSWORD = "store", "ROWBASE_PASSWORD_STORE"


def browse(
    settings: DatabaseSettings, *, port: int = 0, opens_browser: bool = True
) -> None:
    """Serve the UI on a port of the loopback interface (0: a free one) until Ctrl-C.

    Rowbase keeps its files in a folder that lasts as long as the browsing, and the
    password in the environment only: call this from a process of its own.

    Raises:
        MigrationError: Rowbase is not installed, or the database cannot be reached.
    """
    address, password = _reached(settings.database_url_direct.get_secret_value())
    with tempfile.TemporaryDirectory(prefix="studio-") as home:
        os.environ["ROWBASE_HOME"] = home
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
        browser = [] if opens_browser else ["--no-open"]
        rowbase.main(["ui", f"--port={port}", *browser])


def _reached(conninfo: str) -> tuple[str, str]:
    """Connect once; give the address in Rowbase's terms, and the password apart.

    So all that libpq knows counts (service and password files, its environment), and
    Rowbase, which does not negotiate, is told whether the server speaks TLS.
    """
    try:
        with psycopg.connect(conninfo, connect_timeout=10) as conn:
            info, encrypted = conn.info, conn.pgconn.ssl_in_use
            user, database = quote(info.user, safe=""), quote(info.dbname, safe="")
            host, port, password = info.host, info.port, info.password
    except psycopg.OperationalError as error:
        raise MigrationError(f"cannot open the studio: {error}") from None
    mode = "require" if encrypted else "disable"
    wanted = str(conninfo_to_dict(conninfo).get("sslmode"))
    options = {"sslmode": wanted if wanted.startswith("verify-") else mode}
    if host.startswith("/"):
        options["socket"], host = host, ""
    host = f"[{host}]" if ":" in host else host
    where = f"{user}@{host}:{port}/{database}"
    return f"postgres://{where}?{urlencode(options)}", password
