"""A project of two outputs, one within the other, as the command reads it."""

SCHEMA = "CREATE TABLE items (id integer PRIMARY KEY, name text NOT NULL);"
GET = "-- name: get :one\nSELECT * FROM items WHERE id = @id;"
DROP = "-- name: drop_all :exec\nDELETE FROM items;"
# Beside ours another plugin, which must not run, and sqlc's own code.
CONFIG = """\
version: "2"
plugins:
  - name: ours
    process: {cmd: sqlc-gen-psycopg, format: json}
  - name: another
    process: {cmd: /nowhere/to-be-found}
sql:
  - engine: postgresql
    schema: [schema.sql]
    queries: [queries/items.sql, queries/more]
    codegen:
      - {plugin: another, out: elsewhere}
      - {plugin: ours, out: app/db, options: {emit_async: true}}
  - engine: postgresql
    schema: schema.sql
    queries: queries/inner
    codegen:
      - {plugin: ours, out: app/db/inner, options: {models_package: app.db}}
  - engine: postgresql
    schema: schema.sql
    queries: queries/more
    gen: {go: {out: go}}
"""
