"""Run sqlc on each case with us, and alone where that fails: whose fault is it?

Every query that can have twins is given the directives that ask for them.
"""

import importlib
import json
import os
import re
import shutil
import subprocess
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generator.tools.corpus.collect import Case
from generator.tools.corpus.findings import Findings, Kind

_SCRIPTS = sysconfig.get_path("scripts")
_REFUSAL = re.compile(r"^ {2}(?P<where>.+?): (?P<what>[^;]+); (?P<remedy>\S.*)$")
_NAME = re.compile(r"^\s*(?:--|#|/\*)\s*name:\s*(\S+)")
_NAMED = re.compile(r"^(?=[ \t]*(?:--|#|/\*)\s*name:)", re.MULTILINE)
_NAME_LINE = re.compile(
    r"^\s*(?:--|#|/\*)\s*name:\s*\S+\s+(?P<command>:\w+)\s*(?:\*/)?\s*$"
)
# The twins that can be asked for, and the directives that do it.
_TWINS = {
    ":one": ("send",),
    ":many": ("send", "stream"),
    ":execrows": ("send",),
}
_DIRECTIVES = {"send": "-- @deferred\n", "stream": "-- @stream\n"}
_COMMENT = re.compile(r"--.*|/\*(?s:.*?)\*/")
_WRITING = re.compile(r"\b(INSERT|UPDATE|DELETE|MERGE)\b", re.IGNORECASE)
MASS = frozenset({":copyfrom", ":batchexec", ":batchone", ":batchmany"})
_TRACEBACK = "Traceback (most recent call last)"
# An extension module without type information.
_pgparse: Any = importlib.import_module("pgparse")


@dataclass(frozen=True, slots=True)
class Query:
    """A query as sqlc gives it to plugins; `slices` are numbers of parameters."""

    name: str
    command: str
    text: str
    filename: str
    slices: tuple[int, ...] = ()

    @property
    def twins(self) -> tuple[str, ...]:
        """The twins that it was asked to have."""
        return _twins(self.command, self.text)

    @property
    def sent(self) -> str:
        """The text that a function sends: sqlc's own, in which slices are arrays."""
        text = self.text.strip()
        for number in self.slices:
            listed = rf"IN\s*\(\s*\${number}(\s*/\*.*?\*/)?\s*\)"
            for spelled, array in ((rf"NOT\s+{listed}", "<> ALL"), (listed, "= ANY")):
                text = re.sub(
                    spelled, rf"{array}(${number}\1)", text, flags=re.IGNORECASE
                )
        return text

    def is_sent_by(self, text: str) -> bool:
        """Tell whether a text is this query's: a COPY into the same columns is."""
        if self.command != ":copyfrom":
            return _without_casts(text.strip()) == _without_casts(self.sent)
        return text.startswith("COPY ") and _target(text) == _target(self.text)


# The first cast of a parameter, which the plugin adds where the type is to be sent.
_CAST = re.compile(r'(\$\d+)::("[^"]+"|\w+)(\."[^"]+"|\.\w+)?(\[\])*')


def _without_casts(text: str) -> str:
    return _CAST.sub(r"\1", text)


def _twins(command: str, text: str) -> tuple[str, ...]:
    """Tell what twins a query can have: the server keeps cursors of reading ones."""
    twins = _TWINS.get(command, ())
    return twins[:1] if _WRITING.search(_COMMENT.sub("", text)) else twins


def _target(text: str) -> list[str]:
    """Return the table and the columns that a COPY or INSERT writes to."""
    [parsed] = _pgparse.parse(text)
    [node] = parsed["stmt"].values()
    table = [node["relation"].get(part, "") for part in ("schemaname", "relname")]
    columns = [column["ResTarget"]["name"] for column in node.get("cols") or ()]
    named = [column["String"]["sval"] for column in node.get("attlist") or ()]
    return [*table, *columns, *named]


@dataclass(frozen=True, slots=True)
class Generated:
    """The output for a case: a package called after the case, in its own folder."""

    case: Case
    package: Path
    queries: tuple[Query, ...]
    project: Path

    @property
    def request(self) -> Path:
        """What sqlc sends to plugins, as JSON."""
        return self.project / "request" / "request.json"


