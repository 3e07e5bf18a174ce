"""CASE, COALESCE and arrays: values of which one type is made."""

from sqlc_gen_psycopg.catalog.types import PgType
from sqlc_gen_psycopg.inference import shapes
from sqlc_gen_psycopg.inference.conversion import EXPLICIT
from sqlc_gen_psycopg.inference.evaluation import TypeResolutionError, spelled
from sqlc_gen_psycopg.inference.facts import Fact
from sqlc_gen_psycopg.inference.operators import Operators
from sqlc_gen_psycopg.inference.scope import Scope
from sqlc_gen_psycopg.sql import tree
from sqlc_gen_psycopg.sql.tree import Node


class Choices(Operators):
    """Evaluates what chooses among values, or collects them."""

    def case(self, node: Node, scope: Scope) -> Fact:
        """Evaluate CASE; its ELSE counts as the first of its values."""
        tested: Fact | None = None
        if "arg" in node:
            tested = self.expression(node["arg"], scope)
            if tested.type is self.catalog.unknown:
                tested = self.coerce(tested, self.catalog.text)
        results: list[Fact] = []
        for when in tree.children(node, "args"):
            condition: Node = when["CaseWhen"]["expr"]
            if tested is None:
                self.boolean(condition, scope)
            else:
                self.applied("=", (tested, self.expression(condition, scope)))
            results.append(self.expression(when["CaseWhen"]["result"], scope))
        has_else = "defresult" in node
        otherwise = Fact(self.catalog.unknown, shape=shapes.NOTHING)
        if has_else:
            otherwise = self.expression(node["defresult"], scope)
        settled = self.settled([otherwise, *results], "CASE")
        self._link([otherwise, *results])
        # Where nothing applies and there is no ELSE, it is NULL.
        total = has_else and all(fact.not_null for fact in settled)
        return Fact(
            settled[0].type,
            total,
            dims=_dims(settled[has_else ^ 1 :]),
            shape=shapes.merged([*settled[1:], settled[0]]),
        )

    def coalesce(self, node: Node, scope: Scope) -> Fact:
        """Evaluate COALESCE, GREATEST and LEAST: the NULLs are left out."""
        facts = self.expressions(tree.children(node, "args"), scope)
        settled = self.settled(facts, "COALESCE, GREATEST or LEAST")
        total = any(fact.not_null for fact in facts)
        self._link(facts)
        shape = shapes.merged(settled)
        return Fact(settled[0].type, total, dims=_dims(settled), shape=shape)

    def _link(self, facts: list[Fact]) -> None:
        """Note that parameters stand for the columns that they are alternatives to."""
        columns = [fact for fact in facts if fact.origin]
        for fact in facts:
            if fact.parameter and columns:
                self.link(fact, columns[0])

    def array(self, node: Node, scope: Scope, target: PgType | None = None) -> Fact:
        """Evaluate ARRAY[…]; a cast's target is that of each element, too."""
        nested, facts = False, list[Fact]()
        for element in tree.children(node, "elements"):
            if "A_ArrayExpr" in element:
                nested = True
                facts.append(self.array(element["A_ArrayExpr"], scope, target))
            else:
                fact = self.expression(element, scope)
                nested = nested or bool(fact.type and fact.type.element)
                facts.append(fact)
        dims = 1 + max((max(f.dims, 1) for f in facts if nested), default=0)
        filled = bool(facts) and all(fact.not_null for fact in facts)
        if target is not None:
            element_type = target if nested else target.element
            for fact in facts:
                self.coerce(fact, element_type, EXPLICIT)
            return Fact(target, not_null=True, dims=dims, is_filled=filled)
        if not facts:
            raise TypeResolutionError(
                "ARRAY[] has no type", "cast it, as in ARRAY[]::text[]"
            )
        settled = self.settled(facts, "ARRAY")
        found = settled[0].type
        if found is None:
            return Fact(None, not_null=True)
        made = found if nested and found.element else self.catalog.array(found)
        if made is None:
            what = f"there are no arrays of {spelled(found)}"
            raise TypeResolutionError(what, "cast its elements")
        return Fact(made, not_null=True, dims=dims, is_filled=filled)


def _dims(facts: list[Fact]) -> int:
    return max((fact.dims for fact in facts), default=0)
