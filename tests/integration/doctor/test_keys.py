"""Wallet keys are tried, and whatever is looked at is left alone."""

from __future__ import annotations

import psycopg
import pytest

from store_testing import factories, wallets

from .conftest import KEY, RING, Doctor


@pytest.mark.usefixtures("encrypted")
def test_wallet_keys_that_decrypt_are_fine(doctor: Doctor) -> None:
    """The ring that encrypted them reads them."""
    assert doctor().names("ok", "wallet keys", "1 of 1 looked at decrypt")


@pytest.mark.usefixtures("encrypted")
def test_a_ring_that_does_not_fit_is_named(doctor: Doctor) -> None:
    """A key that is lost is found before a user needs it."""
    report = doctor(WALLET_ENCRYPTION_KEYS="a0" * 32)
    assert report.names("wrong", "wallet keys", "1 of 1 looked at do not decrypt")
    report = doctor(WALLET_ENCRYPTION_KEYS=None)
    assert report.names("wrong", "wallet keys", "WALLET_ENCRYPTION_KEYS is not set")


def test_keys_of_the_old_backend_are_counted(
    doctor: Doctor, conn: psycopg.Connection
) -> None:
    """They decrypt, and are bound to nobody until a rotation."""
    factories.add_user(conn)
    token = wallets.legacy_token(KEY, bytes.fromhex(RING))
    conn.execute("UPDATE users SET sui_private_key_encrypted = %s", [token])
    report = doctor()
    assert report.names("ok", "wallet keys", "1 of 1 looked at decrypt")
    assert report.names("notice", "wallet keys", "bound to no user")


# What it leaves alone


def test_a_look_that_would_wait_is_given_up(
    doctor: Doctor, conn: psycopg.Connection
) -> None:
    """Behind somebody's lock it does not queue; all else is looked at."""
    with conn.transaction():
        conn.execute("LOCK users IN ACCESS EXCLUSIVE MODE")
        report = doctor()
    assert report.names("unseen", "wallet keys", "lock timeout")
    assert report.names("ok", "indexes", "none is INVALID")
    assert report.code == 2


@pytest.mark.usefixtures("encrypted")
def test_each_look_only_reads(doctor: Doctor, conn: psycopg.Connection) -> None:
    """Its transactions are such as can change nothing, on any server."""
    conn.execute("ALTER TABLE users RENAME TO users_kept")
    conn.execute(
        "CREATE VIEW users AS SELECT * FROM users_kept"
        " WHERE current_setting('transaction_read_only') = 'on'"
    )
    assert doctor().names("ok", "wallet keys", "1 of 1 looked at decrypt")
