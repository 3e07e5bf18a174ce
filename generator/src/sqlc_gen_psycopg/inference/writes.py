"""Which columns the parameters of INSERT and of SET are written to."""

from sqlc_gen_psycopg import tree
from sqlc_gen_psycopg.inference.facts import UNKNOWN, Fact, SqlType
from sqlc_gen_psycopg.inference.scope import Scope
from sqlc_gen_psycopg.request import Name
from sqlc_gen_psycopg.tree import Node


def insert(names: list[str], select: Node, within: Scope, scope: Scope) -> None:
    """Note which columns the parameters among inserted values are written to."""
    outside = scope.outside()
    if "valuesLists" not in select:
        values = [[fact for _, fact in outside.world.rows(outside, select).columns]]
    else:
        values = [
            [outside.fact(v) for v in tree.children(row["List"], "items")]
            for row in tree.children(select, "valuesLists")
        ]
    for row in values:
        for name, value in zip(names, row, strict=False):
            within.world.link(value, within.look_up([name]))


def assign(targets: list[Node], within: Scope) -> None:
    """Note which columns the parameters of SET are written to."""
    for wrapped in targets:
        target = wrapped["ResTarget"]
        written: Node = target.get("val", {})
        value, column = within.fact(written), _own(target["name"], within)
        if "indirection" in target:
            _assign_part(target, column, within)
        else:
            within.world.link(value, column)
            within.world.use(written, column.type)


def _own(name: str, within: Scope) -> Fact:
    """Return a column of the table that is written to, the first in its scope."""
    return within.relations[0].find(name) or UNKNOWN


def _assign_part(target: Node, column: Fact, within: Scope) -> None:
    """Note what the parameters of `SET column[…] = …` are taken for."""
    found = within.world.base(column.type)
    steps = tree.children(target, "indirection")
    if found is None or not all("A_Indices" in step for step in steps):
        return
    is_slice = any(step["A_Indices"].get("is_slice") for step in steps)
    subscript = SqlType(Name("", "int4" if found.dims else "text"))
    for step in steps:
        for side in ("lidx", "uidx"):
            within.world.use(step["A_Indices"].get(side, {}), subscript)
    element = found if is_slice or not found.dims else SqlType(found.name)
    within.world.use(target.get("val", {}), element)
