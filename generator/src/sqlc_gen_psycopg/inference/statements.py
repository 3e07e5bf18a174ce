"""Statements, clause by clause in the order in which PostgreSQL looks at them."""

from typing import NamedTuple

from sqlc_gen_psycopg.catalog.types import PgType
from sqlc_gen_psycopg.inference import cardinality, shapes
from sqlc_gen_psycopg.inference.conversion import ASSIGNMENT
from sqlc_gen_psycopg.inference.evaluation import TypeResolutionError
from sqlc_gen_psycopg.inference.facts import UNKNOWN, Fact, Origin, Relation
from sqlc_gen_psycopg.inference.from_clause import FromClause
from sqlc_gen_psycopg.inference.scope import Level, Scope
from sqlc_gen_psycopg.schema.model import relation as relation_name
from sqlc_gen_psycopg.sql import tree
from sqlc_gen_psycopg.sql.tree import Node

_SETS = frozenset({"SETOP_UNION", "SETOP_INTERSECT", "SETOP_EXCEPT"})
_KEYWORDS = {"A_ArrayExpr": "array", "CaseExpr": "case", "CoalesceExpr": "coalesce"}


class _State(NamedTuple):
    """What is known of the parameters at one point of the walk."""

    uses: list[tuple[int, PgType]]
    types: dict[int, PgType]
    links: dict[int, Origin]
    foreign: set[int]


