"""The cases of a checkout, of sqlc's repository or of what uses sqlc, each once."""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Case:
    """One schema and the queries on it; `name` is a Python identifier."""

    name: str
    origin: str
    schema: tuple[Path, ...]
    queries: tuple[Path, ...]

    @property
    def key(self) -> str:
        """What is equal where only the Go driver, or the layout, differs."""
        texts = (file.read_text(encoding="utf-8") for file in self.files)
        parts = (json.dumps([line.split() for line in t.splitlines()]) for t in texts)
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
    found: dict[str, Case] = {}
    for root, config in configs:
        for case in _of_config(root, config):
            found.setdefault(case.key, case)
    return sorted(found.values(), key=lambda case: case.name)


def _configs(root: Path) -> list[Path]:
    """List the configurations below a folder."""
    named = (path for path in root.rglob("sqlc*") if _CONFIG.fullmatch(path.name))
    return sorted(path for path in named if not _FOREIGN & set(path.parts))


def _of_config(root: Path, config: Path) -> Iterator[Case]:
    origin = str(config.parent.relative_to(root))
    for number, part in enumerate(_parts(config)):
        schema = _files(config.parent, part.get("schema"))
        queries = _files(config.parent, part.get("queries"))
        if schema and queries:
            name = re.sub(r"\W", "_", f"case_{origin}")
            yield Case(f"{name}_{number}" if number else name, origin, schema, queries)


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
    return [path] if path.exists() else sorted(folder.glob(entry))


def _is_read(file: Path) -> bool:
    return (
        file.is_file()
        and file.suffix == ".sql"
        and not file.name.startswith(".")
        and not file.name.endswith(".down.sql")
    )
