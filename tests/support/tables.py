"""The whole database as Python values, to compare before with after."""

import json
from decimal import Decimal
from functools import partial
from typing import Any, TypeAlias

from psycopg import Connection, sql
from psycopg.types.json import set_json_loads

__all__ = ["Row", "Rows", "Tables"]

Row: TypeAlias = dict[str, Any]
"""A row by column, as JSON spells it; numbers are int or Decimal."""

Rows: TypeAlias = dict[str, dict[str, Row]]
"""The rows of each table, by id, or by all they hold where there is none."""


class Tables:
    """Reads every table of the connection's schema, dbmate's ledger apart."""

    def __init__(self, conn: Connection[Any]) -> None:
        set_json_loads(partial(json.loads, parse_float=Decimal), conn)
        self._conn = conn
        self.names = [
            name
            for (name,) in conn.execute(
                "SELECT relname FROM pg_class"
                " WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace"
                " AND relname <> 'schema_migrations' ORDER BY relname"
            )
        ]
        each = sql.SQL("SELECT {}, to_jsonb({}) FROM {}")
        self._query = sql.SQL(" UNION ALL ").join(
            each.format(name, sql.Identifier(name), sql.Identifier(name))
            for name in self.names
        )

    def read(self) -> Rows:
        """Read all rows."""
        rows: Rows = {name: {} for name in self.names}
        for name, row in self._conn.execute(self._query):
            rows[name][str(row.get("id") or row)] = row
        return rows
