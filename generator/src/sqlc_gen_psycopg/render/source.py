"""One module of the output: its header, imports, ``__all__`` and blocks."""

import re
import sys
import textwrap
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from sqlc_gen_psycopg.ir.python_types import SHARED, USED_ENUMS, Import
from sqlc_gen_psycopg.render import layout

_STANDARD, _THIRD, _FIRST, _LOCAL = range(4)


class Needs:
    """The imports of something that is being written."""

    def __init__(self) -> None:
        self.imports: set[Import] = set()

    def need(self, *imports: Import) -> None:
        """Import something."""
        self.imports.update(imports)

    def need_all(self, imports: Mapping[str, tuple[str, ...]]) -> None:
        """Import names from several modules."""
        for module, names in imports.items():
            for name in names:
                self.imports.add(_imported(module, name))

    def need_from(self, module: str, *names: str) -> None:
        """Import names from a module."""
        for name in names:
            self.imports.add(_imported(module, name))


class Source(Needs):
    """A module being written; ``depth`` is its distance from the output's root.

    Models come from there, too, unless another package has them.
    """

    def __init__(
        self,
        header: str,
        depth: int = 0,
        *,
        is_pydantic: bool = False,
        is_frozen: bool = False,
        models_package: str = "",
        own_package: str = "",
    ) -> None:
        super().__init__()
        self.header = header
        self.depth = depth
        self.is_pydantic = is_pydantic
        self.is_frozen = is_frozen
        self.models_package = models_package
        self.own_package = own_package
        self.exports: list[str] = []
        self.blocks: list[str] = []
        # The classes of the module `enums` that it uses.
        self.enums: set[str] = set()

    def add(self, name: str, lines: list[str]) -> None:
        """Add a top-level definition; names with an underscore are not exported."""
        if not name.startswith("_"):
            self.exports.append(name)
        self.blocks.append("\n".join(lines))

    def text(self) -> str:
        """Return the module's text."""
        # What is imported of the enums' module is used, by name.
        self.enums |= {i.name for i in self.imports if i.module == USED_ENUMS}
        self.imports = {i for i in self.imports if i.module != USED_ENUMS}
        parts = [self.header]
        if self.imports:
            parts.append(_import_block(self._placed(), self.depth, self.own_package))
        if self.exports:
            parts.append("\n".join(_all(self.exports)))
        text = "\n\n".join(parts)
        return _joined(text, self.blocks) + "\n"

    def _placed(self) -> set[Import]:
        """Return the imports, those of shared classes from where the models are."""
        root = self.models_package or "@"
        return {
            Import(root, i.name) if i.module == "@" and i.name in SHARED else i
            for i in self.imports
        }


# Each function asks for the same few.
_imported = cache(Import)


def _joined(text: str, blocks: list[str]) -> str:
    """Two blank lines around definitions, one between assignments."""
    previous_is_definition = False
    for block in blocks:
        definition = block.startswith(("def ", "class ", "async def ", "@"))
        gap = "\n\n\n" if definition or previous_is_definition else "\n\n"
        text += gap + block
        previous_is_definition = definition
    return text


@cache
def member_key(name: str) -> tuple[int, list[str | int], str]:
    """Sort as isort does: CONSTANTS, Classes, functions; numbers by value."""
    kind = 0 if len(name) > 1 and name.isupper() else 1 if name[:1].isupper() else 2
    return kind, _natural(name.lower()), name


def _export_key(name: str) -> tuple[int, list[str | int]]:
    """Sort as RUF022 does: as members, but an underscore follows capitals."""
    return member_key(name)[0], _natural(name)


_DIGITS = re.compile(r"(\d+)")


@cache
def _natural(name: str) -> list[str | int]:
    """Split a name at its numbers, which are compared as such."""
    parts: list[str | int] = [*_DIGITS.split(name)]
    parts[1::2] = map(int, parts[1::2])
    return parts


