"""The project that `init` writes to begin with."""

from pathlib import Path

from sqlc_gen_psycopg.command.config import NAMES, CannotRunError

_CONFIG = """\
# What sqlc reads, and where the generated package goes; all paths begin here.
version: "2"
plugins:
  - name: psycopg
    process:
      cmd: sqlc-gen-psycopg
      format: json
sql:
  - engine: postgresql
    {schema}
    # Each file of this folder becomes a module.
    queries: queries
    codegen:
      - plugin: psycopg
        # Written anew each time: commit it, and edit the SQL instead.
        out: app/db
"""
_SCHEMA = """\
-- The tables as the database has them; comments on them become docstrings.
CREATE TABLE notes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    title text NOT NULL,
    body text,
    written_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE notes IS 'What somebody wants to remember.';
"""
_QUERIES = """\
-- Each query has a name and a command; the comment below becomes its docstring.
-- :one gives a row, :many a list of rows, :execrows the number of rows.

-- name: add_note :one
-- Writes a note down.
INSERT INTO notes (title, body) VALUES (@title, @body) RETURNING *;

-- name: find_notes :many
-- Finds notes by a pattern, the newest first.
SELECT id, title FROM notes WHERE title LIKE @pattern ORDER BY written_at DESC, id;

-- name: drop_note :execrows
DELETE FROM notes WHERE id = @id;
"""
# For a schema that is there already.
_FIRST_QUERY = """\
-- Each query has a name and a command; the comment below becomes its docstring.
-- :one gives a row, :many a list of rows, :execrows the number of rows.

-- name: get_time :one
-- Tells the server's time.
SELECT now() AS time;
"""
_MIGRATIONS = ("db/migrations", "migrations")


def write(folder: Path) -> list[Path]:
    """Write a project into a folder, made if need be; return the files.

    Where there are migrations already, they are its schema.

    Raises:
        CannotRunError: something is there already; then nothing was written.
    """
    migrations = [name for name in _MIGRATIONS if (folder / name).is_dir()]
    files = (
        {
            "sqlc.yaml": _CONFIG.format(schema=f"schema: {migrations[0]}"),
            "queries/server.sql": _FIRST_QUERY,
        }
        if migrations
        else {
            "sqlc.yaml": _CONFIG.format(
                schema="# A folder of migrations works as well.\n    schema: schema.sql"
            ),
            "schema.sql": _SCHEMA,
            "queries/notes.sql": _QUERIES,
        }
    )
    # Other queries in their folder would be generated, too.
    taken = dict.fromkeys([*NAMES, *(name.partition("/")[0] for name in files)])
    there = [name for name in taken if (folder / name).exists()]
    if there:
        raise CannotRunError(
            f"{folder.absolute()} has {', '.join(there)} already, so nothing was "
            "written; name another folder"
        )
    try:
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise CannotRunError(
            f"{error.filename}: cannot be written: {error.strerror}"
        ) from error
    return [folder / name for name in files]
