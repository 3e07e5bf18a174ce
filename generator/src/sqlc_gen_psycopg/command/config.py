"""The project's sqlc.yaml: its sql entries, and what of them is ours."""

import json
from pathlib import Path, PurePath
from typing import Any, NamedTuple, cast

import yaml

from sqlc_gen_psycopg.sqlc.request import Json

# In sqlc's order.
NAMES = ("sqlc.yaml", "sqlc.yml", "sqlc.json")
PLUGIN = "sqlc-gen-psycopg"


class CannotRunError(Exception):
    """What was asked for cannot be done; the message says why, and what to do."""


class Target(NamedTuple):
    """A codegen entry that is ours: the folder of its output, and its options."""

    out: Path
    options: Json


class Entry(NamedTuple):
    """A sql entry with targets of ours, as it is written; its files by pattern."""

    raw: Json
    schema: tuple[str, ...]
    queries: tuple[str, ...]
    targets: tuple[Target, ...]


class Config(NamedTuple):
    """A configuration; its paths are relative to its own folder."""

    file: Path
    raw: Json
    entries: tuple[Entry, ...]

    @property
    def patterns(self) -> tuple[str, ...]:
        """The patterns of all files that sqlc reads for us."""
        return tuple(p for entry in self.entries for p in entry.schema + entry.queries)


def find(named: str) -> Path:
    """Return the configuration's file, ``named`` or sqlc's own choice.

    Raises:
        CannotRunError: there is none.
    """
    candidates = [named] if named else NAMES
    for name in candidates:
        if Path(name).is_file():
            return Path(name)
    if named:
        raise CannotRunError(f"{named}: no such file; name sqlc's configuration")
    raise CannotRunError(
        f"no sqlc.yaml in {Path.cwd()}; run this in the project's folder, "
        f"name the file with --file, or begin with `{PLUGIN} init`"
    )


def read(file: Path) -> Config:
    """Read a configuration, and find in it what this plugin is asked for.

    Raises:
        CannotRunError: it cannot be read, or asks for nothing of ours.
    """
    raw = _loaded(file)
    if str(raw.get("version")) != "2":
        raise CannotRunError(
            f'{file}: not of version 2, the only one with plugins; write version: "2", '
            f"plugins and sql (`{PLUGIN} init FOLDER` writes an example)"
        )
    plugins = _plugins(file, raw)
    entries = tuple(
        entry
        for number, one in enumerate(_list(file, raw, "sql"))
        if (entry := _entry(file, f"sql[{number}]", one, plugins)).targets
    )
    if not entries:
        raise CannotRunError(
            f"{file}: no sql entry has a codegen of the plugin {min(plugins)!r}; "
            "add `codegen: [{plugin: …, out: …}]` to one"
        )
    return Config(file, raw, entries)


def _plugins(file: Path, raw: Json) -> set[str]:
    """Return the names that the configuration gives to this plugin."""
    found: set[str] = set()
    for plugin in _list(file, raw, "plugins"):
        process: object = plugin.get("process")
        called = cast("Json", process) if isinstance(process, dict) else {}
        if PurePath(str(called.get("cmd"))).name.removesuffix(".exe") != PLUGIN:
            continue
        if called.get("format") != "json":
            raise CannotRunError(
                f"{file}: plugins: {plugin.get('name')!r} is not called with JSON; "
                "write `format: json` beside its cmd"
            )
        found.add(str(plugin.get("name")))
    if not found:
        raise CannotRunError(
            f"{file}: no plugin of its list has `process: {{cmd: {PLUGIN}, "
            "format: json}`; add one, and name it in an sql entry's codegen"
        )
    return found


def _entry(file: Path, where: str, raw: Json, plugins: set[str]) -> Entry:
    targets: list[Target] = []
    for number, asked in enumerate(_list(file, raw, "codegen", where)):
        if asked.get("plugin") not in plugins:
            continue
        if not isinstance(asked.get("out"), str) or not asked["out"]:
            raise CannotRunError(
                f"{file}: {where}.codegen[{number}] has no out; "
                "write the folder that the generated package is to be in"
            )
        targets.append(Target(Path(asked["out"]), asked.get("options") or {}))
    return Entry(
        raw,
        _patterns(file, f"{where}.schema", raw.get("schema")),
        _patterns(file, f"{where}.queries", raw.get("queries")),
        tuple(targets),
    )


def _patterns(file: Path, where: str, value: object) -> tuple[str, ...]:
    """Read one path, or a list of them."""
    found = cast("list[object]", value) if isinstance(value, list) else [value]
    if not all(isinstance(path, str) for path in found):
        raise CannotRunError(f"{file}: {where} is no path, nor a list of paths")
    return tuple(str(path) for path in found)


def _list(file: Path, raw: Json, key: str, where: str = "") -> list[Json]:
    found: object = raw.get(key) or []
    place = f"{where}.{key}" if where else key
    if not isinstance(found, list) or not all(
        isinstance(item, dict) for item in cast("list[object]", found)
    ):
        raise CannotRunError(f"{file}: {place} is no list of mappings; write one")
    return cast("list[Json]", found)


class _Loader(yaml.SafeLoader):
    """YAML as sqlc reads it: 'yes' is a string, and so is a date."""


_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern)
        for tag, pattern in resolvers
        if not tag.endswith(":timestamp")
        and not (tag.endswith(":bool") and first in "yYnNoO")
    ]
    for first, resolvers in cast(
        "dict[str, list[tuple[str, Any]]]", yaml.SafeLoader.yaml_implicit_resolvers
    ).items()
}


def _loaded(file: Path) -> Json:
    try:
        text = file.read_text(encoding="utf-8")
        is_json = file.suffix == ".json"
        raw = json.loads(text) if is_json else yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise CannotRunError(f"{file}: cannot be read: {_told(error)}") from error
    if not isinstance(raw, dict):
        raise CannotRunError(f"{file}: no mapping; write version, plugins and sql")
    return cast("Json", raw)


def _told(error: Exception) -> str:
    """Return what is wrong, without the lines themselves: they may hold passwords."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        line = error.problem_mark.line + 1
        return f"line {line}: {error.problem or 'no YAML'}"
    if isinstance(error, json.JSONDecodeError):
        return f"line {error.lineno}: {error.msg}"
    return type(error).__name__
