"""The relations in FROM."""

from sqlc_gen_psycopg.catalog.types import PgType
from sqlc_gen_psycopg.inference.conversion import common_type
from sqlc_gen_psycopg.inference.evaluation import TypeResolutionError
from sqlc_gen_psycopg.inference.expressions import Expressions
from sqlc_gen_psycopg.inference.facts import UNKNOWN, Fact, Origin, Relation
from sqlc_gen_psycopg.inference.scope import Level, Scope, narrowed
from sqlc_gen_psycopg.naming.sql_names import Name
from sqlc_gen_psycopg.schema.model import relation as relation_name
from sqlc_gen_psycopg.sql import tree
from sqlc_gen_psycopg.sql.tree import Node
from sqlc_gen_psycopg.sqlc.request import Column, Table


class FromClause(Expressions):
    """Evaluates relations."""

    def relations(self, nodes: list[Node], scope: Scope) -> Scope:
        """Add the relations of a FROM list to a scope, each seeing those before it."""
        for node in nodes:
            found = self._source(node, scope)
            scope = scope._replace(relations=(*scope.relations, *found))
        return scope

    def _source(  # noqa: PLR0911 - a kind each
        self, wrapped: Node, scope: Scope
    ) -> tuple[Relation, ...]:
        kind, node = tree.only(wrapped)
        match kind:
            case "RangeVar":
                return (self.table(node, scope),)
            case "RangeSubselect":
                select: Node = node["subquery"].get("SelectStmt", {})
                return (_aliased(self.query(scope.inner(), select), node),)
            case "RangeFunction":
                return (self._functions(node, scope),)
            case "JoinExpr":
                return self._join(node, scope)
            case "RangeTableSample":
                found = self._source(node["relation"], scope)
                for argument in tree.children(node, "args"):
                    target = self.catalog.built_in("float4")
                    self.coerce(self.expression(argument, scope), target, "a")
                if "repeatable" in node:
                    target = self.catalog.built_in("float8")
                    self.coerce(self.expression(node["repeatable"], scope), target, "a")
                return found
            case "JsonTable":
                columns = self.json_table(node, scope)
                return (_aliased(Relation("json_table", columns, may_lack=True), node),)
            case _:
                return (_aliased(Relation("", ()), node),)

    def table(self, node: Node, scope: Scope) -> Relation:
        """Return a table, view or CTE under its alias."""
        name = relation_name(self.context.schema, node)
        if not node.get("schemaname") and name.name in scope.ctes:
            return _aliased(scope.ctes[name.name]._replace(alias=name.name), node)
        return _aliased(self.named_relation(name), node)

    def named_relation(self, name: Name) -> Relation:
        """Return a table, or a view by its query."""
        relations = self.context.relations
        if name not in relations:
            # Whatever names itself has no columns meanwhile.
            relations[name] = Relation(name.name, ())
            relations[name] = self._named_relation(name)
        return relations[name]

    def _named_relation(self, name: Name) -> Relation:
        node = self.context.schema.derived.get(name)
        table = self.context.tables.get(name)
        columns = self._columns(table) if table else ()
        row = self.catalog.type(name) if table else None
        if node is None:
            return Relation(name.name, columns, row)
        if "inhRelations" in node:
            return Relation(name.name, self._inherited(columns, node), row)
        query: Node = node.get("query", {}).get("SelectStmt", {})
        try:
            derived = type(self)(self.context, {}).query(Scope(Level()), query)
        except TypeResolutionError:
            derived = Relation("", ())
        if "into" in node and node.get("objtype") != "OBJECT_MATVIEW":
            # A table made from a query has its columns, but not its constraints.
            derived = Relation(
                "",
                tuple(
                    (column, fact.nullable()._replace(shape=None))
                    for column, fact in derived.columns
                ),
            )
        return Relation(name.name, _checked(columns, derived), row)

    def _columns(self, table: Table) -> tuple[tuple[str, Fact], ...]:
        return tuple(
            (
                column.name,
                Fact(
                    self.catalog.type(column.type, column.array_dims),
                    self._is_required(table, column),
                    Origin(table.name, column.name),
                    dims=column.array_dims,
                ),
            )
            for column in table.columns
        )

    def _is_required(self, table: Table, column: Column) -> bool:
        schema = self.context.schema
        said = (table.name, column.name) in schema.required
        return said or (column.not_null and table.name not in schema.parents)

    def _inherited(
        self, columns: tuple[tuple[str, Fact], ...], node: Node
    ) -> tuple[tuple[str, Fact], ...]:
        """Return a child table's columns, NOT NULL where a parent's are, too."""
        parents = [
            self.named_relation(relation_name(self.context.schema, parent["RangeVar"]))
            for parent in tree.children(node, "inhRelations")
        ]
        return tuple(
            (name, fact._replace(not_null=self._is_not_null(name, fact, parents)))
            for name, fact in columns
        )

    def _is_not_null(self, name: str, fact: Fact, parents: list[Relation]) -> bool:
        above = [found for parent in parents if (found := parent.find(name))]
        if not above:
            return fact.not_null
        # sqlc mixes up what a table and its child tables say of a column they share.
        said = fact.origin and fact.origin[:2] in self.context.schema.required
        return said or any(found.not_null for found in above)

    def _functions(self, node: Node, scope: Scope) -> Relation:
        items = [f["List"]["items"] for f in tree.children(node, "functions")]
        if len(items) == 1:
            items = _split_unnest(items[0])
        alone = len(items) == 1
        columns: list[tuple[str, Fact]] = []
        row, is_scalar = None, alone
        for parts in items:
            made, whole, scalar = self._function(parts, node, scope, alone=alone)
            columns += made
            row, is_scalar = whole, is_scalar and scalar
        alias = _function_name(items[0][0]) if items else ""
        given: Node = node.get("alias", {})
        if is_scalar and not tree.children(given, "colnames"):
            # `unnest(…) AS x` names the relation and its column.
            named = given.get("aliasname", alias)
            columns[0] = named, columns[0][1]
        if node.get("ordinality"):
            columns.append(("ordinality", Fact(self.catalog.int8, not_null=True)))
        found = Relation(
            alias,
            tuple(columns),
            row if alone else None,
            is_scalar=is_scalar and len(columns) == 1,
            may_lack=True,
        )
        return _aliased(found, node)

    def _function(
        self, parts: list[Node], node: Node, scope: Scope, *, alone: bool
    ) -> tuple[list[tuple[str, Fact]], PgType | None, bool]:
        """Return a call's columns, its row type, and whether it gives one value."""
        defined = [
            item["ColumnDef"]
            for part in parts[1:]
            for item in tree.children(part.get("List", {}), "items")
            if "ColumnDef" in item
        ]
        defined += [item["ColumnDef"] for item in tree.children(node, "coldeflist")]
        written: Node = parts[0]
        attributes: tuple[tuple[str, Fact], ...] = ()
        level, sets = scope.level, scope.level.sets
        if "FuncCall" in written:
            fact, returned = self.called(written["FuncCall"], scope)
            attributes = tuple((name, Fact(kind)) for name, kind in returned)
        else:
            fact = self.expression(written, scope)
        # In FROM it makes no rows of its own query's targets.
        level.sets = sets
        if defined:
            made = [(d["colname"], self._defined(d)) for d in defined]
            return made, None, False
        if attributes:
            return [*attributes], fact.type, False
        fact = self.as_text(fact)
        name = _function_name(written)
        value = fact if alone else fact.nullable()
        return [(name, value._replace(use=-1))], None, True

    def _defined(self, definition: Node) -> Fact:
        found, dims = self.written(definition["typeName"])
        return Fact(found, dims=dims)

    def _join(self, node: Node, scope: Scope) -> tuple[Relation, ...]:
        left = self._source(node["larg"], scope)
        around = scope._replace(relations=(*scope.relations, *left))
        right = self._source(node["rarg"], around)
        kind = node["jointype"]
        merged = self._merged(node, kind, left, right)
        if "quals" in node:
            both = (*scope.relations, *left, *right)
            self.boolean(node["quals"], scope._replace(relations=both))
            left, right = self._joined(node["quals"], kind, left, right)
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

    def _joined(
        self,
        condition: Node,
        kind: str,
        left: tuple[Relation, ...],
        right: tuple[Relation, ...],
    ) -> tuple[tuple[Relation, ...], tuple[Relation, ...]]:
        """Return what a join's condition proves of the rows that it finds."""
        proven = self.proven(condition)
        if not proven:
            return left, right
        both = narrowed((*left, *right), proven)
        one, other = both[: len(left)], both[len(left) :]
        # A side whose rows need no match is as it was.
        return (
            one if kind in ("JOIN_INNER", "JOIN_RIGHT") else left,
            other if kind in ("JOIN_INNER", "JOIN_LEFT") else right,
        )

    def _merged(
        self,
        node: Node,
        kind: str,
        left: tuple[Relation, ...],
        right: tuple[Relation, ...],
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
            (name, self._merge(kind, _find(left, name), _find(right, name)))
            for name in names
        )
        merged = Relation("", columns)
        alias = node.get("join_using_alias", {}).get("aliasname")
        return (merged, merged._replace(alias=alias)) if alias else (merged,)

    def _merge(self, kind: str, left: Fact, right: Fact) -> Fact:
        same = None
        if left.type is not None and right.type is not None:
            same = (
                left.type
                if left.type is right.type
                else common_type([left.type, right.type], self.catalog)
            )
        match kind:
            case "JOIN_LEFT":
                found = left
            case "JOIN_RIGHT":
                found = right
            case "JOIN_FULL":
                return Fact(same, left.not_null and right.not_null)
            case _:
                found = left._replace(not_null=left.not_null or right.not_null)
        if same is not found.type:
            return Fact(same, found.not_null)
        return found


