"""Expressions by the kind of their node, and those that are no operator or call."""

from difflib import get_close_matches

from sqlc_gen_psycopg.inference import shapes
from sqlc_gen_psycopg.inference.conversion import (
    ASSIGNMENT,
    EXPLICIT,
    IMPLICIT,
    can_become,
)
from sqlc_gen_psycopg.inference.evaluation import TypeResolutionError, spelled
from sqlc_gen_psycopg.inference.facts import UNKNOWN, Constants, Fact, Relation
from sqlc_gen_psycopg.inference.json import Json
from sqlc_gen_psycopg.inference.scope import Scope
from sqlc_gen_psycopg.sql import tree
from sqlc_gen_psycopg.sql.tree import Node

_SYSTEM_COLUMNS = frozenset({"cmax", "cmin", "ctid", "tableoid", "xmax", "xmin"})
_JSON = ("json", "jsonb")


class Expressions(Json):
    """Evaluates any expression."""

    def expression(self, node: Node, scope: Scope) -> Fact:
        """Return what is known of an expression; nothing of one that is not known."""
        for kind, inner in node.items():
            rule = _RULES.get(kind)
            if rule is None:
                break
            found: Fact = getattr(self, rule)(inner, scope)
            return found
        return UNKNOWN

    def column(self, node: Node, scope: Scope) -> Fact:
        """Look a column up, or a whole row."""
        path = tree.path(node, "fields")
        if not path:
            return UNKNOWN
        found = scope.find(path)
        if found is not None:
            return found[0]
        relation = scope.relation(path[-1]) if len(path) == 1 else None
        if relation is not None:
            if relation.is_scalar:
                return relation.columns[0][1]
            return self._whole(relation, scope)
        if len(path) > 1:
            # A field of a composite column.
            inner = scope.find(path[:-1])
            if inner is not None:
                return self.attribute(inner[0], path[-1])
            relation = scope.relation(path[-2])
            if relation is None:
                raise TypeResolutionError(
                    f"there is no {path[-2]} in FROM for {'.'.join(path)}",
                    "name a table, or its alias, that the query reads",
                )
            if relation.columns and path[-1] not in _SYSTEM_COLUMNS:
                # What sqlc makes of * for a function that returns a composite.
                raise TypeResolutionError(
                    f"there is no column {path[-2]}.{path[-1]}",
                    "name the columns instead of *",
                )
        elif path[0] not in _SYSTEM_COLUMNS and scope.is_known():
            # sqlc looks for columns where they stand alone, not in an expression.
            close = get_close_matches(path[0], scope.columns(), n=1)
            raise TypeResolutionError(
                f"there is no column {path[0]}",
                f"is it {close[0]}?" if close else "name one that the query reads",
            )
        return UNKNOWN

    def _whole(self, relation: Relation, scope: Scope) -> Fact:
        """Return a row of a relation as one value."""
        row = relation.row
        columns = (relation.whole or relation).columns
        shape = shapes.row(columns)
        if row is not None and [n for n, _ in row.flat.attributes] != [
            name for name, _ in columns
        ]:
            # Its own names hold, whatever its columns are called here.
            shape = None
        found = row or self.catalog.record
        total = not (relation.may_lack or scope.has_grouping_sets)
        return Fact(found, total, shape=shape)

    def parameter(self, node: Node, _: Scope) -> Fact:
        """Note a use of a parameter."""
        return self.use(node.get("number", 0))

    def constant(self, node: Node, _: Scope) -> Fact:
        """Return the type of a literal, which a quoted one takes from its place."""
        if node.get("isnull"):
            return Fact(self.catalog.unknown, shape=shapes.NOTHING)
        if "ival" in node:
            number: int = node["ival"].get("ival", 0)
            return Fact(self.catalog.int4, not_null=True, shape=Constants((number,)))
        if "fval" in node:
            name = _numeral(node["fval"]["fval"])
            return Fact(self.catalog.built_in(name), not_null=True)
        if "boolval" in node:
            truth: bool = node["boolval"].get("boolval", False)
            return Fact(self.catalog.bool, not_null=True, shape=Constants((truth,)))
        if "bsval" in node:
            return Fact(self.catalog.built_in("bit"), not_null=True)
        text: str = node["sval"].get("sval", "")
        return Fact(self.catalog.unknown, not_null=True, shape=Constants((text,)))

    def cast(self, node: Node, scope: Scope) -> Fact:
        """Evaluate a cast."""
        target, dims = self.written(node["typeName"])
        argument: Node = node["arg"]
        if "A_ArrayExpr" in argument and target.flat.element is not None:
            made = self.array(argument["A_ArrayExpr"], scope, target.flat)
            self.coerce(made, target, EXPLICIT)
            return made._replace(type=target, dims=max(dims, made.dims))
        given = self.expression(argument, scope)
        self.coerce(given, target, EXPLICIT)
        # JSON's null becomes SQL's where it is cast to something else.
        source = given.type.flat if given.type else None
        from_json = source is None or source.name.name in _JSON
        is_input = "ParamRef" in argument or "A_Const" in argument
        total = given.not_null and (is_input or not from_json or target.flat is source)
        dims = max(dims, given.dims) if target.flat.element else 0
        shape = None
        # varchar(n) cuts.
        if given.shape is not None and "typmods" not in node["typeName"]:
            shape = shapes.kept(given.shape, given.type, target)
        return Fact(
            target,
            total,
            given.origin if given.type is target else None,
            parameter=given.parameter,
            dims=dims,
            shape=shape,
        )

    def sql_value(self, node: Node, _: Scope) -> Fact:
        """Return what CURRENT_DATE and its like are."""
        kind = _VALUE_FUNCTIONS.get(node["op"])
        # The others are names of roles, database and schema; the last may be missing.
        if kind is None:
            not_null = node["op"] != "SVFOP_CURRENT_SCHEMA"
            return Fact(self.catalog.built_in("name"), not_null)
        return Fact(self.catalog.built_in(kind), not_null=True)

    def array_literal(self, node: Node, scope: Scope) -> Fact:
        """Evaluate ARRAY[…]."""
        return self.array(node, scope)

    def indirection(self, node: Node, scope: Scope) -> Fact:
        """Evaluate subscripts, slices and fields."""
        found = self.expression(node["arg"], scope)
        steps = tree.children(node, "indirection")
        place = 0
        while place < len(steps):
            if "A_Indices" in steps[place]:
                end = place
                while end < len(steps) and "A_Indices" in steps[end]:
                    end += 1
                found = self.subscripted(found, steps[place:end], scope)
                place = end
            elif "String" in steps[place]:
                found = self.attribute(found, steps[place]["String"].get("sval", ""))
                place += 1
            else:
                return UNKNOWN
        return found

    def subscripted(self, container: Fact, steps: list[Node], scope: Scope) -> Fact:
        """Evaluate subscripts of an array, of jsonb, or of hstore."""
        if container.type is None or container.type.is_foreign:
            return UNKNOWN
        base = container.type.flat
        subscripts = [
            (side, self.expression(step["A_Indices"][side], scope))
            for step in steps
            for side in ("lidx", "uidx")
            if step["A_Indices"].get(side)
        ]
        name = base.name.name
        if name == "jsonb":
            for _, fact in subscripts:
                self._json_subscript(fact)
            return Fact(base)
        if name == "hstore":
            for _, fact in subscripts:
                self.coerce(fact, self.catalog.text, ASSIGNMENT)
            return Fact(self.catalog.text)
        if base.element is None:
            what = f"{spelled(container.type)} has no subscripts"
            raise TypeResolutionError(what, "cast it to an array")
        for _, fact in subscripts:
            self.coerce(fact, self.catalog.int4, ASSIGNMENT)
        if any(step["A_Indices"].get("is_slice") for step in steps):
            return Fact(base, dims=container.dims)
        return Fact(base.element)

    def _json_subscript(self, fact: Fact) -> None:
        found = fact.type
        if found is None or found.is_unknown:
            self.coerce(fact, self.catalog.text)
        elif can_become(found, self.catalog.int4, IMPLICIT, self.catalog):
            self.coerce(fact, self.catalog.int4)
        else:
            self.coerce(fact, self.catalog.text)

    # What was asked of the fields of the row that was evaluated last.
    row_facts: list[Fact]

    def row(self, node: Node, scope: Scope) -> Fact:
        """Evaluate a row."""
        written = tree.children(node, "args")
        facts = self.expressions(written, scope)
        self.row_facts = facts
        total = all(fact.not_null for fact in facts)
        named = ((f"f{place}", fact) for place, fact in enumerate(facts, 1))
        # A star stands for several.
        shape = None if any(map(_is_star, written)) else shapes.row(named)
        return Fact(self.catalog.record, total, shape=shape)

    def collated(self, node: Node, scope: Scope) -> Fact:
        """Evaluate COLLATE."""
        return self.expression(node["arg"], scope)

    def grouping(self, _: Node, __: Scope) -> Fact:
        """Evaluate GROUPING."""
        return Fact(self.catalog.int4, not_null=True)

    def merge_action(self, _: Node, __: Scope) -> Fact:
        """Evaluate `merge_action`."""
        return Fact(self.catalog.text, not_null=True)

    def default(self, _: Node, __: Scope) -> Fact:
        """DEFAULT is of whatever type its column is."""
        return UNKNOWN

    def subquery(self, node: Node, scope: Scope) -> Fact:
        """Evaluate a subquery: its value, or a test against it."""
        select: Node = node["subselect"].get("SelectStmt", {})
        kind = node["subLinkType"]
        rows = self.query(scope.inner(), select)
        if kind == "EXISTS_SUBLINK":
            return Fact(self.catalog.bool, not_null=True)
        first = rows.columns[0][1] if rows.columns else UNKNOWN
        if kind == "EXPR_SUBLINK":
            return first if rows.is_one_row else first.nullable()
        if kind == "ARRAY_SUBLINK":
            if first.type is None:
                return Fact(None, not_null=True)
            made = first.type if first.type.element else self.catalog.array(first.type)
            dims = (first.dims or 1) + 1 if first.type.element else 1
            shape = shapes.of_call("array_agg", [first])
            return Fact(made, not_null=True, dims=dims, shape=shape)
        if "testexpr" not in node:
            return Fact(self.catalog.bool)
        names = tree.path(node, "operName")
        name = names[-1] if names else "="
        tested: Node = node["testexpr"]
        if "RowExpr" in tested:
            left = self.expressions(tree.children(tested["RowExpr"], "args"), scope)
        else:
            left = [self.expression(tested, scope)]
        total = True
        for one, (_, other) in zip(left, rows.columns, strict=False):
            self.applied(name, (one, other))
            total = total and one.not_null and other.not_null
        return Fact(self.catalog.bool, total)

    def xml(self, node: Node, scope: Scope) -> Fact:
        """Evaluate XML's functions, of which only documents are looked at."""
        for argument in tree.children(node, "named_args"):
            self.as_text(self.expression(argument["ResTarget"]["val"], scope))
        target = self.catalog.built_in("xml")
        if node.get("op") == "IS_XMLPARSE":
            target = self.catalog.text
        for argument in tree.children(node, "args"):
            self.coerce(self.expression(argument, scope), target, EXPLICIT)
        is_test = node.get("op") == "IS_DOCUMENT"
        return Fact(self.catalog.bool if is_test else self.catalog.built_in("xml"))


