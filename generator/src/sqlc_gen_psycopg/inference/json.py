"""SQL/JSON: its functions, its constructors, and JSON_TABLE."""

from sqlc_gen_psycopg.catalog.types import PgType
from sqlc_gen_psycopg.inference import shapes
from sqlc_gen_psycopg.inference.calls import Calls
from sqlc_gen_psycopg.inference.conversion import EXPLICIT
from sqlc_gen_psycopg.inference.facts import Entries, Fact, Shape
from sqlc_gen_psycopg.inference.scope import Scope
from sqlc_gen_psycopg.sql import tree
from sqlc_gen_psycopg.sql.tree import Node


class Json(Calls):
    """Evaluates SQL/JSON, in which what is unknown is text."""

    def _value(self, node: Node, scope: Scope) -> Fact:
        if "JsonValueExpr" in node:
            node = node["JsonValueExpr"]
        inner: Node = node.get("raw_expr", node)
        if not inner:
            return Fact()
        found = self.as_text(self.expression(inner, scope))
        written: Node = node.get("format", {})
        if written.get("format_type", "JS_FORMAT_DEFAULT") != "JS_FORMAT_DEFAULT":
            # A text that is JSON itself.
            return found._replace(type=None, shape=None)
        return found

    def _output(self, node: Node, default: str) -> PgType:
        output: Node = node.get("output", {})
        written: Node = output.get("typeName", {})
        return self.written(written)[0] if written else self.catalog.built_in(default)

    def json_function(self, node: Node, scope: Scope) -> Fact:
        """Evaluate JSON_EXISTS, JSON_QUERY and JSON_VALUE."""
        self._value(node.get("context_item", {}), scope)
        self._path(node.get("pathspec", {}), scope)
        self._passing(node, scope)
        for behavior in ("on_empty", "on_error"):
            expression: Node = node.get(behavior, {}).get("expr", {})
            if expression:
                self.expression(expression, scope)
        if node["op"] == "JSON_EXISTS_OP":
            return Fact(self.catalog.bool)
        default = "text" if node["op"] == "JSON_VALUE_OP" else "jsonb"
        return Fact(self._output(node, default))

    def _path(self, node: Node, scope: Scope) -> None:
        if node:
            path = self.expression(node, scope)
            self.coerce(path, self.catalog.built_in("jsonpath"), EXPLICIT)

    def _passing(self, node: Node, scope: Scope) -> None:
        for wrapped in tree.children(node, "passing"):
            self._value(wrapped["JsonArgument"].get("val", {}), scope)

    def json_object(self, node: Node, scope: Scope) -> Fact:
        """Evaluate JSON_OBJECT."""
        pairs: list[tuple[Fact, Fact]] = []
        for wrapped in tree.children(node, "exprs"):
            pair = wrapped["JsonKeyValue"]
            key = self.as_text(self.expression(pair["key"], scope))
            pairs.append((key, self._value(pair["value"], scope)))
        is_whole = not node.get("absent_on_null") or all(v.not_null for _, v in pairs)
        shape = shapes.keyed(pairs) if is_whole else None
        return self._made(node, shape, not_null=True)

    def json_array(self, node: Node, scope: Scope) -> Fact:
        """Evaluate JSON_ARRAY of values."""
        facts = [self._value(item, scope) for item in tree.children(node, "exprs")]
        return self._made(node, shapes.listed(_left(node, facts)), not_null=True)

    def _made(self, node: Node, shape: Shape | None, *, not_null: bool = False) -> Fact:
        """Return what a constructor gives, which may be text or bytes, too."""
        found = self._output(node, "json")
        return Fact(found, not_null, shape=shape if shapes.is_json(found) else None)

    def json_query_array(self, node: Node, scope: Scope) -> Fact:
        """Evaluate JSON_ARRAY of a query."""
        rows = self.query(scope.inner(), node["query"].get("SelectStmt", {}))
        facts = [fact for _, fact in rows.columns[:1]]
        return self._made(node, shapes.listed(_left(node, facts)))

    def json_aggregate(self, node: Node, scope: Scope) -> Fact:
        """Evaluate JSON_OBJECTAGG and JSON_ARRAYAGG."""
        constructor: Node = node.get("constructor", {})
        argument: Node = node.get("arg", {})
        shape: Shape
        if "key" in argument:
            self.as_text(self.expression(argument["key"], scope))
            shape = Entries(tuple(_left(node, [self._value(argument["value"], scope)])))
        else:
            shape = shapes.listed(_left(node, [self._value(argument, scope)]))
        if "agg_filter" in constructor:
            self.boolean(constructor["agg_filter"], scope)
        for sort in tree.children(constructor, "agg_order"):
            self.as_text(self.expression(sort["SortBy"]["node"], scope))
        if "over" in constructor:
            scope.level.windows.append(constructor["over"])
        else:
            scope.level.has_aggregate = True
        return self._made(constructor, shape)

    def json_parse(self, node: Node, scope: Scope) -> Fact:
        """Evaluate JSON()."""
        found = self._value(node["expr"], scope)
        return Fact(self._output(node, "json"), found.not_null)

    def json_scalar(self, node: Node, scope: Scope) -> Fact:
        """Evaluate JSON_SCALAR."""
        found = self.as_text(self.expression(node["expr"], scope))
        return Fact(self._output(node, "json"), found.not_null)

    def json_serialize(self, node: Node, scope: Scope) -> Fact:
        """Evaluate JSON_SERIALIZE."""
        found = self._value(node["expr"], scope)
        return Fact(self._output(node, "text"), found.not_null)

    def json_predicate(self, node: Node, scope: Scope) -> Fact:
        """Evaluate IS JSON."""
        found = self._value(node["expr"], scope)
        return Fact(self.catalog.bool, found.not_null)

    def json_table(self, node: Node, scope: Scope) -> tuple[tuple[str, Fact], ...]:
        """Return the columns of JSON_TABLE."""
        self._value(node.get("context_item", {}), scope)
        self._passing(node, scope)
        return self._json_columns(tree.children(node, "columns"), scope)

    def _json_columns(
        self, columns: list[Node], scope: Scope
    ) -> tuple[tuple[str, Fact], ...]:
        found: list[tuple[str, Fact]] = []
        for wrapped in columns:
            column = wrapped["JsonTableColumn"]
            kind = column.get("coltype", "")
            if kind == "JTC_NESTED":
                found += self._json_columns(tree.children(column, "columns"), scope)
            elif kind == "JTC_FOR_ORDINALITY":
                found.append((column["name"], Fact(self.catalog.int4)))
            else:
                written, dims = self.written(column["typeName"])
                found.append((column["name"], Fact(written, dims=dims)))
        return tuple(found)


def _left(node: Node, facts: list[Fact]) -> list[Fact]:
    """Return what comes into JSON: without NULLs, where they are left out."""
    if not node.get("absent_on_null"):
        return facts
    return [fact._replace(not_null=True) for fact in facts]