class Workshop:
    """A folder where cases are laid out and generated."""

    def __init__(self, folder: Path, plugin: str, found: Findings) -> None:
        process = {"cmd": plugin, "format": "json"}
        self._plugin = {"name": "psycopg", "process": process}
        self._projects = folder / "projects"
        self.packages = folder / "packages"
        self.found = found

    def generate(self, case: Case) -> Generated | None:
        """Generate for a case; None if sqlc itself or the plugin refuses.

        Where the plugin refuses some queries only, the others are generated.
        """
        project = self._lay_out(case)
        message = _sqlc(project, "sqlc.json")
        if message is not None and _sqlc(project, "alone.json") is not None:
            self.found.counts["refused by sqlc itself"] += 1
            return None
        kind = "cases of errors" if case.is_of_error else "cases"
        self.found.counts[kind] += 1
        queries = _queries(project / "request" / "request.json")
        self.found.counts["queries"] += len(queries)
        if message is None:
            self.found.counts[f"{kind}, generated"] += 1
        else:
            self._refused(case, queries, message)
            queries = _drop_refused(project, queries, message)
            if not queries or _sqlc(project, "sqlc.json") is not None:
                return None
            self.found.counts[f"{kind}, generated in part"] += 1
        self.found.counts["queries generated"] += len(queries)
        return Generated(case, self.packages / case.name, queries, project)

    def _lay_out(self, case: Case) -> Path:
        project = self._projects / case.name
        package = self.packages / case.name
        shutil.rmtree(project, ignore_errors=True)
        shutil.rmtree(package, ignore_errors=True)
        package.mkdir(parents=True)
        part = {
            "engine": "postgresql",
            "schema": _copy(case.schema, project, "schema"),
            "queries": _copy(case.queries, project, "queries"),
            "gen": {"json": {"out": "request", "filename": "request.json"}},
        }
        for file in project.glob("queries_*/*.sql"):
            _ask_for_twins(file)
        out = os.path.relpath(package, project)
        ours = {"plugin": "psycopg", "out": out, "options": case.options}
        for name, how in (("alone.json", {}), ("sqlc.json", {"codegen": [ours]})):
            config = {"version": "2", "plugins": [self._plugin], "sql": [part | how]}
            (project / name).write_text(json.dumps(config), encoding="utf-8")
        return project

    def _refused(self, case: Case, queries: tuple[Query, ...], message: str) -> None:
        complaints = unclear(message, queries)
        for complaint in complaints:
            self.found.add(Kind.CRASH, case.name, "", complaint)
        if complaints:
            self.found.counts["refused unclearly"] += 1
        kinds: set[Kind] = set()
        for line in _problems(message):
            where, _, what = line.partition(": ")
            name = what.partition(": ")[0]
            is_expected = case.is_of_error or case.is_without_method(name)
            kind = Kind.REFUSED_TOO if is_expected else Kind.REFUSED
            kinds.add(kind)
            self.found.add(kind, case.name, where, what)
        self.found.counts["refused"] += Kind.REFUSED in kinds


def _copy(files: tuple[Path, ...], project: Path, kind: str) -> list[str]:
    """Copy files to folders of their own; names stay, and so does their order."""
    copies: list[str] = []
    for number, file in enumerate(files):
        copy = project / f"{kind}_{number}" / file.name
        copy.parent.mkdir(parents=True)
        shutil.copyfile(file, copy)
        copies.append(str(copy.relative_to(project)))
    return copies


def _ask_for_twins(file: Path) -> None:
    parts = _NAMED.split(file.read_text(encoding="utf-8"))
    file.write_text("".join(map(_asking, parts)), encoding="utf-8")


def _asking(query: str) -> str:
    """Add the directives for all twins below the line with a query's name."""
    first, newline, rest = query.partition("\n")
    name = _NAME_LINE.match(first)
    twins = _twins(name["command"], rest) if name else ()
    return first + newline + "".join(_DIRECTIVES[twin] for twin in twins) + rest


def _sqlc(project: Path, config: str) -> str | None:
    """Run sqlc; return what it says if it fails."""
    ran = subprocess.run(
        [Path(_SCRIPTS, "sqlc"), "generate", "-f", config],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={"PATH": f"{_SCRIPTS}{os.pathsep}{os.defpath}"},
    )
    return None if ran.returncode == 0 else ran.stderr


def _queries(request: Path) -> tuple[Query, ...]:
    raw: dict[str, Any] = json.loads(request.read_text(encoding="utf-8"))
    return tuple(
        Query(
            query["name"],
            query["cmd"],
            query["text"],
            query["filename"],
            tuple(
                parameter["number"]
                for parameter in query["params"] or ()
                if parameter["column"].get("is_sqlc_slice")
            ),
        )
        for query in raw["queries"] or ()
    )


def _problems(message: str) -> list[str]:
    """Return the plugin's problems, which are indented below its first line."""
    _, _, listed = message.partition("refuses to generate:\n")
    return [line.strip() for line in listed.splitlines() if line.startswith("  ")]


def _drop_refused(
    project: Path, queries: tuple[Query, ...], message: str
) -> tuple[Query, ...]:
    """Take the refused queries out of their files; return those that stay."""
    problems = _problems(message)
    refused = {
        (query.filename, query.name)
        for query in queries
        if any(p.startswith(f"{query.filename}: {query.name}: ") for p in problems)
    }
    for file in project.glob("queries_*/*.sql"):
        names = {name for filename, name in refused if filename == file.name}
        file.write_text(
            "".join(
                part
                for part in _NAMED.split(file.read_text(encoding="utf-8"))
                if not ((name := _NAME.match(part)) and name[1] in names)
            ),
            encoding="utf-8",
        )
    return tuple(q for q in queries if (q.filename, q.name) not in refused)


def unclear(message: str, queries: tuple[Query, ...]) -> list[str]:
    """Tell what a refusal fails to say: each problem's file, query and remedy.

    What concerns no query names a table, a file of the schema or sqlc.yaml instead.
    """
    if _TRACEBACK in message:
        return [f"a traceback: {message.strip().splitlines()[-1]}"]
    problems = _problems(message)
    if not problems:
        return [f"no problem named: {message.strip()}"]
    return [
        f"{lacking}: {problem}"
        for problem in problems
        for lacking in _lacking(problem, queries)
    ]


def _lacking(problem: str, queries: tuple[Query, ...]) -> list[str]:
    told = _REFUSAL.match(f"  {problem}")
    if told is None:
        return ["no remedy"]
    where = told["where"]
    places = {f"{query.filename}: {query.name}: " for query in queries}
    if any(map(problem.startswith, places)):
        return []
    of_schema = where.endswith(".sql") and where not in {q.filename for q in queries}
    elsewhere = where.startswith(("table ", "sqlc.yaml"))
    return [] if of_schema or elsewhere else ["no query"]
