"""Find what keeps the generator from being released under a tag.

    python -m generator.tools.release sqlc-gen-psycopg-0.1.0

Exits with 1 where there is something, and prints it.
"""

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

GENERATOR = Path(__file__).parents[1]


def problems(tag: str, generator: Path = GENERATOR) -> Iterator[str]:
    """Give a sentence for each of them, with what to do."""
    source = generator / "src/sqlc_gen_psycopg/__init__.py"
    match = re.search(r'^__version__ = "(.+)"$', source.read_text(), re.MULTILINE)
    assert match, "hatchling reads the version by this pattern, too"
    version = match[1]
    if tag != f"sqlc-gen-psycopg-{version}":
        yield f"the tag {tag} is not sqlc-gen-psycopg-{version}, which {source} says"
    changelog = generator / "CHANGELOG.md"
    heading = rf"^## {re.escape(version)} \(\d{{4}}-\d\d-\d\d\)$"
    if not re.search(heading, changelog.read_text(), re.MULTILINE):
        yield f"{changelog} has no heading with a date: ## {version} (YYYY-MM-DD)"
    project = generator / "pyproject.toml"
    hook = tomllib.loads(project.read_text())["tool"]["hatch"]["metadata"]["hooks"]
    if not hook["custom"]["repository"]:
        yield f"{project} does not name the repository, of which links are made"


if __name__ == "__main__":
    found = list(problems(sys.argv[1] if sys.argv[1:] else ""))
    print("\n".join(found), file=sys.stderr)
    sys.exit(bool(found))
