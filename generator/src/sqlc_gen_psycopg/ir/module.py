"""A module of functions, before it is spelled."""

from typing import NamedTuple

from sqlc_gen_psycopg.ir.function import Function


class Module(NamedTuple):
    """One query file's module."""

    name: str
    filename: str
    functions: tuple[Function, ...]
