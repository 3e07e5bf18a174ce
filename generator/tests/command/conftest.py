"""A project in a folder."""

from pathlib import Path

import pytest

from generator.tests.command.project import CONFIG, DROP, GET, SCHEMA


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a project of two outputs, one within the other."""
    files = {
        "sqlc.yaml": CONFIG,
        "schema.sql": SCHEMA,
        "queries/items.sql": GET,
        "queries/more/drops.sql": DROP,
        "queries/inner/steps.sql": GET.replace("get", "step"),
    }
    for name, text in files.items():
        file = tmp_path / "project" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    # What stands beside sqlc.yaml is imported as the project's own.
    (tmp_path / "project/app").mkdir()
    return tmp_path / "project"
