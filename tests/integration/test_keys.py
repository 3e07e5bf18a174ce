"""Wallet keys leave no trace in the open, and the commands say what they find."""

import asyncio
import logging
import os
import subprocess
import traceback
from collections.abc import Callable, Generator
from typing import LiteralString, TypeAlias
from uuid import UUID

import psycopg
import pytest
from psycopg import Connection, sql
from pydantic import SecretStr

from generated import users
from generated.internal import user_steps
from store import AsyncStore, Store, errors
from store.cli import main as command_line
from store_testing import chains, factories, wallets
from tests.support import stores

OLD, NEW = "0f" * 32, "a0" * 32
KEY = chains.sui_private_key(bytes(range(32)))

Run: TypeAlias = Callable[..., tuple[int, str, str]]


@pytest.fixture
def store(database_url: str) -> Generator[Store]:
    """Give a store that encrypts with the old key."""
    with stores.opened(database_url, wallet_encryption_keys=OLD) as opened:
        yield opened


@pytest.fixture
def run(
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Run `python -m store keys …` under a ring; give code, output and complaints."""
    monkeypatch.setenv("DATABASE_URL", database_url)

    def command(*arguments: str, ring: str | None) -> tuple[int, str, str]:
        monkeypatch.delenv("WALLET_ENCRYPTION_KEYS", raising=False)
        if ring is not None:
            monkeypatch.setenv("WALLET_ENCRYPTION_KEYS", ring)
        capsys.readouterr()
        code = command_line.main(["keys", *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return command


def token_of(conn: Connection, user_id: UUID) -> str:
    """Read what is stored."""
    token = user_steps.get_sui_private_key(conn, id=user_id)
    assert token is not None
    return token


# Nothing of a key can be read


def test_the_server_never_learns_a_key(
    database_url: str, conn: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    """No statement, parameter, log line or activity on the server holds a key.

    The server is told to log every statement with its parameters, and to send that to
    the client as well.
    """
    caplog.set_level(logging.DEBUG)
    for setting in ("log_statement = 'all'", "client_min_messages = 'log'"):
        change: LiteralString = "ALTER DATABASE {} SET " + setting
        conn.execute(sql.SQL(change).format(sql.Identifier(conn.info.dbname)))
    logged: list[str] = []
    with stores.opened(database_url, wallet_encryption_keys=OLD) as store:
        with store.connection() as lent:
            user_id = factories.add_user(lent)
            lent.add_notice_handler(
                lambda notice: logged.append(
                    f"{notice.message_primary} {notice.message_detail}"
                )
            )
        store.set_sui_private_key(user_id, SecretStr(KEY))
        assert store.get_sui_private_key(user_id) == SecretStr(KEY)
        token = token_of(conn, user_id)
        activity = conn.execute("SELECT query FROM pg_stat_activity").fetchall()
    shown = f"{logged} {activity} {caplog.text}"
    assert token in shown, "the server's log does not show parameters"
    assert "set sui_private_key_encrypted" in shown.lower()
    for secret in (KEY, KEY[11:64], OLD, bytes(range(32)).hex()):
        assert secret not in shown


def test_no_error_holds_a_key(store: Store, conn: psycopg.Connection) -> None:
    """Errors, with the variables of all their frames, show neither key nor ring."""
    user_id, stranger = factories.add_user(conn), factories.add_user(conn)
    store.set_sui_private_key(user_id, SecretStr(KEY))
    token = token_of(conn, user_id)
    user_steps.set_sui_private_key(conn, id=stranger, token=token)
    key, typo = SecretStr(KEY), SecretStr(KEY[:-1])
    uses: list[tuple[type[errors.StoreError], Callable[[], object]]] = [
        (errors.InvalidValue, lambda: store.set_sui_private_key(user_id, typo)),
        (errors.UserNotFound, lambda: store.set_sui_private_key(UUID(int=0), key)),
        (errors.Undecryptable, lambda: store.get_sui_private_key(stranger)),
    ]
    for expected, use in uses:
        with pytest.raises(expected) as caught:
            use()
        frames = traceback.TracebackException.from_exception(
            caught.value, capture_locals=True
        )
        shown = "".join([repr(caught.value), *_locals_of_the_store(frames)])
        for secret in (KEY[11:60], OLD, repr(bytes.fromhex(OLD))):
            assert secret not in shown
    assert token_of(conn, user_id) == token


def _locals_of_the_store(frames: traceback.TracebackException) -> list[str]:
    own = [frame for frame in frames.stack if "/store/" in frame.filename]
    assert own
    return [str(frame.locals) for frame in own]


def test_a_key_that_is_asked_for_does_not_show_itself(
    store: Store, conn: psycopg.Connection
) -> None:
    """The key comes wrapped: printing it by accident prints stars."""
    user_id = factories.add_user(conn)
    assert store.get_sui_private_key(user_id) is None
    store.set_sui_private_key(user_id, SecretStr(KEY))
    key = store.get_sui_private_key(user_id)
    assert key is not None
    assert KEY not in f"{key} {key!r} {users.get_user(conn, id=user_id)!r}"
    assert key.get_secret_value() == KEY


def test_without_a_ring_there_is_one_line(database_url: str) -> None:
    """Who uses keys without a ring hears which variable to set."""
    with stores.opened(database_url) as store:
        uses: tuple[Callable[[], object], ...] = (
            lambda: store.get_sui_private_key(UUID(int=0)),
            lambda: store.set_sui_private_key(UUID(int=0), SecretStr(KEY)),
        )
        for use in uses:
            with pytest.raises(errors.ConfigurationError, match=r"^WALLET_ENCRY"):
                use()


def test_keys_awaited(database_url: str) -> None:
    """The store that awaits keeps keys and deletes users like the one that blocks."""
    settings = stores.settings(database_url, wallet_encryption_keys=OLD)

    async def use() -> None:
        async with AsyncStore(settings) as store:
            with psycopg.connect(database_url, autocommit=True) as conn:
                user_id = factories.add_user(conn)
            await store.set_sui_private_key(user_id, SecretStr(KEY))
            assert await store.get_sui_private_key(user_id) == SecretStr(KEY)
            await store.delete_user(user_id)
            with pytest.raises(errors.UserNotFound):
                await store.get_sui_private_key(user_id)

    asyncio.run(use())


# The commands


@pytest.fixture
def two(store: Store, conn: psycopg.Connection) -> list[UUID]:
    """Give two users with a key, and one without."""
    factories.add_user(conn)
    ids = [factories.add_user(conn), factories.add_user(conn)]
    for user_id in ids:
        store.set_sui_private_key(user_id, SecretStr(KEY))
    return ids


def test_a_key_is_retired_step_by_step(
    run: Run, conn: psycopg.Connection, two: list[UUID]
) -> None:
    """Dry run, rotation, dry run: then the old key is not needed any more."""
    before = [token_of(conn, user_id) for user_id in two]
    code, said, _ = run("rotate", "--dry-run", ring=f"{NEW},{OLD}")
    assert (code, said.splitlines()[-1]) == (1, "2 to be encrypted anew")
    assert [token_of(conn, user_id) for user_id in two] == before
    code, said, _ = run("rotate", ring=f"{NEW},{OLD}")
    assert (code, said) == (0, "visited 2, replaced 2\ndone\n")
    assert not {*before} & {token_of(conn, user_id) for user_id in two}
    code, said, _ = run("rotate", "--dry-run", ring=f"{NEW},{OLD}")
    assert (code, said.splitlines()[-1]) == (0, "0 to be encrypted anew")
    assert run("check", ring=NEW)[0] == 0
    assert run("check", ring=OLD)[0] == 1


def test_what_does_not_decrypt_is_named_and_left(
    run: Run, conn: psycopg.Connection, two: list[UUID]
) -> None:
    """Each command names the same user, exits with 1, and destroys nothing."""
    foreign = "not of this store"
    user_steps.set_sui_private_key(conn, id=two[0], token=foreign)
    for arguments in (["check"], ["rotate", "--dry-run"], ["rotate"], ["rotate"]):
        code, said, complaint = run(*arguments, ring=f"{NEW},{OLD}")
        named = [line for line in said.splitlines() if "does not decrypt" in line]
        assert named == [f"does not decrypt: user {two[0]} (of no form that is known)"]
        assert (code, complaint) == (1, "")
        assert token_of(conn, two[0]) == foreign
        assert foreign not in said
    user_steps.set_sui_private_key(conn, id=two[0], token=token_of(conn, two[1]))
    said = run("check", ring=NEW)[1]
    assert f"does not decrypt: user {two[0]}\n" in said


@pytest.mark.usefixtures("two")
def test_a_check_changes_nothing_and_may_find_older_keys(
    run: Run, conn: psycopg.Connection
) -> None:
    """That a rotation is due is no finding of a check."""
    before = conn.execute("SELECT * FROM users ORDER BY id").fetchall()
    assert run("check", ring=f"{NEW},{OLD}")[0] == 0
    assert conn.execute("SELECT * FROM users ORDER BY id").fetchall() == before


def test_what_the_old_backend_encrypted_is_read_told_and_bound(
    run: Run, conn: psycopg.Connection, database_url: str, two: list[UUID]
) -> None:
    """With its key in the ring it decrypts at once; a rotation makes it our token.

    Until then it may be copied to another user, thereafter not.
    """
    legacy = wallets.legacy_token(KEY, bytes.fromhex(OLD))
    stranger = factories.add_user(conn)
    for user_id in (two[0], stranger):
        user_steps.set_sui_private_key(conn, id=user_id, token=legacy)
    ring = f"{NEW},{OLD}"
    with stores.opened(database_url, wallet_encryption_keys=ring) as store:
        assert store.get_sui_private_key(two[0]) == SecretStr(KEY)
        assert store.get_sui_private_key(stranger) == SecretStr(KEY)
    told = "2 as the old backend wrote them: a rotation binds them"
    code, said, _ = run("check", ring=ring)
    assert (code, said.splitlines()[-1]) == (0, told)
    code, said, _ = run("rotate", "--dry-run", ring=ring)
    assert (code, said.splitlines()[-2:]) == (1, [told, "3 to be encrypted anew"])
    code, said, _ = run("check", ring=NEW)
    assert code == 1
    assert f"does not decrypt: user {stranger}\n" in said
    assert run("rotate", ring=ring)[:2] == (0, "visited 3, replaced 3\ndone\n")
    with stores.opened(database_url, wallet_encryption_keys=NEW) as store:
        assert store.get_sui_private_key(two[0]) == SecretStr(KEY)
        token = token_of(conn, two[0])
        assert token.startswith("v1.")
        user_steps.set_sui_private_key(conn, id=stranger, token=token)
        with pytest.raises(errors.Undecryptable):
            store.get_sui_private_key(stranger)


def test_a_token_of_another_secret_is_named_and_left(
    run: Run, conn: psycopg.Connection, two: list[UUID]
) -> None:
    """What decrypts, but to no Sui private key, stops no rotation."""
    other = wallets.legacy_token("0x" + "1" * 64, bytes.fromhex(OLD))
    user_steps.set_sui_private_key(conn, id=two[0], token=other)
    code, said, complaint = run("rotate", ring=f"{NEW},{OLD}")
    assert (code, complaint) == (1, "")
    assert f"does not decrypt: user {two[0]}\n" in said
    assert "replaced 1" in said
    assert token_of(conn, two[0]) == other


@pytest.mark.parametrize("arguments", [["check"], ["rotate"], ["rotate", "--dry-run"]])
def test_without_a_ring_or_database_a_command_fails(
    run: Run, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    """Exit code 2, and one line on what is missing."""
    code, said, complaint = run(*arguments, ring=None)
    assert (code, said) == (2, "")
    assert complaint.startswith("WALLET_ENCRYPTION_KEYS is not set: ")
    monkeypatch.delenv("DATABASE_URL")
    code, said, complaint = run(*arguments, ring=OLD)
    assert (code, said) == (2, "")
    assert complaint.startswith("DATABASE_URL is not set: ")


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize("target", ["keys-rotate", "keys-check"])
def test_make_runs_the_commands(database_url: str, target: str) -> None:
    """`make` passes the findings on."""
    environment = {"DATABASE_URL": database_url, "WALLET_ENCRYPTION_KEYS": NEW}
    made = subprocess.run(
        ["make", "--old-file=.venv/.ready", target],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
    )
    assert made.returncode == 2
    assert made.stdout.count("does not decrypt: user ") == 2
