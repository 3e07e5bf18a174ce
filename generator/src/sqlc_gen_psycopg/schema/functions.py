"""Functions, aggregates, operators, casts and range types that the schema makes."""

from sqlc_gen_psycopg.naming.sql_names import Name
from sqlc_gen_psycopg.schema.model import (
    FunctionDefinition,
    OperatorDefinition,
    Schema,
    TypeName,
    name_of,
    written_type,
)
from sqlc_gen_psycopg.sql import tree
from sqlc_gen_psycopg.sql.tree import Node

_GIVEN = (
    "FUNC_PARAM_IN",
    "FUNC_PARAM_INOUT",
    "FUNC_PARAM_VARIADIC",
    "FUNC_PARAM_DEFAULT",
)
_RETURNED = ("FUNC_PARAM_OUT", "FUNC_PARAM_INOUT", "FUNC_PARAM_TABLE")


def create_function(schema: Schema, node: Node) -> None:
    """Note a function or a procedure, which replaces one of the same arguments."""
    is_procedure = bool(node.get("is_procedure"))
    given: list[tuple[str, TypeName]] = []
    returned: list[tuple[str, TypeName]] = []
    defaults, is_variadic, is_table = 0, False, False
    for wrapped in tree.children(node, "parameters"):
        parameter = wrapped["FunctionParameter"]
        mode = parameter.get("mode", "FUNC_PARAM_DEFAULT")
        one = parameter.get("name", ""), written_type(schema, parameter["argType"])
        # A procedure's OUT arguments are given, too: CALL names a place for each.
        if mode in _GIVEN or is_procedure:
            given.append(one)
            defaults += "defexpr" in parameter
        if mode in _RETURNED:
            returned.append(one)
        is_variadic = is_variadic or mode == "FUNC_PARAM_VARIADIC"
        is_table = is_table or mode == "FUNC_PARAM_TABLE"
    result: Node = node.get("returnType", {})
    name = name_of(schema, node["funcname"])
    made = FunctionDefinition(
        "p" if is_procedure else "f",
        tuple(given),
        written_type(schema, result) if result and not is_table else None,
        tuple(returned),
        defaults,
        is_variadic,
        is_table or bool(result.get("setof")),
        is_table,
    )
    _add(schema, name, made)


def _add(schema: Schema, name: Name, made: FunctionDefinition) -> None:
    kept = [
        other
        for other in schema.functions.get(name, [])
        if _types(other) != _types(made)
    ]
    schema.functions[name] = [*kept, made]


def _types(function: FunctionDefinition) -> list[TypeName]:
    return [kind for _, kind in function.arguments]


def drop_function(schema: Schema, node: Node) -> None:
    """Forget functions; without arguments the only one of the name."""
    for target in tree.children(node, "objects"):
        named = target["ObjectWithArgs"]
        name = name_of(schema, named["objname"])
        kept: list[FunctionDefinition] = []
        if not named.get("args_unspecified"):
            wanted = [
                written_type(schema, argument["TypeName"])
                for argument in tree.children(named, "objargs")
                if "TypeName" in argument
            ]
            found = schema.functions.get(name, [])
            kept = [other for other in found if _types(other) != wanted]
        schema.functions[name] = kept


def rename_function(schema: Schema, node: Node) -> None:
    """Follow a function's name."""
    named = node["object"]["ObjectWithArgs"]
    old = name_of(schema, named["objname"])
    wanted = [
        written_type(schema, argument["TypeName"])
        for argument in tree.children(named, "objargs")
    ]
    every = bool(named.get("args_unspecified"))
    found = schema.functions.get(old, [])
    schema.functions[old] = [
        one for one in found if not every and _types(one) != wanted
    ]
    for one in found:
        if every or _types(one) == wanted:
            _add(schema, Name(old.schema, node["newname"]), one)


def define(schema: Schema, node: Node) -> None:
    """Note an aggregate or an operator."""
    given = {
        element["DefElem"]["defname"].lower(): element["DefElem"].get("arg", {})
        for element in tree.children(node, "definition")
    }
    if node["kind"] == "OBJECT_OPERATOR":
        _define_operator(schema, node, given)
    elif node["kind"] == "OBJECT_AGGREGATE":
        _define_aggregate(schema, node, given)


def _type(schema: Schema, node: Node | None) -> TypeName | None:
    return (
        written_type(schema, node["TypeName"]) if node and "TypeName" in node else None
    )


def _define_operator(schema: Schema, node: Node, given: dict[str, Node]) -> None:
    left = _type(schema, given.get("leftarg"))
    right = _type(schema, given.get("rightarg"))
    function = given.get("function") or given.get("procedure") or {}
    path = tree.path(function.get("TypeName", {}), "names")
    if right and path:
        made = OperatorDefinition(left, right, path)
        schema.operators.setdefault(tree.last_name(node, "defnames"), []).append(made)


def _define_aggregate(schema: Schema, node: Node, given: dict[str, Node]) -> None:
    arguments: list[tuple[str, TypeName]] = []
    direct = ""
    if node.get("oldstyle"):
        base = _type(schema, given.get("basetype"))
        arguments = [("", base)] if base and base.name.name != "any" else []
    else:
        listed = tree.children(node, "args")
        given_ones: Node = listed[0].get("List", {}) if listed else {}
        arguments = [
            (
                item["FunctionParameter"].get("name", ""),
                written_type(schema, item["FunctionParameter"]["argType"]),
            )
            for item in tree.children(given_ones, "items")
            if "FunctionParameter" in item
        ]
        count = listed[1].get("Integer", {}).get("ival", 0) if len(listed) > 1 else -1
        direct = f"o{count}" if count >= 0 else ""
    state = _type(schema, given.get("stype") or given.get("stype1"))
    final = given.get("finalfunc") or given.get("ffunc") or {}
    path = tree.path(final.get("TypeName", {}), "names")
    result = _result_of(schema, path) if path else state
    if result:
        name = name_of(schema, node["defnames"])
        _add(
            schema,
            name,
            FunctionDefinition("a", tuple(arguments), result, direct=direct),
        )


def _result_of(schema: Schema, path: list[str]) -> TypeName | None:
    """Return what a function of the schema gives, None if there are several."""
    found = schema.functions.get(Name(path[-2] if len(path) > 1 else "", path[-1]), [])
    return found[0].result if len(found) == 1 else None


def create_cast(schema: Schema, node: Node) -> None:
    """Note a cast."""
    context = {"COERCION_IMPLICIT": "i", "COERCION_ASSIGNMENT": "a"}
    schema.casts.append(
        (
            written_type(schema, node["sourcetype"]),
            written_type(schema, node["targettype"]),
            context.get(node.get("context", ""), "e"),
        )
    )


def create_range(schema: Schema, node: Node) -> None:
    """Note a range type and its multirange type."""
    name = name_of(schema, node["typeName"])
    given = {
        element["DefElem"]["defname"].lower(): element["DefElem"].get("arg", {})
        for element in tree.children(node, "params")
    }
    subtype = _type(schema, given.get("subtype"))
    chosen = given.get("multirange_type_name", {}).get("TypeName")
    if chosen:
        multirange = name_of(schema, chosen["names"])
    elif "range" in name.name:
        multirange = Name(name.schema, name.name.replace("range", "multirange", 1))
    else:
        multirange = Name(name.schema, f"{name.name}_multirange")
    if subtype:
        schema.ranges[name] = subtype, multirange


def create_extension(schema: Schema, node: Node) -> None:
    """Note an extension."""
    if node["extname"] not in schema.extensions:
        schema.extensions.append(node["extname"])
