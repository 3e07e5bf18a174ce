"""A database's URL in the form that other programs take."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import quote, urlencode

from psycopg import conninfo

__all__ = ["made_of", "options"]


def options(url: str, ours: str = "", schema: str | None = None) -> str:
    """Give libpq's options for a session: ours, then the URL's or the environment's.

    The last one of a setting wins, so that theirs do; but for the schema's.
    """
    given = conninfo.conninfo_to_dict(url).get("options")
    theirs = os.environ.get("PGOPTIONS", "") if given is None else given
    path = f"-c search_path={schema}" if schema else ""
    return f"{ours} {theirs} {path}".strip()


def made_of(parts: dict[str, Any], *, scheme: str = "postgresql") -> str:
    """Make a URL of what `conninfo_to_dict` gives, with all but the name behind it."""
    others = {name: value for name, value in parts.items() if name != "dbname"}
    database = quote(str(parts["dbname"]), safe="")
    return f"{scheme}:///{database}?{urlencode(others, quote_via=quote)}"
