"""Operators, comparisons, conditions and tests."""

from collections.abc import Sequence

from sqlc_gen_psycopg.catalog.types import Operator, PgType
from sqlc_gen_psycopg.inference import null_propagation, overloads
from sqlc_gen_psycopg.inference.conversion import (
    can_become,
    common_type,
    is_polymorphic,
    specific,
    stands_for,
)
from sqlc_gen_psycopg.inference.evaluation import (
    Evaluation,
    InconsistentParameterError,
    TypeResolutionError,
    spelled,
)
from sqlc_gen_psycopg.inference.facts import Fact
from sqlc_gen_psycopg.inference.scope import Scope
from sqlc_gen_psycopg.sql import tree
from sqlc_gen_psycopg.sql.tree import Node

_COMPARISONS = frozenset({"=", "<>", "!=", "<", ">", "<=", ">="})
_CHAINED = ("AEXPR_OP", "AEXPR_LIKE", "AEXPR_ILIKE", "AEXPR_SIMILAR")
_IN = "AEXPR_IN"


class Operators(Evaluation):
    """Evaluates operators."""

    def operation(  # noqa: PLR0911 - a syntax each
        self, node: Node, scope: Scope
    ) -> Fact:
        """Evaluate an operator in any of its syntaxes."""
        kind = node["kind"]
        if kind == "AEXPR_OP":
            return self._plain(node, scope)
        name = tree.last_name(node, "name")
        if kind in ("AEXPR_LIKE", "AEXPR_ILIKE", "AEXPR_SIMILAR"):
            return self._applied(name, node, scope)
        if kind in ("AEXPR_OP_ANY", "AEXPR_OP_ALL"):
            left, right = (self.expression(node[side], scope) for side in _SIDES)
            return self._against_array(name, left, right)
        if kind == _IN:
            return self._in(name, node, scope)
        if kind in ("AEXPR_DISTINCT", "AEXPR_NOT_DISTINCT"):
            return self._distinct(node, scope)
        if kind == "AEXPR_NULLIF":
            left, right = (self.expression(node[side], scope) for side in _SIDES)
            _, (first, _) = self.operate("=", (left, right))
            return Fact(first.type, dims=first.dims)
        return self._between(kind, node, scope)

    def _plain(self, node: Node, scope: Scope) -> Fact:
        """Evaluate an operator; of a chain without recursion, as it may be deep."""
        chain = [node]
        while True:
            left: Node = chain[-1].get("lexpr", {}).get("A_Expr", {})
            if left.get("kind") not in _CHAINED or self._is_row(chain[-1]):
                break
            chain.append(left)
        found: Fact | None = None
        for link in reversed(chain):
            name = tree.last_name(link, "name")
            if found is None and self._is_row(link):
                found = self._rows(name, link, scope)
            else:
                found = self._applied(name, link, scope, left=found)
        assert found is not None  # noqa: S101 - the chain has a link
        return found

    @staticmethod
    def _is_row(node: Node) -> bool:
        left: Node = node.get("lexpr", {})
        right: Node = node.get("rexpr", {})
        return "RowExpr" in left and ("RowExpr" in right or "SubLink" in right)

    def _applied(
        self, name: str, node: Node, scope: Scope, *, left: Fact | None = None
    ) -> Fact:
        if left is None and "lexpr" in node:
            left = self.expression(node["lexpr"], scope)
        right = self.expression(node["rexpr"], scope)
        operands = (left, right) if left is not None else (right,)
        return self.applied(name, operands)

    def applied(self, name: str, operands: tuple[Fact, ...]) -> Fact:
        """Return what is known of an operator's result."""
        result, taken = self.operate(name, operands)
        total = name in null_propagation.OPERATORS
        total = total and all(fact.not_null for fact in operands)
        if len(operands) > 1 and name in _COMPARISONS:
            self.link(*operands)
            result = result or self.catalog.bool
        dims = max(fact.dims for fact in taken)
        return Fact(result, total, dims=dims if result and result.element else 0)

    def operate(
        self, name: str, operands: tuple[Fact, ...]
    ) -> tuple[PgType | None, list[Fact]]:
        """Resolve an operator; return its result's type, and its operands as taken."""
        types = tuple(fact.type for fact in operands)
        typed = tuple(one for one in types if one is not None)
        if len(typed) < len(types) or any(one.is_foreign for one in typed):
            return self._of_foreign(name, operands)
        found = self._operator(name, typed)
        return self._called(found, operands)

    def _of_foreign(
        self, name: str, operands: tuple[Fact, ...]
    ) -> tuple[PgType | None, list[Fact]]:
        """Leave open what an operator of an extension's type is; `=` compares alike."""
        if name in _COMPARISONS:
            for one, other in (operands, operands[::-1]):
                if one.type is self.catalog.unknown and other.type is not None:
                    taken = self.coerce(one, other.type)
                    pair = [taken if fact is one else fact for fact in operands]
                    return self.catalog.bool, pair
        self.leave_open(operands)
        return None, [*operands]

    def _operator(self, name: str, types: tuple[PgType, ...]) -> Operator:
        try:
            return overloads.operator(name, types, self.catalog)
        except overloads.NoneFits:
            what = "is no operator"
        except overloads.SeveralFit:
            what = "is not unique"
        shown = " ".join(
            [*(spelled(one) for one in types[:-1]), name, spelled(types[-1])]
        )
        raise TypeResolutionError(f"{shown} {what}", _CAST_OPERAND)

    def _called(
        self, found: Operator, operands: tuple[Fact, ...]
    ) -> tuple[PgType | None, list[Fact]]:
        result, taken = self.generic(found.result, found.operands, operands)
        if self.catalog.record in taken:
            for one, other in (operands, operands[::-1]):
                self._send_as_row(one, other.type)
        return result, [
            self.coerce(fact, one) for fact, one in zip(operands, taken, strict=True)
        ]

    def _send_as_row(self, fact: Fact, beside: PgType | None) -> None:
        """Let a parameter be of the composite type that it is compared with.

        A row of no known type cannot be sent, and `=` of rows asks for no other.

        Raises:
            InconsistentParameterError: it must be sent as that type.
        """
        element = beside.element or beside if beside else None
        if (
            beside is not None
            and element is not None
            and element.flat.kind == "c"
            and fact.use >= 0
            and fact.type is self.catalog.unknown
            and fact.parameter not in self.types
        ):
            raise InconsistentParameterError(fact.parameter, beside)

    def generic(
        self, result: PgType, taken: Sequence[PgType], given: Sequence[Fact]
    ) -> tuple[PgType, list[PgType]]:
        """Return the result's type, and those taken, with what `any…` stands for.

        Raises:
            TypeResolutionError: all of its arguments are unknown.
        """
        if not any(is_polymorphic(one) for one in taken):
            return result, [*taken]
        types = [fact.type or self.catalog.unknown for fact in given]
        generics = stands_for(types, taken, self.catalog)
        made: list[PgType] = []
        for fact, one in zip(given, taken, strict=True):
            if not is_polymorphic(one):
                made.append(one)
            elif (
                fact.type is not None
                and not fact.type.is_unknown
                and not one.name.name.startswith("anycompatible")
            ):
                made.append(fact.type)
            else:
                found = generics and specific(one.name.name, generics, self.catalog)
                if not found:
                    raise TypeResolutionError(_OPEN, "cast one of its arguments")
                made.append(found)
        if is_polymorphic(result):
            found = generics and specific(result.name.name, generics, self.catalog)
            if not found:
                raise TypeResolutionError(_OPEN, "cast one of its arguments")
            return found, made
        return result, made

    def _against_array(self, name: str, left: Fact, right: Fact) -> Fact:
        array = right.type
        if array is None or left.type is None or array.is_foreign:
            self.leave_open([left, right])
            return Fact(self.catalog.bool)
        element = array if array.is_unknown else array.flat.element
        if element is None:
            raise TypeResolutionError(
                f"ANY and ALL want an array, not {spelled(array)}",
                "cast it to an array",
            )
        if element.is_foreign or left.type.is_foreign:
            shared = left.type if element.is_unknown else element
            self.coerce(left, shared)
            self.coerce(right, shared.array)
            return Fact(self.catalog.bool)
        found = self._operator(name, (left.type, element))
        pair = (left, right._replace(type=element, use=-1))
        _, taken = self.generic(found.result, found.operands, pair)
        if self.catalog.record in taken:
            self._send_as_row(left, element)
            self._send_as_row(right, left.type.array)
        second = found.operands[1]
        whole = array if is_polymorphic(second) and not array.is_unknown else None
        if whole is None:
            whole = self.catalog.array(taken[1] if is_polymorphic(second) else second)
        self.coerce(left, taken[0])
        self.coerce(right, whole)
        self.link(left, right)
        return Fact(self.catalog.bool, left.not_null and right.is_filled)

    def _in(self, name: str, node: Node, scope: Scope) -> Fact:
        left = self.expression(node["lexpr"], scope)
        items = tree.children(node["rexpr"]["List"], "items")
        row = tree.children(node["lexpr"].get("RowExpr", {}), "args")
        if row:
            return self._in_rows(name, left, items, scope)
        facts = self.expressions(items, scope)
        constant = [not _has_column(item, scope) for item in items]
        listed = [fact for fact, is_one in zip(facts, constant, strict=True) if is_one]
        single = facts
        if len(listed) > 1:
            types = [fact.type for fact in (left, *listed)]
            typed = [one for one in types if one is not None and not one.is_foreign]
            shared = (
                common_type(typed, self.catalog) if len(typed) == len(types) else None
            )
            if shared is not None and shared.array and self._fit(typed, shared):
                for fact in listed:
                    self.coerce(fact, shared)
                self._against_array(name, left, Fact(shared.array))
                for fact in listed:
                    self.link(left, fact)
                single = [
                    fact
                    for fact, is_one in zip(facts, constant, strict=True)
                    if not is_one
                ]
        for fact in single:
            self.applied(name, (self.again(left), fact))
        if single:
            self.forget(left)
        total = left.not_null and all(fact.not_null for fact in facts)
        return Fact(self.catalog.bool, total)

    def _fit(self, types: list[PgType], shared: PgType) -> bool:
        if shared is self.catalog.record:
            return False
        return all(can_become(one, shared, "i", self.catalog) for one in types)

    def _in_rows(self, name: str, left: Fact, items: list[Node], scope: Scope) -> Fact:
        total = left.not_null
        firsts = self.row_facts
        rows: list[list[Fact]] = []
        for item in items:
            args = tree.children(item.get("RowExpr", {}), "args")
            if not args:
                total = self.expression(item, scope).not_null and total
                continue
            rows.append(self.expressions(args, scope))
        for facts in rows:
            for one, right in zip(firsts, facts, strict=False):
                self.applied(name, (self.again(one), right))
                total = total and right.not_null
        for one in firsts:
            self.forget(one)
        return Fact(self.catalog.bool, total)

    # The fields of the row that was evaluated last.
    row_facts: list[Fact]

    def _rows(self, name: str, node: Node, scope: Scope) -> Fact:
        """Compare two rows field by field."""
        left = tree.children(node["lexpr"]["RowExpr"], "args")
        if "SubLink" in node["rexpr"]:
            return self.row_against_query(name, node, scope)
        right = tree.children(node["rexpr"]["RowExpr"], "args")
        firsts, seconds = self.expressions(left, scope), self.expressions(right, scope)
        for pair in zip(firsts, seconds, strict=False):
            self.applied(name, pair)
        total = all(fact.not_null for fact in (*firsts, *seconds))
        return Fact(self.catalog.bool, total and name in null_propagation.OPERATORS)

    def row_against_query(self, name: str, node: Node, scope: Scope) -> Fact:
        """Compare a row with the one that a subquery gives."""
        select: Node = node["rexpr"]["SubLink"]["subselect"].get("SelectStmt", {})
        rows = self.query(scope.inner(), select)
        firsts = self.expressions(
            tree.children(node["lexpr"]["RowExpr"], "args"), scope
        )
        for one, (_, other) in zip(firsts, rows.columns, strict=False):
            self.applied(name, (one, other))
        return Fact(self.catalog.bool)

    def _distinct(self, node: Node, scope: Scope) -> Fact:
        result = Fact(self.catalog.bool, not_null=True)
        sides: list[Node] = [node[side] for side in _SIDES]
        constants = [side.get("A_Const", {}).get("isnull", False) for side in sides]
        if any(constants):
            for side, is_null in zip(sides, constants, strict=True):
                if not is_null:
                    self.expression(side, scope)
                    break
            return result
        if all("RowExpr" in side for side in sides):
            self._rows("=", node, scope)
            return result
        left, right = self.expressions(sides, scope)
        self.applied("=", (left, right))
        return result

    def _between(self, kind: str, node: Node, scope: Scope) -> Fact:
        low, high = tree.children(node["rexpr"]["List"], "items")
        pairs = [(">=", low), ("<=", high)]
        if kind.endswith("SYM"):
            pairs += [(">=", high), ("<=", low)]
        total = True
        tested: Fact | None = None
        for name, bound in pairs:
            again = tested is None or tested.parameter or _has_parameter(node["lexpr"])
            if again:
                tested = self.expression(node["lexpr"], scope)
            assert tested is not None  # noqa: S101 - just evaluated
            found = self.applied(name, (tested, self.expression(bound, scope)))
            total = total and found.not_null
        return Fact(self.catalog.bool, total)

    def connective(self, node: Node, scope: Scope) -> Fact:
        """Evaluate AND, OR and NOT."""
        total = True
        for argument in tree.children(node, "args"):
            total = self.boolean(argument, scope).not_null and total
        return Fact(self.catalog.bool, total)

    def null_test(self, node: Node, scope: Scope) -> Fact:
        """Evaluate IS NULL, which asks for no type."""
        self.expression(node["arg"], scope)
        return Fact(self.catalog.bool, not_null=True)

    def boolean_test(self, node: Node, scope: Scope) -> Fact:
        """Evaluate IS TRUE and its like."""
        self.boolean(node["arg"], scope)
        return Fact(self.catalog.bool, not_null=True)


_SIDES = ("lexpr", "rexpr")
_CAST_OPERAND = "cast an operand, as in sqlc.arg(name)::type"
_OPEN = "the type of an argument of any type cannot be told"


def _has_parameter(node: Node) -> bool:
    return any("ParamRef" in inner for inner in tree.walk(node))


def _has_column(node: Node, scope: Scope) -> bool:
    """Tell whether an expression has a column of this query level."""
    for inner in tree.walk(node):
        if "ColumnRef" in inner:
            found = scope.find(tree.path(inner["ColumnRef"], "fields") or [""])
            if found is None or found[1] is scope or found[1].level is scope.level:
                return True
    return False
