"""What is proven of the columns that a statement gives."""

from sqlc_gen_psycopg import tree
from sqlc_gen_psycopg.inference import sources, targets, uses, writes
from sqlc_gen_psycopg.inference.facts import Fact, Relation
from sqlc_gen_psycopg.inference.scope import Scope
from sqlc_gen_psycopg.inference.unification import common
from sqlc_gen_psycopg.tree import Node

_SETS = {"SETOP_UNION", "SETOP_INTERSECT", "SETOP_EXCEPT"}


def rows(scope: Scope, node: Node, kind: str = "SelectStmt") -> Relation:
    """Return what a statement gives, as a relation without an alias.

    ``scope`` holds what the statement sees from outside.
    """
    scope = _with(node, scope)
    match kind:
        case "SelectStmt":
            return _select(node, scope)
        case "InsertStmt":
            return _returned(node, _insert(node, scope))
        case "UpdateStmt":
            return _returned(node, _change(node, "fromClause", scope))
        case "DeleteStmt":
            return _returned(node, _change(node, "usingClause", scope))
        case "MergeStmt":
            within = _target(node, scope)
            joined = sources.relations([node["sourceRelation"]], within)
            # What matched nothing has no source, or has no target yet.
            missing = tuple(relation.nullable() for relation in joined.relations)
            return _returned(node, joined._replace(relations=missing))
        case _:
            return Relation("", ())


def _change(node: Node, others: str, scope: Scope) -> Scope:
    within = sources.relations(tree.children(node, others), _target(node, scope))
    writes.assign(tree.children(node, "targetList"), within)
    _condition(node, within)
    return within


def _insert(node: Node, scope: Scope) -> Scope:
    within = _target(node, scope)
    [target] = within.relations
    names = [column["ResTarget"]["name"] for column in tree.children(node, "cols")]
    names = names or [name for name, _ in target.columns]
    if "selectStmt" in node:
        writes.insert(names, node["selectStmt"]["SelectStmt"], within, scope)
    conflict: Node = node.get("onConflictClause", {})
    excluded = target._replace(alias="excluded")
    changed = within._replace(relations=(target, excluded))
    writes.assign(tree.children(conflict, "targetList"), changed)
    _condition(conflict, changed)
    return within


def _condition(node: Node, within: Scope) -> None:
    """Look at a WHERE for what its parameters are compared with."""
    for clause in ("whereClause", "havingClause"):
        condition: Node = node.get(clause, {})
        uses.conditions([condition], within)
        within.fact(condition)


def _with(node: Node, scope: Scope) -> Scope:
    clause: Node = node.get("withClause", {})
    for wrapped in tree.children(clause, "ctes"):
        cte = wrapped["CommonTableExpr"]
        found = _cte(cte, scope, recursive=bool(clause.get("recursive")))
        scope = scope._replace(ctes={**scope.ctes, cte["ctename"]: found})
    return scope


def _cte(cte: Node, scope: Scope, *, recursive: bool) -> Relation:
    kind, query = tree.only(cte["ctequery"])
    names = tree.path(cte, "aliascolnames")
    name = cte["ctename"]
    if not (recursive and "larg" in query):
        return rows(scope.outside(), query, kind).renamed(name, names)
    found = rows(scope.outside(), query["larg"]).renamed(name, names)
    while True:
        # NULLs that the recursive arm brings in spread until nothing changes.
        inner = scope.outside()._replace(ctes={**scope.ctes, name: found})
        again = rows(inner, query, kind).renamed(name, names)
        if again == found:
            return found
        found = _weaker(found, again)


def _weaker(one: Relation, other: Relation) -> Relation:
    """Keep what both say: each round says less, so that the rounds end."""
    columns = tuple(
        (
            name,
            Fact(
                fact.type if fact.type == again.type else None,
                fact.not_null and again.not_null,
                fact.origin if fact.origin == again.origin else None,
            ),
        )
        for (name, fact), (_, again) in zip(one.columns, other.columns, strict=False)
    )
    return Relation(one.alias, columns)


def _target(node: Node, scope: Scope) -> Scope:
    return scope._replace(relations=(sources.table(node["relation"], scope),))


def _select(node: Node, scope: Scope) -> Relation:
    if node.get("op") in _SETS:
        return _set_operation(node, scope)
    if "valuesLists" in node:
        return _values(node, scope)
    groups = tree.children(node, "groupClause")
    within = sources.relations(tree.children(node, "fromClause"), scope)._replace(
        has_groups=bool(groups),
        has_grouping_sets=any("GroupingSet" in group for group in groups),
    )
    _condition(node, within)
    for sort in tree.children(node, "sortClause"):
        within.fact(sort["SortBy"]["node"])
    for limit in ("limitCount", "limitOffset"):
        within.fact(node.get(limit, {}))
    return targets.relation(tree.children(node, "targetList"), within)


def _set_operation(node: Node, scope: Scope) -> Relation:
    left, right = (rows(scope.outside(), node[arm]) for arm in ("larg", "rarg"))
    columns = tuple(
        (name, _combined(node["op"], one, other, scope))
        for (name, one), (_, other) in zip(left.columns, right.columns, strict=False)
    )
    return Relation("", columns)


def _combined(operation: str, one: Fact, other: Fact, scope: Scope) -> Fact:
    shared = common([one, other], scope)
    if operation == "SETOP_UNION":
        not_null = one.not_null and other.not_null
    elif operation == "SETOP_INTERSECT":
        not_null = one.not_null or other.not_null
    else:
        not_null = one.not_null
    return Fact(shared, not_null, one.origin if one.origin == other.origin else None)


def _values(node: Node, scope: Scope) -> Relation:
    lists = [
        [scope.fact(item) for item in tree.children(row["List"], "items")]
        for row in tree.children(node, "valuesLists")
    ]
    columns = [
        Fact(common(list(place), scope), all(f.not_null for f in place))
        for place in zip(*lists, strict=True)
    ]
    return Relation("", tuple((f"column{i}", f) for i, f in enumerate(columns, 1)))


def _returned(node: Node, within: Scope) -> Relation:
    return targets.relation(tree.children(node, "returningList"), within)
