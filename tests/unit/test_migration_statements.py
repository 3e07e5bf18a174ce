"""Statements of a draft are known for what they do."""

import pytest

from store.errors import MigrationError
from store.sql import statements


def losses(up: str, down: str = "") -> list[str]:
    """Say what a migration loses."""
    return statements.losses(statements.split(up), statements.split(down))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("smallint", "integer"),
        ("integer", "bigint"),
        ("bigint", "numeric"),
        ("real", "double precision"),
        ("date", "timestamp"),
        ("varchar(5)", "varchar(6)"),
        ("varchar(5)", "varchar"),
        ("varchar(5)", "text"),
        ("integer[]", "bigint[]"),
        ("numeric(5,2)", "numeric"),
        ("numeric(5,2)", "numeric(6,2)"),
        ("numeric(5,2)", "numeric(6,3)"),
        ("timestamptz(3)", "timestamptz"),
        ("timestamptz(3)", "timestamptz(6)"),
    ],
)
def test_a_wider_type_loses_nothing_but_back(before: str, after: str) -> None:
    """A type that holds all values of another is no loss; the other way round it is."""
    up, down = (f"ALTER TABLE t ALTER COLUMN c TYPE {one}" for one in (after, before))
    assert losses(up, down) == []
    loss = "changes the type of column public.t.c, and may not hold all values"
    assert losses(down, up) == [loss]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("bigint", "double precision"),
        ("text", "integer"),
        ("integer", "numeric(4,2)"),
        ("numeric(5,2)", "numeric(5,3)"),
        ("timestamp", "timestamptz"),
        ("json", "jsonb"),
        ("integer", "bigint[]"),
        ("text", "public.status"),
    ],
)
def test_another_type_may_lose(before: str, after: str) -> None:
    """A type of which it is not known that it holds all values may lose some."""
    up, down = (f"ALTER TABLE t ALTER COLUMN c TYPE {one}" for one in (after, before))
    assert len(losses(up, down)) == 1


@pytest.mark.parametrize(
    ("statement", "loss"),
    [
        ('ALTER TABLE "a b".t DROP COLUMN c', "drops column a b.t.c"),
        ("DROP TABLE t, s.u", "drops table t"),
        ("DROP SEQUENCE public.s", "drops sequence public.s"),
        ("DROP SCHEMA s", "drops schema s"),
        ("DROP EXTENSION hstore, citext", "drops extension hstore"),
    ],
)
def test_what_is_dropped_is_lost(statement: str, loss: str) -> None:
    """Tables, columns, sequences and schemas take what they hold with them."""
    assert losses(statement)[0] == loss


def test_what_can_be_made_again_is_no_loss() -> None:
    """Objects without rows of their own can be dropped."""
    assert not losses(
        "DROP INDEX i; DROP VIEW v; DROP FUNCTION f(); DROP DOMAIN d; DROP TYPE t;"
        "DROP MATERIALIZED VIEW m; ALTER TABLE t DROP CONSTRAINT k; DROP TRIGGER g ON t"
    )


def test_what_is_computed_is_no_loss() -> None:
    """A generated column that is made anew has its values again."""
    again = "ALTER TABLE t ADD COLUMN c int GENERATED ALWAYS AS (a + 1) STORED"
    assert not losses(f"ALTER TABLE t DROP COLUMN c; {again}")
    assert losses("ALTER TABLE t DROP COLUMN c; ALTER TABLE t ADD COLUMN c int")


def test_statements_are_kept_letter_by_letter() -> None:
    """Semicolons and comments inside a statement do not split it, nor do umlauts."""
    first = "COMMENT ON TABLE t IS 'ü; -- ''x'''"
    second = "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$SELECT ';ö'$$"
    texts = [one.text for one in statements.split(f"{first};\n{second};\n")]
    assert texts == [first, second]


def test_syntax_that_sqlc_has_not_is_refused() -> None:
    """What 18 introduced would stop sqlc, which reads the migrations, too."""
    with pytest.raises(MigrationError, match=r"17's grammar, which is sqlc's"):
        statements.split(
            "CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a) VIRTUAL)"
        )