class Statements(FromClause):
    """Evaluates whole statements."""

    def query(self, scope: Scope, node: Node, kind: str = "SelectStmt") -> Relation:  # noqa: PLR0911 - a kind each
        """Return what a statement gives, as a relation without an alias.

        ``scope`` holds what the statement sees from outside.
        """
        if kind == "SelectStmt":
            return self.select(node, scope)
        scope = self._with(node, scope)
        match kind:
            case "InsertStmt":
                return self._insert(node, scope)
            case "UpdateStmt":
                return self._update(node, scope)
            case "DeleteStmt":
                within = self._target(node, scope)
                within = self.relations(tree.children(node, "usingClause"), within)
                self.boolean(node.get("whereClause", {}), within)
                return self._returning(node, self._kept(node, within))
            case "MergeStmt":
                return self._merge_into(node, scope)
            case "CallStmt":
                self._called_procedure(node, scope)
                return Relation("", ())
            case _:
                return Relation("", ())

    def _called_procedure(self, node: Node, scope: Scope) -> None:
        self.call(node["funccall"], scope)

    # SELECT

    def select(self, node: Node, scope: Scope, *, is_settled: bool = True) -> Relation:
        """Return what a SELECT gives; unless settled, its unknown items stay so."""
        scope = self._with(node, scope)
        if node.get("op") in _SETS:
            return self._set_operation(node, scope)
        if "valuesLists" in node:
            return self._values(node, scope)
        sources, targets, sorts, groups, distinct, windows = tree.lists(
            node,
            "fromClause",
            "targetList",
            "sortClause",
            "groupClause",
            "distinctClause",
            "windowClause",
        )
        within = self.relations(sources, scope)._replace(
            has_groups=bool(groups),
            has_grouping_sets=any("GroupingSet" in group for group in groups),
        )
        condition: Node = node.get("whereClause", {})
        within = within.narrowed(self.proven(condition))
        columns = self._targets(targets, within)
        self.boolean(condition, within)
        self.boolean(node.get("havingClause", {}), within)
        for sort in sorts:
            self._sorted(sort["SortBy"]["node"], columns, within)
        for group in groups:
            self._grouped(group, columns, within)
        for one in distinct:
            if one:
                self._sorted(one, columns, within)
        if distinct and not any(distinct):
            columns[:] = [(name, self.as_text(fact)) for name, fact in columns]
        self._limits(node, within)
        self.windows(windows, within)
        if is_settled:
            columns = [(name, self.as_text(fact)) for name, fact in columns]
        one_row = cardinality.selects_one_row(node, within.level)
        return Relation("", tuple(columns), is_one_row=one_row)

    def _limits(self, node: Node, within: Scope) -> None:
        for clause in ("limitOffset", "limitCount"):
            if clause in node:
                limit = self.expression(node[clause], within)
                self.coerce(limit, self.catalog.int8, ASSIGNMENT)

    def _sorted(
        self, node: Node, columns: list[tuple[str, Fact]], within: Scope
    ) -> None:
        """Evaluate what is sorted by, which may be a column of the result."""
        place = _place(node, columns)
        if place is None:
            self.as_text(self.expression(node, within))
        else:
            name, fact = columns[place]
            columns[place] = name, self.as_text(fact)

    def _grouped(
        self, node: Node, columns: list[tuple[str, Fact]], within: Scope
    ) -> None:
        if "GroupingSet" in node:
            for one in tree.children(node["GroupingSet"], "content"):
                self._grouped(one, columns, within)
        elif "RowExpr" in node:
            for one in tree.children(node["RowExpr"], "args"):
                self._grouped(one, columns, within)
        else:
            self._sorted(node, columns, within)

    def _targets(self, targets: list[Node], within: Scope) -> list[tuple[str, Fact]]:
        columns: list[tuple[str, Fact]] = []
        sets: list[int] = []
        for wrapped in targets:
            target = wrapped["ResTarget"]
            value: Node = target.get("val", {})
            name: str = target.get("name", "")
            if "ColumnRef" in value and "A_Star" in value["ColumnRef"]["fields"][-1]:
                path = tree.path(value["ColumnRef"], "fields")
                columns += _expanded(path[-1:], within)
                continue
            before = within.level.sets
            fact = self.expression(value, within)
            if within.level.sets > before:
                sets.append(len(columns))
            columns.append((name or _name(value), fact))
        if len(sets) > 1:
            # The shorter set is filled up with NULLs.
            for place in sets:
                columns[place] = columns[place][0], columns[place][1].nullable()
        return columns

    def _set_operation(self, node: Node, scope: Scope) -> Relation:
        # A chain of arms may be long, so that it is followed without recursion.
        chain = [node]
        while chain[-1]["larg"].get("op") in _SETS and _is_bare(chain[-1]["larg"]):
            chain.append(chain[-1]["larg"])
        found = self._arm(chain[-1]["larg"], scope)
        for link in reversed(chain):
            right = self._arm(link["rarg"], scope)
            columns = tuple(
                (name, self._combined(link["op"], one, other))
                for (name, one), (_, other) in zip(
                    found.columns, right.columns, strict=False
                )
            )
            found = Relation("", columns)
        columns_ = [*found.columns]
        within = scope.outside()._replace(relations=(found,))
        for sort in tree.children(node, "sortClause"):
            self._sorted(sort["SortBy"]["node"], columns_, within)
        self._limits(node, within)
        return Relation("", tuple(columns_))

    def _arm(self, node: Node, scope: Scope) -> Relation:
        return self.select(node, scope.outside(), is_settled=False)

    def _combined(self, operation: str, one: Fact, other: Fact) -> Fact:
        first, second = self.settled([one, other], "a set operation's columns")
        # What is equal need not be the same: JSON's 1 and 1.0 are.
        shape = shapes.merged([first, second])
        if operation == "SETOP_UNION":
            not_null = one.not_null and other.not_null
        elif operation == "SETOP_INTERSECT":
            not_null = one.not_null or other.not_null
        else:
            not_null, shape = one.not_null, first.shape
        origin = one.origin if one.origin == other.origin else None
        dims = max(first.dims, second.dims)
        return Fact(first.type, not_null, origin, dims=dims, shape=shape)

    def _values(self, node: Node, scope: Scope) -> Relation:
        within = scope.outside()
        rows = [
            self.expressions(tree.children(row["List"], "items"), within)
            for row in tree.children(node, "valuesLists")
        ]
        columns: list[tuple[str, Fact]] = []
        for number, place in enumerate(zip(*rows, strict=False), 1):
            settled = self.settled(place, "a column of VALUES")
            total = all(fact.not_null for fact in place)
            dims = max(fact.dims for fact in settled)
            shape = shapes.merged(settled)
            found = Fact(settled[0].type, total, dims=dims, shape=shape)
            columns.append((f"column{number}", found))
        for sort in tree.children(node, "sortClause"):
            self._sorted(sort["SortBy"]["node"], columns, within)
        self._limits(node, within)
        one = len(rows) == 1 and not within.level.sets
        return Relation("", tuple(columns), is_one_row=one and "limitCount" not in node)

    # WITH

    def _with(self, node: Node, scope: Scope) -> Scope:
        if "withClause" not in node:
            return scope
        clause: Node = node["withClause"]
        for wrapped in tree.children(clause, "ctes"):
            cte = wrapped["CommonTableExpr"]
            found = self._cte(cte, scope, recursive=bool(clause.get("recursive")))
            found = self._with_search_and_cycle(cte, found)
            scope = scope._replace(ctes={**scope.ctes, cte["ctename"]: found})
        return scope

    def _cte(self, cte: Node, scope: Scope, *, recursive: bool) -> Relation:
        kind, query = tree.only(cte["ctequery"])
        names = tree.path(cte, "aliascolnames")
        name = cte["ctename"]
        if not (recursive and "larg" in query):
            return self.query(scope.outside(), query, kind).renamed(name, names)
        state = self._state()
        found = self.query(scope.outside(), query["larg"]).renamed(name, names)
        while True:
            # NULLs that the recursive arm brings in spread until nothing changes.
            self._restore(state)
            inner = scope.outside()._replace(ctes={**scope.ctes, name: found})
            again = self.query(inner, query, kind).renamed(name, names)
            weaker = _weaker(found, again)
            if weaker.columns == found.columns:
                return found
            found = weaker

    def _with_search_and_cycle(self, cte: Node, found: Relation) -> Relation:
        """Add the columns that SEARCH and CYCLE give a recursive query."""
        record, added = self.catalog.record, list[tuple[str, Fact]]()
        if "search_clause" in cte:
            search = cte["search_clause"]
            order = record if search.get("search_breadth_first") else record.array
            added.append((search["search_seq_column"], Fact(order, not_null=True)))
        if "cycle_clause" in cte:
            cycle = cte["cycle_clause"]
            values = [cycle["cycle_mark_value"], cycle["cycle_mark_default"]]
            mark, _ = self.settled(self.expressions(values, Scope(Level())), "CYCLE")
            added.append((cycle["cycle_mark_column"], Fact(mark.type, not_null=True)))
            path = Fact(record.array, not_null=True)
            added.append((cycle["cycle_path_column"], path))
        return found._replace(columns=(*found.columns, *added))

    def _state(self) -> "_State":
        return _State(
            [*self.uses], dict(self.types), dict(self.links), set(self.foreign)
        )

    def _restore(self, state: "_State") -> None:
        self.uses = [*state.uses]
        self.types, self.links = dict(state.types), dict(state.links)
        self.foreign = set(state.foreign)

    # INSERT, UPDATE, DELETE, MERGE

    def _target(self, node: Node, scope: Scope) -> Scope:
        return scope._replace(relations=(self.table(node["relation"], scope),))

    def _insert(self, node: Node, scope: Scope) -> Relation:
        within = self._target(node, scope)
        [target] = within.relations
        written = [column["ResTarget"] for column in tree.children(node, "cols")]
        if not written:
            written = [{"name": name} for name, _ in target.columns]
        select: Node = node.get("selectStmt", {}).get("SelectStmt", {})
        source = scope.outside()
        if select:
            self._inserted(select, written, target, source)
        conflict: Node = node.get("onConflictClause", {})
        if conflict:
            self._on_conflict(conflict, target, within)
        one_row = cardinality.inserts_one_row(node, source.level)
        return self._returning(node, within)._replace(is_one_row=one_row)

    def _inserted(
        self, select: Node, written: list[Node], target: Relation, scope: Scope
    ) -> None:
        if "valuesLists" in select and _is_bare(select):
            source = self._with(select, scope)
            for row in tree.children(select, "valuesLists"):
                items = tree.children(row["List"], "items")
                values = self.expressions(items, source)
                for column, value in zip(written, values, strict=False):
                    self.assign(column, value, target, source)
            return
        rows = self.select(select, scope, is_settled=False)
        for column, (_, value) in zip(written, rows.columns, strict=False):
            self.assign(column, value, target, scope)

    def _on_conflict(self, conflict: Node, target: Relation, within: Scope) -> None:
        infer: Node = conflict.get("infer", {})
        for element in tree.children(infer, "indexElems"):
            if "expr" in element["IndexElem"]:
                self.expression(element["IndexElem"]["expr"], within)
        self.boolean(infer.get("whereClause", {}), within)
        excluded = target._replace(alias="excluded")
        changed = within._replace(relations=(target, excluded))
        self._set(tree.children(conflict, "targetList"), changed)
        self.boolean(conflict.get("whereClause", {}), changed)

    def _update(self, node: Node, scope: Scope) -> Relation:
        within = self._target(node, scope)
        within = self.relations(tree.children(node, "fromClause"), within)
        self.boolean(node.get("whereClause", {}), within)
        result = self._returning(node, self._kept(node, within))
        self._set(tree.children(node, "targetList"), within)
        return result

    def _kept(self, node: Node, within: Scope) -> Scope:
        """Return what RETURNING sees, which of an updated row are its new values."""
        proven = within.narrowed(self.proven(node.get("whereClause", {})))
        schema = self.context.schema
        name = relation_name(schema, node["relation"])
        before, (target, *others) = within.relations[0], proven.relations
        if name in schema.computed or name in schema.derived:
            return proven._replace(relations=(before, *others))
        written = {
            t["ResTarget"].get("name") for t in tree.children(node, "targetList")
        }
        columns = tuple(
            old if old[0] in written else new
            for old, new in zip(before.columns, target.columns, strict=True)
        )
        kept = before._replace(columns=columns)
        return proven._replace(relations=(kept, *others))

    def _set(self, targets: list[Node], within: Scope) -> None:
        """Evaluate SET: all sources first, then the assignments."""
        written = [wrapped["ResTarget"] for wrapped in targets]
        rows: list[Fact] = []
        values: list[Fact] = []
        for target in written:
            value: Node = target.get("val", {})
            if "MultiAssignRef" not in value:
                values.append(self.expression(value, within))
                continue
            part = value["MultiAssignRef"]
            if part.get("colno", 1) == 1:
                rows = self._multiple(part["source"], within)
            place: int = part.get("colno", 1) - 1
            values.append(rows[place] if place < len(rows) else UNKNOWN)
        for target, value_ in zip(written, values, strict=True):
            self.assign(target, value_, within.relations[0], within)

    def _multiple(self, source: Node, within: Scope) -> list[Fact]:
        """Evaluate the source of `SET (a, b) = …`."""
        if "RowExpr" in source:
            return self.expressions(tree.children(source["RowExpr"], "args"), within)
        if "SubLink" in source:
            select: Node = source["SubLink"]["subselect"].get("SelectStmt", {})
            rows = self.query(within.inner(), select)
            return [fact.nullable() for _, fact in rows.columns]
        self.expression(source, within)
        return []

    def _merge_into(self, node: Node, scope: Scope) -> Relation:
        within = self._target(node, scope)
        joined = self.relations([node["sourceRelation"]], within)
        self.boolean(node.get("joinCondition", {}), joined)
        # What matched nothing has no source, or has no target yet.
        missing = tuple(relation.nullable() for relation in joined.relations)
        result = self._returning(node, joined._replace(relations=missing))
        target = within.relations[0]
        for wrapped in tree.children(node, "mergeWhenClauses"):
            when = wrapped["MergeWhenClause"]
            self.boolean(when.get("condition", {}), joined)
            if when.get("commandType") == "CMD_UPDATE":
                self._set(tree.children(when, "targetList"), joined)
            elif when.get("commandType") == "CMD_INSERT":
                written = [t["ResTarget"] for t in tree.children(when, "targetList")]
                if not written:
                    written = [{"name": name} for name, _ in target.columns]
                values = self.expressions(tree.children(when, "values"), joined)
                for column, value in zip(written, values, strict=False):
                    self.assign(column, value, target, joined)
        return result

    def assign(
        self, target: Node, value: Fact, relation: Relation, scope: Scope
    ) -> None:
        """Write a value to a column, or to a part of one.

        Raises:
            TypeResolutionError: there is no such column, or it is of another type.
        """
        name: str = target.get("name", "")
        column = relation.find(name)
        if column is None:
            if relation.columns:
                raise TypeResolutionError(
                    f"there is no column {relation.alias}.{name}",
                    "write a column of the table's",
                )
            column = UNKNOWN
        steps = tree.children(target, "indirection")
        wanted = column.type
        if steps:
            wanted = self._part(column, steps, scope)
        made = self.coerce(value, wanted, ASSIGNMENT)
        if not steps:
            self.link(made._replace(parameter=value.parameter), column)

    def _part(self, column: Fact, steps: list[Node], scope: Scope) -> PgType | None:
        """Return the type of the part of a column that is written to."""
        found = column
        for place, step in enumerate(steps):
            if "String" in step:
                found = self.attribute(found, step["String"].get("sval", ""))
                continue
            rest = [one for one in steps[place:] if "A_Indices" in one]
            if found.type is None:
                return None
            if found.type.flat.name.name == "jsonb":
                self.subscripted(found, rest, scope)
                return found.type.flat
            found = self.subscripted(found, rest, scope)
            if place + len(rest) >= len(steps):
                return found.type
        return found.type

    def _returning(self, node: Node, within: Scope) -> Relation:
        if not node.get("returningList"):
            return Relation("", ())
        if within.relations:
            # Since PostgreSQL 18, and only if qualified.
            target = within.relations[0].nullable()
            both = tuple(target._replace(alias=name) for name in ("old", "new"))
            around = Scope(Level(), both, within.ctes, within.parent)
            within = within._replace(parent=around)
        columns = self._targets(tree.children(node, "returningList"), within)
        return Relation("", tuple((name, self.as_text(f)) for name, f in columns))


