"""Calls of functions, aggregates and window functions."""

from collections.abc import Sequence

from sqlc_gen_psycopg.catalog.types import PgType, Signature
from sqlc_gen_psycopg.inference import null_propagation, overloads, shapes
from sqlc_gen_psycopg.inference.choices import Choices
from sqlc_gen_psycopg.inference.conversion import (
    ASSIGNMENT,
    EXPLICIT,
    is_polymorphic,
)
from sqlc_gen_psycopg.inference.evaluation import TypeResolutionError, spelled
from sqlc_gen_psycopg.inference.facts import UNKNOWN, Fact
from sqlc_gen_psycopg.inference.scope import Scope
from sqlc_gen_psycopg.naming.sql_names import Name
from sqlc_gen_psycopg.sql import tree
from sqlc_gen_psycopg.sql.tree import Node

# What the parser writes where a window names no frame.
_DEFAULT_FRAME = 1058
_FRAME_RANGE = 2


class Calls(Choices):
    """Evaluates calls."""

    def call(self, node: Node, scope: Scope) -> Fact:
        """Evaluate a call whose result is one value, or a set of such."""
        return self.called(node, scope)[0]

    def called(
        self, node: Node, scope: Scope
    ) -> tuple[Fact, tuple[tuple[str, PgType], ...]]:
        """Evaluate a call; return its value, and the columns of its rows if any."""
        path = tree.path(node, "funcname")
        written = tree.children(node, "args")
        names = [
            item["NamedArgExpr"].get("name", "")
            for item in written
            if "NamedArgExpr" in item
        ]
        nodes = [item.get("NamedArgExpr", {"arg": item})["arg"] for item in written]
        taken = scope
        if "agg_filter" in node:
            taken = scope.narrowed(self.context.narrowing.if_true(node["agg_filter"]))
        facts = self.expressions(nodes, taken)
        within = bool(node.get("agg_within_group"))
        sorts = [s["SortBy"]["node"] for s in tree.children(node, "agg_order")]
        if within:
            facts += self.expressions(sorts, scope)
        if "agg_filter" in node:
            self.boolean(node["agg_filter"], scope)
        found = self._resolved(node, path, facts, names, nodes, scope)
        if isinstance(found, Fact):
            return found, ()
        result = self._finish(node, path, found, facts, scope)
        if not within:
            for sort in sorts:
                self.as_text(self.expression(sort, scope))
        return result

    def _resolved(  # noqa: PLR0917
        self,
        node: Node,
        path: list[str],
        facts: list[Fact],
        names: list[str],
        nodes: list[Node],
        scope: Scope,
    ) -> Fact | tuple[Signature, tuple[PgType, ...]]:
        """Return the function that is meant, or the value of what is none."""
        if len(facts) == 1 and not names and self._is_attribute(path, facts[0]):
            return self.attribute(facts[0], path[-1])
        # `rank` and its like are window functions and aggregates by the same name.
        within = bool(node.get("agg_within_group"))
        signatures = [
            one
            for one in self.catalog.functions(path)
            if (one.direct[:1] in _ORDERED) == within
        ]
        types = tuple(fact.type for fact in facts)
        typed = tuple(one for one in types if one is not None)
        is_open = len(typed) < len(types) or any(one.is_foreign for one in typed)
        target = self._type_called(path)
        if (not signatures and target is None) or (is_open and target is None):
            one = self._only(signatures, len(facts)) if is_open else None
            if one is None:
                self.leave_open(facts)
                scope.level.sets += 1  # for all that is known
                return Fact(None, self._is_total(path, node, facts, None))
            return one, one.arguments[: len(facts)]
        if (
            target is not None
            and len(facts) == 1
            and (is_open or not any(s.arguments == typed for s in signatures))
        ):
            literal = "A_Const" in nodes[0]
            if is_open or overloads.is_cast(
                target, typed[0], self.catalog, is_literal=literal
            ):
                fact = self.coerce(facts[0], target, EXPLICIT)
                return fact._replace(origin=None, parameter=fact.parameter)
        try:
            found, _, taken = overloads.function(
                signatures,
                typed,
                names,
                self.catalog,
                is_variadic=bool(node.get("func_variadic")),
            )
            return found, taken
        except overloads.NoneFits:
            what = "is no function"
        except overloads.SeveralFit:
            what = "is not unique"
        shown = ", ".join(spelled(one) for one in typed)
        raise TypeResolutionError(
            f"{'.'.join(path)}({shown}) {what}",
            "cast an argument, as in sqlc.arg(name)::type",
        )

    @staticmethod
    def _only(signatures: list[Signature], count: int) -> Signature | None:
        """Return the one function there is, where types cannot choose."""
        found = [s for s in signatures if len(s.arguments) == count]
        if len(found) == 1 and not any(is_polymorphic(a) for a in found[0].arguments):
            return found[0]
        return None

    def _type_called(self, path: list[str]) -> PgType | None:
        """Return the type that a function is called like."""
        if path[-1] in _NO_CASTS or (len(path) > 1 and path[0] != "pg_catalog"):
            return None
        found = self.catalog.type(Name("", path[-1]))
        return None if found.is_foreign or found.kind in ("p", "c") else found

    def _finish(
        self,
        node: Node,
        path: list[str],
        found: tuple[Signature, tuple[PgType, ...]],
        facts: list[Fact],
        scope: Scope,
    ) -> tuple[Fact, tuple[tuple[str, PgType], ...]]:
        signature, taken = found
        if signature.direct.startswith("h"):
            facts = self._hypothetical(facts)
        result, types = self.generic(signature.result, taken, facts)
        given = [
            self.coerce(fact, one) for fact, one in zip(facts, types, strict=False)
        ]
        columns = self._returned_columns(signature, taken, facts, result)
        self._note(node, signature, scope)
        total = self._is_total(path, node, facts, scope)
        shape = None
        if signature.rank == 0 and not node.get("func_variadic"):
            shape = shapes.of_call(path[-1], given)
        dims = self._dims(path[-1], result, given)
        fact = Fact(result, total, dims=dims, shape=shape)
        if path[-1] == "unnest" and given and given[0].type and given[0].type.element:
            fact = given[0]._replace(
                type=result, not_null=False, dims=0, is_filled=False, use=-1, shape=None
            )
        return fact, columns

    def _hypothetical(self, facts: list[Fact]) -> list[Fact]:
        """Bring the arguments of rank() WITHIN GROUP and its sort columns together."""
        half = len(facts) // 2
        made = [*facts]
        for place in range(half):
            pair = self.settled([facts[place + half], facts[place]], "WITHIN GROUP")
            made[place + half], made[place] = pair
        return made

    def _returned_columns(
        self,
        signature: Signature,
        taken: Sequence[PgType],
        facts: list[Fact],
        result: PgType,
    ) -> tuple[tuple[str, PgType], ...]:
        if signature.columns:
            return tuple(
                (name, self.generic(kind, taken, facts)[0])
                for name, kind in signature.columns
            )
        return result.flat.attributes

    @staticmethod
    def _dims(name: str, result: PgType, facts: list[Fact]) -> int:
        if result.element is None:
            return 0
        dims = max((f.dims or 1 for f in facts if f.type and f.type.element), default=0)
        if name == "array_agg":
            return dims + 1
        return dims if dims > 1 and name in _KEEPING else 0

    def _note(self, node: Node, signature: Signature, scope: Scope) -> None:
        """Note what the call makes of the query: a group, several rows."""
        if signature.is_set:
            scope.level.sets += 1
        if "over" in node:
            scope.level.windows.append(node["over"])
        elif signature.kind == "a":
            self._level_of(node, scope).level.has_aggregate = True

    @staticmethod
    def _level_of(node: Node, scope: Scope) -> Scope:
        """Return the query level that an aggregate belongs to: its arguments' own."""
        found: list[Scope] = []
        arguments = [node.get("args"), node.get("agg_filter"), node.get("agg_order")]
        for inner in tree.walk(arguments):
            if "ColumnRef" in inner:
                path = tree.path(inner["ColumnRef"], "fields")
                column = scope.find(path) if path else None
                if column is not None:
                    found.append(column[1])
        current: Scope | None = scope
        while current is not None:
            if any(one.level is current.level for one in found):
                return current
            current = current.parent
        return scope

    def _is_total(
        self, path: list[str], node: Node, facts: list[Fact], scope: Scope | None
    ) -> bool:
        name = path[-1] if len(path) == 1 or path[0] == "pg_catalog" else ""
        given = all(fact.not_null for fact in facts)
        if name in null_propagation.ALWAYS:
            return True
        if "over" in node:
            return given and name in null_propagation.WINDOWS and _has_own_row(node)
        if scope is not None and self._is_aggregate(path):
            taken = given or name in null_propagation.COLLECTING
            gives = name in null_propagation.AGGREGATES and "agg_filter" not in node
            grouped = scope.has_groups and not scope.has_grouping_sets
            own = self._level_of(node, scope).level is scope.level
            return grouped and taken and gives and own
        if name in ("lower", "upper") and not self._is_text(facts):
            # A range's bound may be missing.
            return False
        return given and name in null_propagation.STRICT

    def _is_aggregate(self, path: list[str]) -> bool:
        return any(one.kind == "a" for one in self.catalog.functions(path))

    def _is_text(self, facts: list[Fact]) -> bool:
        return all(
            fact.type is not None
            and (fact.type.flat.category == "S" or fact.type.is_unknown)
            for fact in facts
        )

    def _is_attribute(self, path: list[str], fact: Fact) -> bool:
        if len(path) > 1 or fact.type is None or self.catalog.functions(path):
            return False
        return any(name == path[0] for name, _ in fact.type.flat.attributes)

    def attribute(self, fact: Fact, name: str) -> Fact:
        """Return a field of a composite value."""
        if fact.type is not None:
            for attribute, kind in fact.type.flat.attributes:
                if attribute == name:
                    return Fact(kind)
        return UNKNOWN

    def windows(self, clause: list[Node], scope: Scope) -> None:
        """Evaluate the window definitions, which PostgreSQL looks at last."""
        for definition in [*clause, *scope.level.windows]:
            sorts = [
                s["SortBy"]["node"] for s in tree.children(definition, "orderClause")
            ]
            ordered = [self.as_text(self.expression(sort, scope)) for sort in sorts]
            for part in tree.children(definition, "partitionClause"):
                self.as_text(self.expression(part, scope))
            is_range = bool(definition.get("frameOptions", 0) & _FRAME_RANGE)
            for side in ("startOffset", "endOffset"):
                if side not in definition:
                    continue
                offset = self.expression(definition[side], scope)
                target = self._offset(ordered[0]) if is_range and ordered else None
                self.coerce(
                    offset, target if is_range else self.catalog.int8, ASSIGNMENT
                )

    def _offset(self, ordered: Fact) -> PgType | None:
        """Return the type of a distance between values that are sorted by."""
        if ordered.type is None:
            return None
        name = ordered.type.flat.name.name
        for types, offset in _DISTANCES.items():
            if name in types:
                return self.catalog.built_in(offset or name)
        return None

    def as_text(self, fact: Fact) -> Fact:
        """Return a value as it is once a place that wants none gave it its type."""
        if fact.type is self.catalog.unknown:
            return self.coerce(fact, self.catalog.text)
        return fact


_ORDERED = ("o", "h")
_NO_CASTS = frozenset({"unknown", "record", "any", "void"})
# Functions whose array is of as many dimensions as the one that they are given.
_KEEPING = frozenset(
    {
        "array_append",
        "array_cat",
        "array_prepend",
        "array_remove",
        "array_replace",
        "array_reverse",
        "array_sort",
        "array_shuffle",
        "max",
        "min",
    }
)
# What RANGE frames count in; where it says nothing, in what is sorted by.
_DISTANCES = {
    ("date", "timestamp", "timestamptz", "time", "timetz", "interval"): "interval",
    ("float4",): "float8",
    ("int2", "int4", "int8", "numeric", "float8"): "",
}


def _has_own_row(node: Node) -> bool:
    frame = node["over"]
    named = "name" in frame or "refname" in frame
    default = frame.get("frameOptions", _DEFAULT_FRAME) == _DEFAULT_FRAME
    return default and not named and "agg_filter" not in node
