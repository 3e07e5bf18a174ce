"""What is proven of the relations in FROM."""

from sqlc_gen_psycopg import schema, tree
from sqlc_gen_psycopg.inference import calls, facts
from sqlc_gen_psycopg.inference.facts import UNKNOWN, Fact, Relation, SqlType
from sqlc_gen_psycopg.inference.scope import Scope
from sqlc_gen_psycopg.tree import Node


def relations(nodes: list[Node], scope: Scope) -> Scope:
    """Add the relations of a FROM list to a scope, each seeing those before it."""
    for node in nodes:
        scope = scope._replace(relations=(*scope.relations, *_source(node, scope)))
    return scope


def _source(wrapped: Node, scope: Scope) -> tuple[Relation, ...]:
    kind, node = tree.only(wrapped)
    match kind:
        case "RangeVar":
            return (table(node, scope),)
        case "RangeSubselect":
            return (_subselect(node, scope),)
        case "RangeFunction":
            return (_function(node, scope),)
        case "JoinExpr":
            return _join(node, scope)
        case "RangeTableSample":
            return _source(node["relation"], scope)
        case _:
            return (_aliased(Relation("", ()), node),)


def table(node: Node, scope: Scope) -> Relation:
    """Return a table, view or CTE under its alias."""
    name = schema.relation(scope.world.schema, node)
    if not node.get("schemaname") and name.name in scope.ctes:
        return _aliased(scope.ctes[name.name]._replace(alias=name.name), node)
    return _aliased(scope.world.relation(name), node)


def _aliased(relation: Relation, node: Node) -> Relation:
    alias: Node = node.get("alias", {})
    names = tree.path(alias, "colnames")
    return relation.renamed(alias.get("aliasname", relation.alias), names)


def _subselect(node: Node, scope: Scope) -> Relation:
    select: Node = node["subquery"].get("SelectStmt", {})
    return _aliased(scope.world.rows(scope.inner(), select), node)


def _function(node: Node, scope: Scope) -> Relation:
    functions = [f["List"]["items"][0] for f in tree.children(node, "functions")]
    defined = [
        item["ColumnDef"]
        for part in (node, *_lists(node))
        for item in (tree.children(part, "coldeflist") if part is node else [part])
        if "ColumnDef" in item
    ]
    if defined:
        columns = tuple((d["colname"], _defined(d, scope)) for d in defined)
    else:
        # The shorter of several is filled up with NULLs.
        alone = len(functions) == 1
        columns = tuple(_returned(f, scope, alone=alone) for f in functions)
    if node.get("ordinality"):
        columns = (*columns, ("ordinality", facts.of("int8", not_null=True)))
    alias = columns[0][0] if columns else ""
    named = _aliased(Relation(alias, columns), node)
    if len(functions) == 1 and not defined and _is_scalar(node):
        # `unnest(…) AS x` names the relation and its column.
        return named.renamed(named.alias, [named.alias])
    return named


def _lists(node: Node) -> list[Node]:
    """Return the column definitions inside ROWS FROM (f() AS (…))."""
    return [
        item
        for function in tree.children(node, "functions")
        for part in tree.children(function["List"], "items")[1:]
        for item in tree.children(part.get("List", {}), "items")
    ]


def _is_scalar(node: Node) -> bool:
    return not tree.children(node.get("alias", {}), "colnames")


def _defined(definition: Node, scope: Scope) -> Fact:
    written = definition["typeName"]
    name = schema.name_of(scope.world.schema, tree.children(written, "names"))
    return Fact(SqlType(name, len(tree.children(written, "arrayBounds"))))


def _returned(wrapped: Node, scope: Scope, *, alone: bool) -> tuple[str, Fact]:
    found = scope.fact(wrapped)
    name = calls.name_of(wrapped["FuncCall"]) if "FuncCall" in wrapped else ""
    return name, found if alone else found.nullable()


def _join(node: Node, scope: Scope) -> tuple[Relation, ...]:
    left = _source(node["larg"], scope)
    right = _source(node["rarg"], scope._replace(relations=(*scope.relations, *left)))
    both = (*scope.relations, *left, *right)
    scope._replace(relations=both).fact(node.get("quals", {}))
    kind = node["jointype"]
    merged = _merged(node, kind, left, right)
    if kind in ("JOIN_LEFT", "JOIN_FULL"):
        right = tuple(relation.nullable() for relation in right)
    if kind in ("JOIN_RIGHT", "JOIN_FULL"):
        left = tuple(relation.nullable() for relation in left)
    found = (*merged, *left, *right)
    alias: Node = node.get("alias", {})
    if "aliasname" not in alias:
        return found
    columns = tuple(column for relation in found for column in relation.columns)
    return (_aliased(Relation("", columns), node),)


def _merged(
    node: Node, kind: str, left: tuple[Relation, ...], right: tuple[Relation, ...]
) -> tuple[Relation, ...]:
    """Return the columns that USING merges, to be found before either side's."""
    names = tree.path(node, "usingClause")
    if node.get("isNatural"):
        ours = [name for relation in left for name, _ in relation.columns]
        theirs = {name for relation in right for name, _ in relation.columns}
        names = [name for name in ours if name in theirs]
    if not names:
        return ()
    columns = tuple(
        (name, _merge(kind, _find(left, name), _find(right, name))) for name in names
    )
    return (Relation("", columns),)


def _merge(kind: str, left: Fact, right: Fact) -> Fact:
    same = left.type if left.type == right.type else None
    match kind:
        case "JOIN_LEFT":
            return left._replace(type=same)
        case "JOIN_RIGHT":
            return right._replace(type=same)
        case "JOIN_FULL":
            return Fact(same, left.not_null and right.not_null)
        case _:
            return left._replace(type=same, not_null=left.not_null or right.not_null)


def _find(relations_: tuple[Relation, ...], name: str) -> Fact:
    for relation in relations_:
        if found := relation.find(name):
            return found
    return UNKNOWN
