"""A small HTTP API on the store: see docs/api-example.md.

`make api` serves it on a PostgreSQL server of its own.
"""
