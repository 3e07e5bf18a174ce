"""Domains, and the values that their CHECKs allow."""

from sqlc_gen_psycopg.schema.closed_sets import allowed_values
from sqlc_gen_psycopg.schema.model import Domain, Schema, name_of
from sqlc_gen_psycopg.sql import tree
from sqlc_gen_psycopg.sql.tree import Node


def create_domain(schema: Schema, node: Node) -> None:
    """Note a domain and its CHECKs."""
    base = node["typeName"]
    name = name_of(schema, node["domainname"])
    domain = Domain(
        name_of(schema, base["names"]), len(tree.children(base, "arrayBounds"))
    )
    schema.domains[name] = domain
    for constraint in tree.children(node, "constraints"):
        _add_check(domain, name.name, constraint["Constraint"])


def _add_check(domain: Domain, name: str, constraint: Node) -> None:
    if constraint["contype"] != "CONSTR_CHECK":
        return
    check, count = constraint.get("conname") or f"{name}_check", 0
    while check in domain.checks:
        count += 1
        check = f"{name}_check{count}"
    closed = allowed_values(constraint["raw_expr"])
    # Rows from before a NOT VALID constraint may break it.
    domain.checks[check] = None if constraint.get("skip_validation") else closed


def alter_domain(schema: Schema, node: Node) -> None:
    """Follow the CHECKs that come and go."""
    name = name_of(schema, node["typeName"])
    domain = schema.domains.get(name)
    if domain is None:
        return
    if node["subtype"] == "C":
        _add_check(domain, name.name, node["def"]["Constraint"])
    elif node["subtype"] == "X":
        domain.checks.pop(node["name"], None)
