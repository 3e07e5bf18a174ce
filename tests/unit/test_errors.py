"""Errors: each says whether to try again, can be sent elsewhere, and is listed."""

import copy
import inspect
import pickle
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from store import constraints, errors
from store.constraints import LimitReached

DOCUMENT = Path(__file__).parents[2] / "docs" / "errors.md"
CLASSES = [
    each
    for _, each in inspect.getmembers(errors, inspect.isclass)
    if issubclass(each, errors.StoreError)
]


def made(kind: type[errors.StoreError]) -> errors.StoreError:
    """Make an error, with something for whatever its constructor wants."""
    values = {
        "UUID": UUID(int=1),
        "Iterable[UUID]": [UUID(int=1), UUID(int=2)],
        "bool": True,
        "int": 1,
        "float": 1.5,
        "StoreError": errors.InvalidValue("a text"),
    }
    if kind.__init__ is errors.StoreError.__init__:
        return kind("a text")
    parameters = inspect.signature(kind).parameters.values()
    positional: list[Any] = []
    named: dict[str, Any] = {}
    for each in parameters:
        if each.kind in {each.VAR_POSITIONAL, each.VAR_KEYWORD}:
            continue
        value = values.get(str(each.annotation), "a text")
        if each.kind == each.KEYWORD_ONLY:
            named[each.name] = value
        else:
            positional.append(value)
    return kind(*positional, **named)


def told(error: errors.StoreError) -> dict[str, object]:
    """Give all that an error knows; an error in it by its text."""
    return {
        name: str(value) if isinstance(value, errors.StoreError) else value
        for name, value in vars(error).items()
    }


@pytest.mark.parametrize("kind", CLASSES)
def test_errors_can_be_pickled_and_copied(kind: type[errors.StoreError]) -> None:
    """Celery and multiprocessing send errors elsewhere: all they know comes along."""
    error = made(kind)
    error.add_note("a note")
    for again in (
        pickle.loads(pickle.dumps(error)),  # noqa: S301 - our own
        copy.copy(error),
        copy.deepcopy(error),
    ):
        assert type(again) is kind
        assert (str(again), told(again)) == (str(error), told(error))
        assert again.retryable == error.retryable


def listed() -> Iterator[tuple[str, bool]]:
    """Read the document's table: an error's name, and whether it is retryable."""
    for name, retryable in re.findall(
        r"^\| `(\w+)` \| (yes|no)\b", DOCUMENT.read_text(), re.MULTILINE
    ):
        yield name, retryable == "yes"


def test_the_document_lists_each_error() -> None:
    """docs/errors.md has every class once, with what its attribute says."""
    assert sorted(listed()) == sorted(
        (each.__name__, each.retryable) for each in CLASSES
    )


def test_the_document_s_program_answers_as_its_table() -> None:
    """What docs/errors.md has an API answer is what its table says, of each class."""
    text = DOCUMENT.read_text()
    found = re.search(r"^```python\n(.*?)^with Store", text, re.MULTILINE | re.DOTALL)
    assert found
    scope: dict[str, Any] = {}
    exec(found[1], scope)  # noqa: S102 - our own document
    rows = re.findall(r"^\| `(\w+)` \|[^|]*\| (\d+) \|", text, re.MULTILINE)
    answered = {kind.__name__: scope["status"](made(kind)) for kind in CLASSES}
    assert len(rows) > 40
    assert [(name, str(answered[name])) for name, _ in rows] == rows


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("57014", errors.StatementTimeout),
        ("55P03", errors.LockTimeout),
        ("25P04", errors.TransactionTimeout),
        ("53100", errors.DiskFull),
        ("53200", errors.OutOfMemory),
        ("53400", errors.OutOfResources),
        ("53300", errors.ServerNotReady),
        ("57P03", errors.ServerNotReady),
        ("25006", errors.ReadOnly),
        ("42P01", errors.SchemaMismatch),
        ("42703", errors.SchemaMismatch),
        ("42883", errors.SchemaMismatch),
        ("40001", errors.TransactionConflict),
        ("40P01", errors.TransactionConflict),
        ("57P01", errors.ConnectionLost),
        ("25P03", errors.ConnectionLost),
        ("0A000", errors.DatabaseError),
        ("XX000", errors.DatabaseError),
    ],
)
def test_a_state_has_its_error(state: str, kind: type[errors.DatabaseError]) -> None:
    """What the server refuses has a class by its SQLSTATE."""
    error = psycopg.errors.lookup(state)("with values in it")
    ours = constraints.translate(error)
    assert type(ours) is kind
    assert ours.sqlstate == state
    assert "values" not in str(ours)


def test_what_is_missing_names_the_remedy() -> None:
    """A schema that is behind says what to run."""
    error = constraints.translate(psycopg.errors.UndefinedTable("relation …"))
    assert "make migrate" in str(error)


HEAD = 'connection failed: connection to server at "h", port 1 failed: '


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("Connection refused", errors.ServerUnreachable, "nobody listens"),
        (
            'FATAL:  password authentication failed for user "zq"',
            errors.AccessRefused,
            "password",
        ),
        ('FATAL:  database "zq" does not exist', errors.AccessRefused, "no database"),
        ('FATAL:  role "zq" does not exist', errors.AccessRefused, "the user"),
        (
            'FATAL:  no pg_hba.conf entry for host "zq", user "zq"',
            errors.AccessRefused,
            "from here",
        ),
        (
            "FATAL:  the database system is starting up",
            errors.ServerNotReady,
            "starting",
        ),
        ("FATAL:  sorry, too many clients already", errors.ServerNotReady, "full"),
        (
            "FATAL:  remaining connection slots are reserved for zq",
            errors.ServerNotReady,
            "full",
        ),
        ("FATAL:  zq von anderswo", errors.AccessRefused, "log"),
        ("session is read-only", errors.ReadOnly, "primary"),
        ("zq", errors.ServerUnreachable, "no connection"),
    ],
)
def test_a_refused_connection_says_why(
    text: str, kind: type[errors.DatabaseError], words: str
) -> None:
    """Libpq gives a text alone; ours is another, without the names in it."""
    error = constraints.refused(psycopg.OperationalError(HEAD + text))
    assert type(error) is kind
    assert words in str(error)
    assert "zq" not in str(error)


def test_a_limit_of_our_own_has_its_error() -> None:
    """What the client ended by itself is told as what it was."""
    error = constraints.translate(LimitReached(errors.TransactionTimeout))
    assert type(error) is errors.TransactionTimeout
    assert type(constraints.refused(LimitReached(errors.StatementTimeout))) is (
        errors.ServerUnreachable
    )
