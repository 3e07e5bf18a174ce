"""What the page of the command shows is what it prints.

After a wanted change: `UPDATE_DOCUMENT=1 pytest` with this file, then read the
difference.
"""

import os
import re
from pathlib import Path

import psycopg

from generator.tests import documents
from generator.tests.command_line import run
from postgres_testing import databases
from postgres_testing.embedded import Server

DOCUMENT = documents.DOCS / "command.md"
_BLOCK = re.compile(
    r'^```(?P<kind>console|sql)(?: title="(?P<title>[^"]*)")?\n(?P<text>.*?)^```$',
    re.DOTALL | re.MULTILINE,
)


class Session:
    """A folder and a database, in which the page's blocks are carried out."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url

    def shown(self, block: re.Match[str]) -> str:
        """Carry out a block; return it with what is printed."""
        if block["kind"] == "console":
            told = [self._ran(line) for line in block["text"].splitlines()]
            return f"```console\n{''.join(told)}```"
        if block["title"]:
            with (self.folder / block["title"]).open("a") as file:
                file.write(block["text"])
        else:
            self._execute(block["text"])
        return block[0]

    def _ran(self, line: str) -> str:
        if line.startswith("$ cd "):
            self.folder /= line.removeprefix("$ cd ")
            self._execute((self.folder / "schema.sql").read_text())
        elif line.startswith("$ "):
            _, _, *arguments = line.split()
            ran = run(
                *arguments, folder=self.folder, DATABASE_URL=self.url, COLUMNS="80"
            )
            return f"{line}\n{ran.stdout}{ran.stderr}"
        else:
            return ""
        return f"{line}\n"

    def _execute(self, text: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as conn:
            conn.execute(text.encode())


def test_the_page_shows_what_is_printed(
    postgres_server: Server, tmp_path: Path
) -> None:
    """Each command of the page, run in its order, prints what stands below it."""
    text = DOCUMENT.read_text(encoding="utf-8")
    with (
        databases.database(postgres_server.url) as url,
    ):
        shown = _BLOCK.sub(Session(tmp_path, url).shown, text)
    if os.environ.get("UPDATE_DOCUMENT"):
        DOCUMENT.write_text(shown, encoding="utf-8")
    assert shown.count("$ sqlc-gen-psycopg") == 8
    assert text == shown
