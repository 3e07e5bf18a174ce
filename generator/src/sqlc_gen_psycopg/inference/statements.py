"""What is proven of the columns that a statement gives."""

from dataclasses import replace

from sqlc_gen_psycopg import tree
from sqlc_gen_psycopg.inference import calls, expressions, sources
from sqlc_gen_psycopg.inference.facts import UNKNOWN, Fact, Relation, SqlType
from sqlc_gen_psycopg.inference.scope import Scope
from sqlc_gen_psycopg.request import Name
from sqlc_gen_psycopg.tree import Node

_KEYWORDS = {"A_ArrayExpr": "array", "CaseExpr": "case", "CoalesceExpr": "coalesce"}
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
            return _returned(node, replace(joined, relations=missing))
        case _:
            return Relation("", ())


def _change(node: Node, others: str, scope: Scope) -> Scope:
    within = sources.relations(tree.children(node, others), _target(node, scope))
    _assign(tree.children(node, "targetList"), within)
    _condition(node, within)
    return within


def _insert(node: Node, scope: Scope) -> Scope:
    within = _target(node, scope)
    [target] = within.relations
    names = [column["ResTarget"]["name"] for column in tree.children(node, "cols")]
    names = names or [name for name, _ in target.columns]
    if "selectStmt" in node:
        _write(names, node["selectStmt"]["SelectStmt"], within, scope)
    conflict: Node = node.get("onConflictClause", {})
    excluded = replace(target, alias="excluded")
    changed = replace(within, relations=(target, excluded))
    _assign(tree.children(conflict, "targetList"), changed)
    _condition(conflict, changed)
    return within


def _write(names: list[str], select: Node, within: Scope, scope: Scope) -> None:
    """Note which columns the parameters among inserted values are written to."""
    outside = _outside(scope)
    if "valuesLists" not in select:
        values = [[fact for _, fact in rows(outside, select).columns]]
    else:
        values = [
            [expressions.fact(v, outside) for v in tree.children(row["List"], "items")]
            for row in tree.children(select, "valuesLists")
        ]
    for row in values:
        for name, value in zip(names, row, strict=False):
            within.world.link(value, within.look_up([name]))


def _assign(targets: list[Node], within: Scope) -> None:
    """Note which columns the parameters of SET are written to."""
    for wrapped in targets:
        target = wrapped["ResTarget"]
        written: Node = target.get("val", {})
        value, column = expressions.fact(written, within), _own(target["name"], within)
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


def _condition(node: Node, within: Scope) -> None:
    """Look at a WHERE for what its parameters are compared with."""
    for clause in ("whereClause", "havingClause"):
        expressions.fact(node.get(clause, {}), within)


def _with(node: Node, scope: Scope) -> Scope:
    clause: Node = node.get("withClause", {})
    for wrapped in tree.children(clause, "ctes"):
        cte = wrapped["CommonTableExpr"]
        found = _cte(cte, scope, recursive=bool(clause.get("recursive")))
        scope = replace(scope, ctes={**scope.ctes, cte["ctename"]: found})
    return scope


def _cte(cte: Node, scope: Scope, *, recursive: bool) -> Relation:
    kind, query = tree.only(cte["ctequery"])
    names = tree.strings(tree.children(cte, "aliascolnames"))
    name = cte["ctename"]
    if not (recursive and "larg" in query):
        return rows(_outside(scope), query, kind).renamed(name, names)
    found = rows(_outside(scope), query["larg"]).renamed(name, names)
    while True:
        # NULLs that the recursive arm brings in spread until nothing changes.
        inner = replace(_outside(scope), ctes={**scope.ctes, name: found})
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


def _outside(scope: Scope) -> Scope:
    return Scope(scope.world, ctes=scope.ctes, parent=scope.parent)


def _target(node: Node, scope: Scope) -> Scope:
    return replace(scope, relations=(sources.table(node["relation"], scope),))


def _select(node: Node, scope: Scope) -> Relation:
    if node.get("op") in _SETS:
        return _set_operation(node, scope)
    if "valuesLists" in node:
        return _values(node, scope)
    groups = tree.children(node, "groupClause")
    within = replace(
        sources.relations(tree.children(node, "fromClause"), scope),
        has_groups=bool(groups),
        has_grouping_sets=any("GroupingSet" in group for group in groups),
    )
    _condition(node, within)
    for sort in tree.children(node, "sortClause"):
        expressions.fact(sort["SortBy"]["node"], within)
    return _targets(tree.children(node, "targetList"), within)


def _set_operation(node: Node, scope: Scope) -> Relation:
    left, right = (rows(_outside(scope), node[arm]) for arm in ("larg", "rarg"))
    columns = tuple(
        (name, _combined(node["op"], one, other, scope))
        for (name, one), (_, other) in zip(left.columns, right.columns, strict=False)
    )
    return Relation("", columns)


def _combined(operation: str, one: Fact, other: Fact, scope: Scope) -> Fact:
    shared = expressions.common([one, other], scope)
    if operation == "SETOP_UNION":
        not_null = one.not_null and other.not_null
    elif operation == "SETOP_INTERSECT":
        not_null = one.not_null or other.not_null
    else:
        not_null = one.not_null
    return Fact(shared, not_null, one.origin if one.origin == other.origin else None)


def _values(node: Node, scope: Scope) -> Relation:
    lists = [
        [expressions.fact(item, scope) for item in tree.children(row["List"], "items")]
        for row in tree.children(node, "valuesLists")
    ]
    columns = [
        Fact(expressions.common(list(place), scope), all(f.not_null for f in place))
        for place in zip(*lists, strict=True)
    ]
    return Relation("", tuple((f"column{i}", f) for i, f in enumerate(columns, 1)))


def _returned(node: Node, within: Scope) -> Relation:
    return _targets(tree.children(node, "returningList"), within)


def _targets(targets: list[Node], within: Scope) -> Relation:
    sets = sum(_returns_set(target["ResTarget"].get("val", {})) for target in targets)
    columns: list[tuple[str, Fact]] = []
    for wrapped in targets:
        target = wrapped["ResTarget"]
        value: Node = target.get("val", {})
        if _is_star(value):
            columns += _expanded(value, within)
            continue
        found = expressions.fact(value, within)
        if sets > 1 and _returns_set(value):
            # The shorter set is filled up with NULLs.
            found = found.nullable()
        columns.append((target.get("name") or _name(value), found))
    return Relation("", tuple(columns))


def _returns_set(value: Node) -> bool:
    return any(
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
