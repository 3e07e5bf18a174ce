"""What the doctor is given, and how it is read."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

import psycopg
import pytest
from pydantic import SecretStr

from postgres_testing import clusters
from postgres_testing.clusters import Cluster
from store.cli import main as command_line
from store.doctor import variables
from store_testing import chains, crossmint, factories
from tests.support import stores

ROOT = Path(__file__).parents[3]
DATABASE = ROOT / "db"
RING = "0f" * 32
PASSWORD = "only for these tests"  # noqa: S105
KEY = chains.sui_private_key(bytes(range(32)))


@dataclass(frozen=True, slots=True)
class Report:
    """What was said, and how it ended."""

    code: int
    found: list[dict[str, str]]
    text: str

    def of(self, level: str) -> list[tuple[str, str]]:
        """Give what was found of a level: which check, and its message."""
        return [
            (one["check"], one["message"])
            for one in self.found
            if one["level"] == level
        ]

    def names(self, level: str, check: str, words: str) -> bool:
        """Tell whether a check of that level says these words."""
        return any(check == one and words in said for one, said in self.of(level))


Doctor: TypeAlias = Callable[..., Report]


@pytest.fixture
def doctor(
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Doctor:
    """Run the doctor in a copy of db/, with these variables beside good ones."""
    shutil.copytree(DATABASE, tmp_path / "db")
    monkeypatch.chdir(tmp_path)

    def run(**given: str | None) -> Report:
        good = {
            "DATABASE_URL": database_url,
            "WALLET_ENCRYPTION_KEYS": RING,
            "CROSSMINT_WEBHOOK_SECRETS": crossmint.SECRET,
        }
        for name in {*os.environ} & {*variables.NAMES}:
            monkeypatch.delenv(name)
        for name, value in (good | given).items():
            if value is not None:
                monkeypatch.setenv(name, value)
        capsys.readouterr()
        code = command_line.main(["doctor", "--json"])
        said = capsys.readouterr()
        hidden = {
            *(good | given).values(),
            *(urlsplit(url).password for url in (database_url,)),
            KEY,
        } - {None, "", "0", "no", "yes"}
        assert not [one for one in hidden if one and one in said.out + said.err]
        return Report(code, json.loads(said.out)["checks"], said.err)

    return run


@pytest.fixture
def encrypted(database_url: str, conn: psycopg.Connection) -> None:
    """Have a wallet's key that the ring has encrypted."""
    user_id = factories.add_user(conn)
    with stores.opened(database_url, wallet_encryption_keys=RING) as store:
        store.set_sui_private_key(user_id, SecretStr(KEY))


@pytest.fixture(scope="module")
def cluster() -> Generator[Cluster]:
    """Give a server that keeps what it promises."""
    with clusters.start(fsync="on") as started:
        yield started
