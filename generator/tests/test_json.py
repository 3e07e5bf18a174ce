"""What `JsonInput` accepts can be sent: a type checker and `json.dumps` agree."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from generator.tests.sqlc import GOLDEN

JSON_TYPES = GOLDEN / "bulk" / "expected" / "json_types.py"
HERE = "generator.tests.golden.bulk.expected.json_types"
PROGRAM = """
from collections import ChainMap, OrderedDict, UserDict, UserList, defaultdict, deque
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from json_types import JsonInput, JsonValue

texts: list[str] = ["a"]
counts: dict[str, int] = {{"a": 1}}
nested: list[dict[str, list[int]]] = [{{"a": [1]}}]
ordered: OrderedDict[str, bool] = OrderedDict(a=True)
default: defaultdict[str, None] = defaultdict(None)
pair: tuple[int, str] = (1, "a")
pairs: list[tuple[int, str]] = [pair]
by_number: dict[int, dict[str, bytes]] = {{1: {{}}}}
came: JsonValue = None


def send(value: JsonInput) -> None: ...


def mapping() -> Mapping[str, int]:
    return counts


def parts() -> Sequence[dict[str, str]]:
    return []


send({value})
"""
ACCEPTED = [
    "texts",
    "counts",
    "nested",
    "ordered",
    "default",
    "pair",
    "pairs",
    "came",
    '{"a": [1, None, {"b": ()}]}',
    "[]",
    "True",
    "1.5",
    "None",
]
REFUSED = [
    "b'a'",
    "{1}",
    "range(2)",
    "deque(texts)",
    "UserList(texts)",
    "UserDict(counts)",
    "ChainMap(counts)",
    "MappingProxyType(counts)",
    "bytearray(b'a')",
    "iter(texts)",
    "object()",
    "{1: b'a'}",
    "[b'a']",
    "{'a': b'a'}",
    "[{'a': [b'a']}]",
    "(b'a',)",
]
# What might be a dict or a list, but need not.
UNCERTAIN = ["mapping()", "parts()", "by_number"]


def _errors(folder: Path, checker: str) -> set[str]:
    """Name the programs that a type checker, in strict mode, finds fault with."""
    command = {
        "mypy": ("mypy", "--strict", "."),
        "pyright": ("pyright", "--pythonpath", sys.executable),
    }[checker]
    ran = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stderr == ""
    lines = [line for line in ran.stdout.splitlines() if "error" in line]
    return {Path(line.split(":")[0].strip()).name for line in lines if ".py:" in line}


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with a program for each value, and the generated module."""
    folder = tmp_path_factory.mktemp("json")
    (folder / "json_types.py").write_text(JSON_TYPES.read_text("utf-8"), "utf-8")
    (folder / "pyrightconfig.json").write_text('{"typeCheckingMode": "basic"}')
    for number, value in enumerate((*ACCEPTED, *REFUSED, *UNCERTAIN)):
        (folder / f"p{number:02}.py").write_text(PROGRAM.format(value=value))
    return folder


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_checkers_know_what_json_takes(checker: str, programs: Path) -> None:
    """Lists, dicts and tuples of anything fit, subclasses too, and nothing else."""
    total = len((*ACCEPTED, *REFUSED, *UNCERTAIN))
    wrong = {f"p{number:02}.py" for number in range(len(ACCEPTED), total)}
    assert _errors(programs, checker) == wrong


@pytest.mark.parametrize("value", [*ACCEPTED, *REFUSED])
def test_json_takes_what_checkers_accept(value: str) -> None:
    """`json.dumps` takes each accepted value, and each refused one it does not."""
    names: dict[str, object] = {}
    exec(PROGRAM.format(value="None").replace("json_types", HERE), names)  # noqa: S102 - our own
    refused = value in REFUSED
    try:
        json.dumps(eval(value, names))  # noqa: S307 - our own
    except TypeError:
        assert refused
    else:
        assert not refused
