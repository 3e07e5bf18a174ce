"""The whole command: what it counts, and how it ends."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from generator.tests.corpus.cases import REFUSED, write_case
from generator.tools.corpus import static
from generator.tools.corpus.findings import TOLERATED, Findings, Kind

ROOT = Path(__file__).parents[3]
FLAWED_PLUGIN = f"""#!{sys.executable}
import base64, json, sys
from sqlc_gen_psycopg import plugin
answer = json.loads(plugin.answer(sys.stdin.buffer.read()))
for file in answer["files"]:
    text = base64.b64decode(file["contents"]).decode()
    text = text.replace("    label: str\\n", "    label: int\\n")
    file["contents"] = base64.b64encode(text.encode()).decode()
print(json.dumps(answer))
"""


def run(checkout: Path, *options: str) -> tuple[int, dict[str, Any]]:
    """Run the command line; give its exit code and its report."""
    file = checkout / "report.json"
    ran = subprocess.run(
        [
            sys.executable,
            "-m",
            "generator.tools.corpus",
            checkout,
            "--json",
            file,
            *options,
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert file.exists(), ran.stderr
    return ran.returncode, json.loads(file.read_text())


@pytest.mark.long
def test_whole_run(tmp_path: Path) -> None:
    """All targets hold for the plugin as it is: the command ends with 0."""
    write_case(tmp_path, "small")
    code, report = run(tmp_path)
    failing = {kind.name.lower() for kind in Kind if kind not in TOLERATED}
    assert {k: f for k, f in report["findings"].items() if f and k in failing} == {}
    assert (code, report["holds"], report["counts"]["cases"]) == (0, True, 1)


def test_run_in_which_all_is_refused(tmp_path: Path) -> None:
    """Clear refusals are no way out: more than one case in fifty misses the target."""
    write_case(tmp_path, "small", REFUSED)
    code, report = run(tmp_path, "--leave-out=static")
    assert (code, report["counts"]["refused"]) == (1, 1)


def test_refusal_where_an_error_is_expected(tmp_path: Path) -> None:
    """What is refused where sqlc's own tests expect an error is no refusal of ours."""
    write_case(tmp_path, "small", REFUSED)
    expected = tmp_path / "internal/endtoend/testdata/small/stderr.txt"
    expected.write_text("# package\nquery.sql:1:1: nonsense\n")
    code, report = run(tmp_path, "--leave-out=static")
    assert (code, report["counts"].get("cases")) == (0, None)
    assert report["findings"]["refused_too"]


def test_whole_run_with_a_flaw(tmp_path: Path) -> None:
    """A flawed plugin is told by its values: the command ends with 1."""
    write_case(tmp_path, "small")
    plugin = tmp_path / "plugin"
    plugin.write_text(FLAWED_PLUGIN)
    plugin.chmod(0o755)
    code, report = run(tmp_path, "--plugin", str(plugin), "--leave-out=static")
    assert (code, report["holds"]) == (1, False)
    assert report["findings"]["violation"]


def test_each_tool_is_heard(tmp_path: Path) -> None:
    """What ruff, its formatter, mypy and pyright object to is found, file by file."""
    (tmp_path / "case_x").mkdir()
    code = "import os\nx: int = 'a'\n"
    (tmp_path / "case_x" / "__init__.py").write_text(code)
    found = Findings()
    static.check(tmp_path, found)
    tools = {Kind.RUFF, Kind.FORMAT, Kind.MYPY, Kind.PYRIGHT}
    assert {finding.kind for finding in found.found} == tools