def _place(node: Node, columns: list[tuple[str, Fact]]) -> int | None:
    """Return the place of the result's column that is sorted by, if it is one."""
    constant: Node = node.get("A_Const", {})
    if "ival" in constant:
        place = constant["ival"].get("ival", 0) - 1
        return place if 0 <= place < len(columns) else None
    path = tree.path(node.get("ColumnRef", {}), "fields")
    if len(path) == 1:
        for place, (name, _) in enumerate(columns):
            if name == path[0]:
                return place
    return None


def _is_bare(node: Node) -> bool:
    """Tell whether an arm has no clause that is its own."""
    return not any(
        key in node for key in ("sortClause", "limitCount", "limitOffset", "withClause")
    )


def _weaker(one: Relation, other: Relation) -> Relation:
    """Keep what both say: each round says less, so that the rounds end."""
    columns = tuple(
        (
            name,
            Fact(
                again.type,
                fact.not_null and again.not_null,
                fact.origin if fact.origin == again.origin else None,
                dims=max(fact.dims, again.dims),
                shape=fact.shape if fact.shape == again.shape else None,
            ),
        )
        for (name, fact), (_, again) in zip(one.columns, other.columns, strict=False)
    )
    return one._replace(columns=columns)


def _expanded(qualifier: list[str], within: Scope) -> list[tuple[str, Fact]]:
    merged: set[str] = set()
    found: list[tuple[str, Fact]] = []
    for relation in within.relations:
        if qualifier:
            found += relation.columns if relation.alias == qualifier[0] else ()
            continue
        found += [column for column in relation.columns if column[0] not in merged]
        if not relation.alias:
            merged |= {name for name, _ in relation.columns}
    return found


def _name(value: Node) -> str:
    """Return the name that PostgreSQL gives a column without an alias."""
    kind, node = tree.only(value)
    match kind:
        case "ColumnRef":
            path = tree.path(node, "fields")
            return path[-1] if path else ""
        case "FuncCall":
            return tree.last_name(node, "funcname")
        case "TypeCast":
            return _name(node["arg"]) or tree.last_name(node["typeName"], "names")
        case "A_Indirection":
            return _name(node["arg"])
        case _:
            return _KEYWORDS.get(kind, "")
