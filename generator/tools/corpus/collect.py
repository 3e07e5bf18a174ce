"""The cases of a checkout, of sqlc's repository or of what uses sqlc, each once."""

import glob
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import yaml

# Where they lie below a checkout of sqlc's; elsewhere they may lie anywhere.
ROOTS = ("internal/endtoend/testdata", "examples")
_CONFIG = re.compile(r"sqlc\b.*\.(json|ya?ml)")
_FOREIGN = {".git", "node_modules"}
# sqlc drops everything from the first of these lines on.
_ROLLBACK = re.compile(
    r"^(-- *migrate:down|-- *\+goose *Down|-- *\+migrate *Down"
    r"|---- create above / drop below ----)",
    re.IGNORECASE | re.MULTILINE,
)
_META_COMMAND = re.compile(r"^\\.*$", re.MULTILINE)
_METHOD = re.compile(r"^func \(q \*Queries\) (\w+)\(", re.MULTILINE)
# Options of sqlc's Go generator that this plugin has as well, and what it calls them.
_OPTIONS = {
    "emit_exact_table_names": "emit_exact_table_names",
    "inflection_exclude_table_names": "inflection_exclude_table_names",
    "omit_unused_structs": "omit_unused_models",
    "query_parameter_limit": "query_parameter_limit",
    "rename": "rename",
}


@dataclass(frozen=True, slots=True)
class Case:
    """One schema and the queries on it; `name` is a Python identifier.

    `is_of_error` says that sqlc's own tests expect no output, but an error: of sqlc's,
    of a database that it asks, or of the Go generator. `methods` are the queries that
    the Go generator makes methods of, empty where its output is not there.
    """

    name: str
    origin: str
    schema: tuple[Path, ...]
    queries: tuple[Path, ...]
    options: dict[str, Any] = field(default_factory=dict[str, Any])
    is_of_error: bool = False
    methods: frozenset[str] = frozenset()

    def is_without_method(self, query: str) -> bool:
        """Tell whether the Go generator leaves a query out."""
        return bool(self.methods) and query.replace("_", "").lower() not in self.methods

    @property
    def key(self) -> str:
        """What is equal where only the Go driver, or the layout, differs."""
        texts = (file.read_text(encoding="utf-8") for file in self.files)
        parts = [json.dumps([line.split() for line in t.splitlines()]) for t in texts]
        parts.append(json.dumps(self.options, sort_keys=True))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    @property
    def files(self) -> tuple[Path, ...]:
        """All its SQL files, the schema's first."""
        return self.schema + self.queries

    def schema_texts(self) -> list[str]:
        """Return what sqlc reads of each file of the schema."""
        texts = [file.read_text(encoding="utf-8") for file in self.schema]
        return [_META_COMMAND.sub("", _ROLLBACK.split(text)[0]) for text in texts]


def cases(checkout: Path) -> list[Case]:
    """List the cases for PostgreSQL whose files are all there, by name.

    Raises:
        FileNotFoundError: the folder has no configuration of sqlc's.
    """
    roots = [checkout / root for root in ROOTS]
    if not roots[0].is_dir():
        roots = [checkout]
    configs = [(root, config) for root in roots for config in _configs(root)]
    if not configs:
        raise FileNotFoundError(f"{checkout} holds no sqlc.yaml or sqlc.json")
    listed = [case for place in configs for case in _of_config(*place)]
    found: dict[str, Case] = {}
    # Of equal ones, one that is to work comes first.
    for case in sorted(listed, key=lambda case: case.is_of_error):
        found.setdefault(case.key, case)
    return sorted(found.values(), key=lambda case: case.name)


def _configs(root: Path) -> list[Path]:
    """List the configurations below a folder."""
    named = (path for path in root.rglob("sqlc*") if _CONFIG.fullmatch(path.name))
    return sorted(path for path in named if not _FOREIGN & set(path.parts))


def _of_config(root: Path, config: Path) -> Iterator[Case]:
    origin = str(config.parent.relative_to(root))
    is_of_error = any(config.parent.glob("stderr*"))
    methods = _methods(config.parent)
    for number, part in enumerate(_parts(config)):
        schema = _files(config.parent, part.get("schema"))
        queries = _files(config.parent, part.get("queries"))
        if schema and queries:
            name = re.sub(r"\W", "_", f"case_{origin}").lower()
            name = f"{name}_{number}" if number else name
            options = _options(part)
            yield Case(name, origin, schema, queries, options, is_of_error, methods)


def _methods(folder: Path) -> frozenset[str]:
    texts = (file.read_text(encoding="utf-8") for file in folder.rglob("*.go"))
    return frozenset(name.lower() for text in texts for name in _METHOD.findall(text))


def _options(part: dict[str, Any]) -> dict[str, Any]:
    """Return the Go generator's options, as far as there are such here."""
    gen: dict[str, Any] = part.get("gen") or {}
    given: dict[str, Any] = part | (gen.get("go") or {})
    return {ours: given[name] for name, ours in _OPTIONS.items() if name in given}


def _parts(config: Path) -> list[dict[str, Any]]:
    """Return the parts of a configuration, of either version, for PostgreSQL."""
    text = config.read_text(encoding="utf-8")
    try:
        # Valid JSON with tabs is no valid YAML.
        raw: object = json.loads(text) if config.suffix == ".json" else _yaml(text)
    except ValueError:
        return []
    if not isinstance(raw, dict):
        return []
    read = cast("dict[str, Any]", raw)
    parts: list[dict[str, Any]] = read.get("sql") or read.get("packages") or []
    return [part for part in parts if part.get("engine", "postgresql") == "postgresql"]


def _yaml(text: str) -> object:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def _files(folder: Path, entries: str | list[str] | None) -> tuple[Path, ...]:
    """List the SQL files of a `schema` or `queries` entry, as sqlc does."""
    listed = [entries] if isinstance(entries, str) else entries or []
    paths = [path for entry in listed for path in _paths(folder, entry)]
    files = (
        file
        for path in paths
        for file in (sorted(path.iterdir()) if path.is_dir() else [path])
    )
    return tuple(file for file in files if _is_read(file))


def _paths(folder: Path, entry: str) -> list[Path]:
    """Return what an entry names: a path, such as `.`, or else a pattern."""
    path = folder / entry
    if path.exists():
        return [path]
    return sorted(map(Path, glob.glob(str(path))))  # noqa: PTH207 - it may be absolute


def _is_read(file: Path) -> bool:
    return (
        file.is_file()
        and file.suffix == ".sql"
        and not file.name.startswith(".")
        and not file.name.endswith(".down.sql")
    )
