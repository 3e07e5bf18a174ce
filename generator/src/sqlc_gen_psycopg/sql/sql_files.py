"""Where sqlc's SQL files are, and what of them sqlc reads."""

import glob
import re
from pathlib import Path

# sqlc drops everything from the first of these lines on: the part that goes back.
_ROLLBACK = re.compile(
    r"^(-- *migrate:down|-- *\+goose *Down|-- *\+migrate *Down"
    r"|---- create above / drop below ----)",
    re.IGNORECASE | re.MULTILINE,
)


def find(patterns: tuple[str, ...]) -> list[Path]:
    """List the SQL files in sqlc's order.

    Raises:
        FileNotFoundError: a pattern matches nothing.
    """
    files: list[Path] = []
    for pattern in patterns:
        matches = sorted(glob.glob(pattern))  # noqa: PTH207 - patterns may be absolute
        if not matches:
            raise FileNotFoundError(pattern)
        for path in map(Path, matches):
            files += sorted(path.iterdir()) if path.is_dir() else [path]
    return [file for file in files if _is_read(file)]


def _is_read(file: Path) -> bool:
    name = file.name
    return (
        name.endswith(".sql")
        and not name.startswith(".")
        and not name.endswith(".down.sql")
    )


def up_part(text: str) -> str:
    """Return what sqlc reads of a migration."""
    rollback = _ROLLBACK.search(text)
    return text[: rollback.start()] if rollback else text