def _is_star(node: Node) -> bool:
    fields = node.get("ColumnRef", {}).get("fields", ())
    return any("A_Star" in field for field in fields)


def _numeral(digits: str) -> str:
    try:
        number = int(digits.replace("_", ""), 0)
    except ValueError:
        return "numeric"
    if number.bit_length() < 32:  # noqa: PLR2004 - int4's width
        return "int4"
    return "int8" if number.bit_length() < 64 else "numeric"  # noqa: PLR2004 - int8's


_VALUE_FUNCTIONS = {
    "SVFOP_CURRENT_DATE": "date",
    "SVFOP_CURRENT_TIME": "timetz",
    "SVFOP_CURRENT_TIME_N": "timetz",
    "SVFOP_CURRENT_TIMESTAMP": "timestamptz",
    "SVFOP_CURRENT_TIMESTAMP_N": "timestamptz",
    "SVFOP_LOCALTIME": "time",
    "SVFOP_LOCALTIME_N": "time",
    "SVFOP_LOCALTIMESTAMP": "timestamp",
    "SVFOP_LOCALTIMESTAMP_N": "timestamp",
}
_RULES: dict[str, str] = {
    "A_ArrayExpr": "array_literal",
    "A_Const": "constant",
    "A_Expr": "operation",
    "A_Indirection": "indirection",
    "BoolExpr": "connective",
    "BooleanTest": "boolean_test",
    "CaseExpr": "case",
    "CoalesceExpr": "coalesce",
    "CollateClause": "collated",
    "ColumnRef": "column",
    "FuncCall": "call",
    "GroupingFunc": "grouping",
    "JsonArrayAgg": "json_aggregate",
    "JsonArrayConstructor": "json_array",
    "JsonArrayQueryConstructor": "json_query_array",
    "JsonFuncExpr": "json_function",
    "JsonIsPredicate": "json_predicate",
    "JsonObjectAgg": "json_aggregate",
    "JsonObjectConstructor": "json_object",
    "JsonParseExpr": "json_parse",
    "JsonScalarExpr": "json_scalar",
    "JsonSerializeExpr": "json_serialize",
    "MergeSupportFunc": "merge_action",
    "MinMaxExpr": "coalesce",
    "NullTest": "null_test",
    "ParamRef": "parameter",
    "RowExpr": "row",
    "SQLValueFunction": "sql_value",
    "SetToDefault": "default",
    "SubLink": "subquery",
    "TypeCast": "cast",
    "XmlExpr": "xml",
}