def _checked(
    columns: tuple[tuple[str, Fact], ...], derived: Relation
) -> tuple[tuple[str, Fact], ...]:
    """Keep sqlc's columns of a view, with what its query proves of them."""
    proven = [fact for _, fact in derived.columns]
    if len(proven) != len(columns):
        return tuple((name, fact.nullable()) for name, fact in columns)
    return tuple(
        (
            name,
            fact._replace(
                type=shown.type or fact.type,
                not_null=shown.not_null,
                dims=shown.dims if shown.type else fact.dims,
                shape=shown.shape,
                origin=fact.origin and fact.origin._replace(source=shown.origin),
            ),
        )
        for (name, fact), shown in zip(columns, proven, strict=True)
    )


def _aliased(relation: Relation, node: Node) -> Relation:
    alias: Node = node.get("alias", {})
    names = tree.path(alias, "colnames")
    return relation.renamed(alias.get("aliasname", relation.alias), names)


def _split_unnest(parts: list[Node]) -> list[list[Node]]:
    """Take `unnest(a, b)` apart, which is several calls side by side."""
    call: Node = parts[0].get("FuncCall", {})
    arguments = tree.children(call, "args")
    if tree.path(call, "funcname")[-1:] != ["unnest"] or len(arguments) < 2:  # noqa: PLR2004
        return [parts]
    return [[{"FuncCall": {**call, "args": [one]}}] for one in arguments]


def _function_name(written: Node) -> str:
    kind, node = tree.only(written)
    if kind == "FuncCall":
        return tree.last_name(node, "funcname")
    if kind == "CoalesceExpr":
        return "coalesce"
    return "column"


def _find(relations: tuple[Relation, ...], name: str) -> Fact:
    for relation in relations:
        if found := relation.find(name):
            return found
    return UNKNOWN