def _all(exports: list[str]) -> list[str]:
    items = tuple(f'"{name}"' for name in sorted(exports, key=_export_key))
    return layout.lines(layout.Brackets("__all__ = [", items, "]"), 0)


def _import_block(imports: set[Import], depth: int, own_package: str) -> str:
    sections: dict[int, list[Import]] = {}
    for wanted in imports:
        sections.setdefault(_section(wanted.module, own_package), []).append(wanted)
    return "\n\n".join(
        "\n".join(_section_lines(found, depth)) for _, found in sorted(sections.items())
    )


def _section(module: str, own_package: str) -> int:
    if module[0] == "@":
        return _LOCAL
    top = module.partition(".")[0]
    # When it is first written, its folder is not there yet.
    return _FIRST if top == own_package else _section_of(top)


@cache
def _section_of(top: str) -> int:
    if top in sys.stdlib_module_names:
        return _STANDARD
    # ruff calls first-party what lies in the project or in its src folder.
    roots = (Path(), Path("src"))
    if any((root / top).is_dir() or (root / f"{top}.py").is_file() for root in roots):
        return _FIRST
    return _THIRD


def _section_lines(imports: list[Import], depth: int) -> list[str]:
    plain = sorted(i.module for i in imports if not i.name)
    result = [f"import {module}" for module in plain]
    members: dict[str, list[str]] = {}
    for wanted in imports:
        if wanted.name:
            members.setdefault(wanted.module, []).append(wanted.name)
    for module in sorted(members, key=lambda m: _natural(m.lower())):
        result += _from(_relative(module, depth), members[module])
    return result


def _relative(module: str, depth: int) -> str:
    if module == "@aio" and depth:
        return "."
    return module.replace("@", "." * (depth + 1)) if module[0] == "@" else module


def _from(module: str, names: list[str]) -> list[str]:
    ordered = sorted((n for n in names if " as " not in n), key=member_key)
    # Each renamed one has a line of its own, in the order of the first names.
    lists = [[name] for name in names if " as " in name] + [ordered][: len(ordered)]
    found: list[str] = []
    for listed in sorted(lists, key=lambda listed: member_key(listed[0])):
        line = f"from {module} import {', '.join(listed)}"
        if len(line) <= layout.WIDTH:
            found.append(line)
        else:
            lines = (f"    {name}," for name in listed)
            found += [f"from {module} import (", *lines, ")"]
    return found


# Both kinds of connections have the same ones.
@cache
def docstring(text: str, indent: int = 4) -> list[str]:
    """Return a docstring's lines, none for an empty text."""
    if not text.strip():
        return []
    margin = " " * indent
    escaped = _unclosing(text.replace("\\", "\\\\"))
    first, *rest = [line.rstrip().expandtabs() for line in escaped.splitlines()]
    if not rest:
        return [f'{margin}"""{first.strip()}"""']
    # As ruff does, which does not look at the first line.
    dedented = textwrap.dedent("\n".join(rest)).split("\n")
    body = [f"{margin}{line}" if line else "" for line in dedented]
    return [f'{margin}"""{first.strip()}', *body, f'{margin}"""']


# Quotes that would end a triple-quoted literal.
_CLOSING = re.compile(r'"{3,}|"+$')
# Control characters, tabs and newlines aside.
_CONTROL = {code: f"\\x{code:02x}" for code in (*range(9), *range(11, 32), 127)}


def _unclosing(text: str) -> str:
    """Escape quotes that would end a triple-quoted literal; hardly a text has such."""
    if '"""' in text or text.endswith('"'):
        return _CLOSING.sub(_backslashed, text)
    return text


def _backslashed(found: re.Match[str]) -> str:
    return '\\"' * len(found[0])


def literal(text: str) -> str:
    """Return a triple-quoted literal of a SQL text."""
    escaped = _unclosing(text.replace("\\", "\\\\")).translate(_CONTROL)
    # The text starts on a line of its own, by a newline of its own or an escaped one.
    start = "" if escaped.startswith("\n") else "\\\n"
    return f'"""{start}{escaped}"""'
