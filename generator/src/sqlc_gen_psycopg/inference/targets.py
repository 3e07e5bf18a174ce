"""What is proven of a list of targets: of SELECT, or of RETURNING."""

from sqlc_gen_psycopg import tree
from sqlc_gen_psycopg.inference import calls
from sqlc_gen_psycopg.inference.facts import Fact, Relation
from sqlc_gen_psycopg.inference.scope import Scope
from sqlc_gen_psycopg.tree import Node

_KEYWORDS = {"A_ArrayExpr": "array", "CaseExpr": "case", "CoalesceExpr": "coalesce"}


def relation(targets: list[Node], within: Scope) -> Relation:
    """Return what they give, as a relation without an alias."""
    values: list[Node] = [target["ResTarget"].get("val", {}) for target in targets]
    sets = _sets(values)
    columns: list[tuple[str, Fact]] = []
    for place, value in enumerate(values):
        name: str = targets[place]["ResTarget"].get("name", "")
        if "ColumnRef" in value:
            columns += _referenced(name, value["ColumnRef"], within)
            continue
        found = within.fact(value)
        if place in sets:
            # The shorter set is filled up with NULLs.
            found = found.nullable()
        columns.append((name or _name(value), found))
    return Relation("", tuple(columns))


def _sets(values: list[Node]) -> list[int]:
    """Return the places of the sets among several, none of one that is alone."""
    computed = [place for place, value in enumerate(values) if "ColumnRef" not in value]
    if len(computed) < 2:  # noqa: PLR2004 - several
        return []
    sets = [place for place in computed if _returns_set(values[place])]
    return sets if len(sets) > 1 else []


def _returns_set(value: Node) -> bool:
    return any(calls.returns_set(calls.name_of(call)) for call in tree.calls(value))


def _referenced(name: str, reference: Node, within: Scope) -> list[tuple[str, Fact]]:
    path = tree.path(reference, "fields")
    if "A_Star" in reference["fields"][-1]:
        return _expanded(path[-1:], within)
    return [(name or path[-1], within.look_up(path))]


def _expanded(qualifier: list[str], within: Scope) -> list[tuple[str, Fact]]:
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
