"""The schema files, read in sqlc's order."""

import re
from pathlib import Path

from sqlc_gen_psycopg.problems import Problems
from sqlc_gen_psycopg.schema import statements
from sqlc_gen_psycopg.schema.model import Schema
from sqlc_gen_psycopg.sql import sql_files, tree
from sqlc_gen_psycopg.sql.tree import Node

# What pg_dump writes for psql, and sqlc strips.
_PSQL_COMMAND = re.compile(r"^\\.*$", re.MULTILINE)


def read(paths: tuple[str, ...], default_schema: str, problems: Problems) -> Schema:
    """Read the schema files in sqlc's order; what cannot be read is a problem."""
    schema = Schema(default_schema)
    try:
        files = sql_files.find(paths)
    except FileNotFoundError as error:
        problems.add(
            "schema", f"cannot find {error}", "run sqlc in the folder of sqlc.yaml"
        )
        return schema
    for file in files:
        _read_file(schema, file, problems)
    return schema


def _read_file(schema: Schema, file: Path, problems: Problems) -> None:
    try:
        text = sql_files.up_part(file.read_text(encoding="utf-8"))
        parsed = _parsed(text)
    except (OSError, UnicodeDecodeError, tree.InvalidSqlError) as error:
        problems.add(str(file), f"cannot be read: {error}", "make it valid SQL")
        return
    for statement in parsed:
        statements.note(schema, statement)


def _parsed(text: str) -> list[Node]:
    try:
        return tree.parse(text)
    except tree.InvalidSqlError:
        return tree.parse(_PSQL_COMMAND.sub("", text))
