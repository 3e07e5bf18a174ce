"""What is proven of a list of targets: of SELECT, or of RETURNING."""

from sqlc_gen_psycopg import tree
from sqlc_gen_psycopg.inference import calls, expressions
from sqlc_gen_psycopg.inference.facts import Fact, Relation
from sqlc_gen_psycopg.inference.scope import Scope
from sqlc_gen_psycopg.tree import Node

_KEYWORDS = {"A_ArrayExpr": "array", "CaseExpr": "case", "CoalesceExpr": "coalesce"}


def relation(targets: list[Node], within: Scope) -> Relation:
    """Return what they give, as a relation without an alias."""
    values: list[Node] = [target["ResTarget"].get("val", {}) for target in targets]
    sets = [_returns_set(value) for value in values]
    several = sum(sets) > 1
    columns: list[tuple[str, Fact]] = []
    for wrapped, value, is_set in zip(targets, values, sets, strict=True):
        if _is_star(value):
            columns += _expanded(value, within)
            continue
        found = expressions.fact(value, within)
        if several and is_set:
            # The shorter set is filled up with NULLs.
            found = found.nullable()
        columns.append((wrapped["ResTarget"].get("name") or _name(value), found))
    return Relation("", tuple(columns))


def _returns_set(value: Node) -> bool:
    return "ColumnRef" not in value and any(
        calls.returns_set(calls.name_of(node["FuncCall"]))
        for node in tree.walk(value)
        if "FuncCall" in node
    )


def _is_star(value: Node) -> bool:
    fields = tree.children(value.get("ColumnRef", {}), "fields")
    return bool(fields) and "A_Star" in fields[-1]


def _expanded(value: Node, within: Scope) -> list[tuple[str, Fact]]:
    qualifier = tree.strings(tree.children(value["ColumnRef"], "fields"))[-1:]
    return [
        column
        for relation in within.relations
        if not qualifier or relation.alias == qualifier[0]
        for column in relation.columns
    ]


def _name(value: Node) -> str:
    """Return the name that PostgreSQL gives a column without an alias."""
    kind, node = tree.only(value)
    match kind:
        case "ColumnRef":
            return tree.last_name(node, "fields")
        case "FuncCall":
            return tree.last_name(node, "funcname")
        case "TypeCast":
            return _name(node["arg"]) or tree.last_name(node["typeName"], "names")
        case "A_Indirection":
            return _name(node["arg"])
        case _:
            return _KEYWORDS.get(kind, "")
