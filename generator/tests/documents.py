"""The documents, and the projects that their fenced blocks make.

A block with a title, as in `sql title="queries/orders.sql"`, is that file of the
document's project. SQL is added to what the file has already, so that a document can
unfold a schema; other files are replaced.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from generator.tests import sqlc

GENERATOR = Path(__file__).parents[1]
README = GENERATOR / "README.md"
DOCS = GENERATOR / "docs"

_FENCE = re.compile(r'^```(?P<language>\w+)(?: title="(?P<title>[^"]+)")?$')
_HEADING = re.compile(r"^#+ (?P<heading>.*)$")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block, and the heading that it stands under."""

    section: str
    language: str
    title: str
    text: str


def blocks(document: Path) -> list[Block]:
    """Return the fenced blocks of a document, in order."""
    lines = iter(document.read_text(encoding="utf-8").splitlines())
    found: list[Block] = []
    section = ""
    for line in lines:
        if heading := _HEADING.match(line):
            section = heading["heading"]
        elif fence := _FENCE.match(line):
            text = "".join(f"{text}\n" for text in _until_fence(lines))
            title = fence["title"] or ""
            found.append(Block(section, fence["language"], title, text))
        elif line.startswith("```"):
            raise ValueError(f"{document}: {line}: no such fence is known")
    return found


def _until_fence(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        if line == "```":
            return
        yield line


def links(document: Path) -> list[tuple[str, str]]:
    """Return the relative links of a document, each a file's path and an anchor."""
    text = document.read_text(encoding="utf-8")
    return re.findall(r"\]\((?!https?:)([^)#\s]*)#?([^)\s]*)\)", text)


def anchors(document: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    lines = document.read_text(encoding="utf-8").splitlines()
    headings = [found["heading"] for line in lines if (found := _HEADING.match(line))]
    kept = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in kept}


def is_excerpt(shown: str, text: str) -> bool:
    """Tell whether a text holds whole lines as shown; `...` stands for any part."""
    parts = re.split(r"\s*\.\.\.", shown.rstrip("\n"))
    pattern = r"[\s\S]*?".join(map(re.escape, parts))
    return re.search(rf"^{pattern}$", text, re.MULTILINE) is not None


@dataclass(frozen=True, slots=True)
class Example:
    """A document's project, generated; its programs in their order."""

    folder: Path
    programs: tuple[str, ...]
    excerpts: tuple[Block, ...]


def example(document: Path, folder: Path, *, scripts: str = sqlc.SCRIPTS) -> Example:
    """Write a document's project and generate it.

    `scripts` is the folder with sqlc and the plugin, if not this environment's.

    Raises:
        SqlcError: it was refused.
    """
    titled = [block for block in blocks(document) if block.title]
    for block in titled:
        if block.language != "python":
            _write(folder, block, append=block.language == "sql")
    sqlc.generate(folder, scripts=scripts)
    excerpts = [block for block in titled if (folder / block.title).is_file()]
    excerpts = [block for block in excerpts if block.language == "python"]
    programs = [block for block in titled if not (folder / block.title).is_file()]
    for block in programs:
        _write(folder, block)
    return Example(folder, tuple(block.title for block in programs), tuple(excerpts))


def _write(folder: Path, block: Block, *, append: bool = False) -> None:
    file = folder / block.title
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a" if append else "w", encoding="utf-8") as written:
        written.write(block.text)
