"""The query files themselves, for what sqlc does not pass on.

sqlc cuts every line that begins with `--` or `#` out of a query's text, wherever that
line may be, and mixes up whose comment is whose.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sqlc_gen_psycopg.sql import sql_files
from sqlc_gen_psycopg.sqlc.request import Request

_NAME = re.compile(r"^\s*(?:--|#|/\*)\s*name:\s*(\S+)\s+:\w+\s*(?:\*/)?\s*$")
_COMMENT = re.compile(r"^\s*--(?P<text>.*)$")
_SUSPECT = re.compile(r"^(?:#|--|/\*).*$", re.MULTILINE)
_REMARK = re.compile(r"^[ \t]*--(.*)$", re.MULTILINE)
_NULLABLE = re.compile(r"""\bsqlc\s*\.\s*narg\s*\(\s*["']?(\w+)""", re.IGNORECASE)
_SPAN = re.compile(
    r"""
    (?P<comment> --[^\n]* | /\*.*?\*/ )
    | [eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | "(?:[^"]|"")*"
    | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$
    """,
    re.DOTALL | re.VERBOSE,
)


class Written(NamedTuple):
    """A query as it stands in its file; ``comment`` are the lines under its name."""

    file: Path
    comment: list[str]
    body: str

    def remarks(self) -> Iterator[str]:
        """Yield the text of each line below that is a comment as well."""
        start = self._start()
        # Most queries have none.
        if self.body.find("--", start) >= 0:
            for remark in _REMARK.finditer(self.body, start):
                yield remark[1]

    def _start(self) -> int:
        """Return where in the body the comment ends, or a little before."""
        return sum(len(line) + len("--\n") for line in self.comment)

    def lost(self) -> str:
        """Return what stands behind the query's semicolon, which sqlc drops."""
        if ";" not in self.body.rstrip().removesuffix(";"):
            return ""
        bare = _SPAN.sub(_blank, self.body)
        _, _, rest = bare.partition(";")
        return rest.strip()

    def nullable_parameters(self) -> frozenset[str]:
        """Return the names that are in `sqlc.narg`, which sqlc does not pass on."""
        return frozenset(_NULLABLE.findall(self.body))

    def cut_lines(self) -> Iterator[str]:
        """Yield the lines that sqlc takes for comments though they are none."""
        # Most queries have no such line below their comment.
        suspects = list(_SUSPECT.finditer(self.body, self._start()))
        quoted, comments = _spans(self.body) if suspects else ([], [])
        for line in suspects:
            start, text = line.start(), line[0]
            if _within(start, comments):
                continue
            inside = _within(start, quoted)
            whole = text.startswith("/*") and text.endswith("*/")
            if text.startswith("#") or (inside and (text.startswith("--") or whole)):
                yield text


def without_quotes(text: str) -> str:
    """Return a text with what is quoted, and comments, as so many letters."""
    return _SPAN.sub(lambda span: "x" * len(span[0]), text)


def _blank(span: re.Match[str]) -> str:
    """Return what is left of a comment, nothing, or of what is quoted, a word."""
    return "" if span["comment"] else "x"


def unnamed(request: Request) -> Iterator[tuple[str, str]]:
    """Yield each statement that stands before its file's first name, and the file.

    sqlc drops them. A file may be of the schema's, which has no queries to name.
    """
    try:
        files = sql_files.find(request.query_paths)
        schema = {file.resolve() for file in sql_files.find(request.schema_paths)}
    except FileNotFoundError:
        return
    for file in files:
        if file.resolve() in schema:
            continue
        lines = file.read_text(encoding="utf-8").splitlines()
        named = (i for i, line in enumerate(lines) if _NAME.match(line))
        before = "\n".join(lines[: next(named, len(lines))])
        for statement in _SPAN.sub(_blank, before).split(";"):
            if _QUERY.match(statement):
                yield file.name, " ".join(statement.split())[:_SHOWN]


_QUERY = re.compile(
    r"\s*(?:select|insert|update|delete|merge|with|values|call)\b", re.IGNORECASE
)
# So many characters tell which statement is meant.
_SHOWN = 40


def _spans(body: str) -> tuple[list[range], list[range]]:
    quoted: list[range] = []
    comments: list[range] = []
    for found in _SPAN.finditer(body):
        kind = comments if found["comment"] else quoted
        # A span's own first character is outside of it.
        kind.append(range(found.start() + 1, found.end()))
    return quoted, comments


def _within(position: int, spans: list[range]) -> bool:
    return any(position in span for span in spans)


def read(request: Request) -> dict[tuple[str, str], Written]:
    """Return each query by its file's name and its own."""
    try:
        files = sql_files.find(request.query_paths)
    except FileNotFoundError:
        return {}
    return {
        (file.name, name): query for file in files for name, query in _queries(file)
    }


def has_names(file: Path) -> bool:
    """Tell whether a file names a query."""
    return any(True for _ in _queries(file))


def _queries(file: Path) -> Iterator[tuple[str, Written]]:
    lines = file.read_text(encoding="utf-8").splitlines()
    named = {
        number: found[1]
        for number, line in enumerate(lines)
        if "name:" in line and (found := _NAME.match(line))
    }
    # A file without queries has a last line, but no start.
    for (start, name), end in zip(
        named.items(), [*list(named)[1:], len(lines)], strict=False
    ):
        body = lines[start + 1 : end]
        yield name, Written(file, list(_leading_comment(body)), "\n".join(body))


def _leading_comment(body: list[str]) -> Iterator[str]:
    for line in body:
        comment = _COMMENT.match(line)
        if comment is None:
            return
        yield comment["text"]
