"""Projects to run the real sqlc on, with this plugin.

`TEST_SQLC` names another sqlc than this environment's.
"""

import contextlib
import json
import os
import subprocess
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import yaml

from sqlc_gen_psycopg import plugin
from sqlc_gen_psycopg.problems import Problems, RefusedError
from sqlc_gen_psycopg.sqlc import request

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


# What sqlc made of a project's files, by their texts: options are not among them.
_REQUESTS: dict[str, list[request.Request]] = {}


class SqlcError(Exception):
    """sqlc, or the plugin, refused; the message is what it said on stderr."""


def generate(
    folder: Path,
    *,
    environment: dict[str, str] | None = None,
    scripts: str = SCRIPTS,
    config: str = "sqlc.yaml",
) -> None:
    """Run ``sqlc generate`` in a project's folder.

    ``scripts`` is the folder of sqlc and of the plugin, if not this environment's.

    Raises:
        SqlcError: it was refused.
    """
    ran = subprocess.run(
        [
            os.environ.get("TEST_SQLC") or Path(scripts, "sqlc"),
            "generate",
            "-f",
            config,
        ],
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


def requests(folder: Path) -> list[request.Request]:
    """Return what sqlc would send for each part of a project, options aside.

    Raises:
        SqlcError: sqlc refused it.
    """
    config = yaml.safe_load((folder / "sqlc.yaml").read_text("utf-8"))
    files = [f"request_{number}.json" for number in range(len(config["sql"]))]
    for part, file in zip(config["sql"], files, strict=True):
        del part["codegen"]
        part["gen"] = {"json": {"out": ".", "filename": file}}
    (folder / "request.yaml").write_text(yaml.safe_dump(config), "utf-8")
    read_by_sqlc = sorted([*folder.rglob("*.sql"), folder / "request.yaml"])
    key = "".join(f"{file.name} {file.read_bytes()!r}" for file in read_by_sqlc)
    if key not in _REQUESTS:
        generate(folder, config="request.yaml")
        _REQUESTS[key] = [request.read((folder / f).read_bytes()) for f in files]
    return _REQUESTS[key]


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

    def generated(self) -> dict[str, str]:
        """Generate, and return the texts of the output.

        The plugin runs in this process, which is half of the time. That sqlc starts it
        is what the golden projects, the documents and the wheel are for.

        Raises:
            SqlcError: it was refused.
        """
        try:
            with contextlib.chdir(self.folder):
                made = plugin.generate(self._request(), Problems())
        except RefusedError as refused:
            raise SqlcError(str(refused)) from refused
        for name, text in made.items():
            file = self.folder / "out" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return made

    def _request(self) -> request.Request:
        """Return what sqlc would send to the plugin."""
        config = yaml.safe_load((self.folder / "sqlc.yaml").read_text("utf-8"))
        [part] = config["sql"]
        [ours] = part["codegen"]
        [made] = requests(self.folder)
        # As sqlc sends them, in JSON.
        return made._replace(options=json.loads(json.dumps(ours["options"])))

    def refusal(self) -> str:
        """Return what is said on stderr when the project is refused."""
        try:
            self.generated()
        except SqlcError as error:
            return str(error)
        raise AssertionError("the project was not refused")
