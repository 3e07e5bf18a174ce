"""What the reference shows is what is generated, and nothing is missing from it."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

from generator.tests import documents
from generator.tests.documents import Block
from generator.tests.sqlc import Project
from sqlc_gen_psycopg.ir import commands
from sqlc_gen_psycopg.resolve.builtin_types import BUILT_IN
from sqlc_gen_psycopg.sql import comments
from sqlc_gen_psycopg.sqlc import options

REFERENCE = documents.DOCS / "reference.md"
TEXT = REFERENCE.read_text(encoding="utf-8")
SOURCES = documents.GENERATOR / "src" / "sqlc_gen_psycopg"


@dataclass(slots=True)
class Case:
    """The sections that share a project: its SQL, its options, what it must give."""

    schema: str = ""
    options: str = ""
    queries: str = ""
    shown: list[str] = field(default_factory=list[str])
    refusal: str = ""

    def write(self, folder: Path) -> Project:
        """Write the project."""
        indented = self.options.replace("\n", "\n          ").rstrip()
        made = Project.write(folder, self.schema, self.queries, "OPTIONS")
        config = folder / "sqlc.yaml"
        text = config.read_text(encoding="utf-8")
        options = f"\n          {indented}" if self.options else "{}"
        block = text.replace(
            "- {plugin: psycopg, out: out, options: OPTIONS}",
            f"- plugin: psycopg\n        out: out\n        options: {options}",
        )
        config.write_text(block, encoding="utf-8")
        return made


def _cases() -> dict[str, Case]:
    """Put plain sections into one project, the others into one each."""
    sections: defaultdict[str, list[Block]] = defaultdict(list)
    for block in documents.blocks(REFERENCE):
        sections[block.section].append(block)
    [base] = sections.pop("Reference")
    cases = {"plain": Case(base.text)}
    for name, found in sections.items():
        kinds = {(block.language, block.title) for block in found}
        own = {("yaml", ""), ("text", ""), ("sql", "schema.sql")}
        if kinds & own:
            cases[name] = Case(base.text)
        case = cases.get(name, cases["plain"])
        for block in found:
            _add(case, block)
    return cases


def _add(case: Case, block: Block) -> None:
    match block.language, block.title:
        case "sql", "schema.sql":
            case.schema += block.text
        case "sql", "":
            case.queries += block.text
        case "yaml", "":
            case.options += block.text
        case "python", "":
            case.shown.append(block.text)
        case "text", "":
            case.refusal += block.text
        case other:
            raise ValueError(other)


CASES = _cases()
# Refusals that need a schema that cannot be read, another engine, an old sqlc or one at
# fault, or `overrides` that are no list.
RARE = {
    "cannot be read: ",
    "cannot find ",
    " is not PostgreSQL",
    "too old for this plugin",
    "its parameters are not numbered $1, $2, … without a gap",
    "not a list",
}
GENERATED = [name for name, case in CASES.items() if not case.refusal]
REFUSED = [name for name, case in CASES.items() if case.refusal]


@pytest.mark.parametrize("name", GENERATED)
def test_the_output_is_as_shown(name: str, tmp_path: Path) -> None:
    """Each block of Python stands in a file of its section's project."""
    case = CASES[name]
    files = case.write(tmp_path).generated().values()
    assert case.shown
    for shown in case.shown:
        found = [documents.is_excerpt(shown, text) for text in files]
        assert any(found), shown


@pytest.mark.parametrize("name", REFUSED)
def test_the_refusal_is_as_shown(name: str, tmp_path: Path) -> None:
    """The words are the plugin's own, all of them and no others."""
    refusal = CASES[name].write(tmp_path).refusal()
    said = [line.strip() for line in refusal.splitlines() if line.startswith("  ")]
    assert said == CASES[name].refusal.splitlines()


def _headings() -> set[str]:
    lines = [line for line in TEXT.splitlines() if line.startswith("### ")]
    return {name for line in lines for name in re.findall(r"`([^`]+)`", line)}


def test_everything_has_its_section() -> None:
    """Each command, directive and option of ours; sqlc-gen-python's share one."""
    named = _headings()
    assert set(commands.COMMANDS) <= named
    assert {f"@{directive}" for directive in comments.DIRECTIVES} <= named
    assert {*options.Options._fields} <= named
    assert all(f"`{name}`" in TEXT for name in options.KNOWN)


@cache
def _rows() -> list[tuple[list[str], str, str]]:
    """Return the rows of the table of types: their names, and the two annotations."""
    table = TEXT[TEXT.index("| PostgreSQL |") : TEXT.index("`Range` and `Multirange`")]
    found: list[tuple[list[str], str, str]] = []
    for line in table.strip().splitlines()[2:]:
        cells = [c.strip() for c in re.split(r"(?<!\\)\|", line)[1:-1]]
        kinds, result, parameter = (c.replace("\\|", "|") for c in cells)
        result = result.strip("`")
        found.append((kinds.replace("`", "").split(), result, parameter.strip("`")))
    return found


def test_types_are_as_in_the_table(tmp_path: Path) -> None:
    """Each type of the table, in a result and as a parameter."""
    kinds = [(kind, a, b or a) for named, a, b in _rows() for kind in named]
    columns = ", ".join(f"c{n} {kind} NOT NULL" for n, (kind, _, _) in enumerate(kinds))
    names = ", ".join(f"c{n}" for n in range(len(kinds)))
    values = ", ".join(f"@c{n}" for n in range(len(kinds)))
    query = f"INSERT INTO t ({names}) VALUES ({values}) RETURNING *;"  # noqa: S608 - the table's
    schema, named = f"CREATE TABLE t ({columns});", f"-- name: put :one\n{query}"
    files = Project.write(tmp_path, schema, named, "{}").generated()
    fields_of = re.findall(r"^    c\d+: (.*)$", files["models.py"], re.MULTILINE)
    assert fields_of == [result for _, result, _ in kinds]
    taken = re.findall(r"^    c\d+: (.*),$", files["queries.py"], re.MULTILINE)
    assert taken == [parameter for _, _, parameter in kinds]


def test_no_type_is_missing() -> None:
    """The table has all of psycopg's types, and what else people declare columns of."""
    named = {kind for kinds, _, _ in _rows() for kind in kinds}
    internal = """aclitem cstring int2vector oidvector pg_node_tree regcollation
        regconfig regdictionary regnamespace regoper regoperator regproc regprocedure
        regrole txid_snapshot void"""
    assert set(BUILT_IN) - named == set(internal.split())


def _told(call: ast.Call) -> Iterator[str]:
    """Yield the constant parts of what a call of `problems.add` says is wrong."""
    for part in ast.walk(call.args[1]):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value


def test_every_refusal_is_shown() -> None:
    """The words of each refusal that the sources can make stand in the reference."""
    calls = [
        node
        for file in SOURCES.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "add"
        and len(node.args) == 3
    ]
    assert len(calls) > 25
    missing = {part for call in calls for part in _told(call) if part not in TEXT}
    assert missing == RARE
