"""sqlc's own syntax that it left in a text, which cannot run then."""

from collections.abc import Callable, Iterator

from sqlc_gen_psycopg.sql import tree
from sqlc_gen_psycopg.sql.tree import Node

_NUMBER_IT = "write $1, $2, … here, or another statement"


def find(
    text: str, statement: Node, is_operator: Callable[[str], bool]
) -> list[tuple[str, str]]:
    """Return what is left, each with its remedy."""
    found: list[tuple[str, str]] = []
    if "@" not in text and "sqlc." not in text:
        return found
    for inner in tree.walk(statement):
        operation: Node = inner.get("A_Expr", {})
        if operation.get("kind") == "AEXPR_OP":
            found += _parameters(operation, is_operator)
        call = tree.path(inner.get("FuncCall", {}), "funcname")
        if call[:1] == ["sqlc"]:
            found.append((".".join(call), _NUMBER_IT))
    return found


def _parameters(
    operation: Node, is_operator: Callable[[str], bool]
) -> Iterator[tuple[str, str]]:
    """Yield an operation that is a parameter of sqlc's, or ends in one."""
    operator = tree.last_name(operation, "name")
    operand: Node = operation["rexpr"]
    while "TypeCast" in operand:
        operand = operand["TypeCast"]["arg"]
    path = ".".join(tree.path(operand.get("ColumnRef", {}), "fields"))
    if not path or not operator.endswith("@"):
        return
    if "lexpr" not in operation and operator == "@":
        yield f"@{path}", _NUMBER_IT
    elif is_operator(operator[:-1]) and not is_operator(operator):
        # PostgreSQL reads as many characters as it can: `=@x` is no `= @x`.
        yield f"{operator}{path}", f"write {operator[:-1]} @{path}, with a space"
