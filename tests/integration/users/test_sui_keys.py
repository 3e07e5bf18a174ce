"""Keys of wallets do not leave their column, nor come into it in the open."""

import base64
import inspect
from uuid import UUID

import psycopg
import pytest

from generated import carts, chats, deposits, models, orders, users
from generated.internal import user_steps
from store import Store, errors
from store_testing import chains


def test_a_profile_is_a_user_without_the_key(conn: psycopg.Connection) -> None:
    """The view has every column of users but the token, and whether there is one."""
    columns = (
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
    )
    table, view = (
        {name for (name,) in conn.execute(columns, [relation])}
        for relation in ("users", "user_profiles")
    )
    assert table - view == {"sui_private_key_encrypted"}
    assert view - table == {"has_sui_private_key"}


def test_no_query_but_two_gives_a_token() -> None:
    """One query gives the token of a user, and one those of all, for the rotation.

    Others may say whether there is one.
    """
    naming = {
        name.lower()
        for module in (carts, chats, deposits, orders, users, user_steps)
        for name, text in inspect.getmembers(module)
        if name.isupper()
        and "sui_private_key_encrypted"
        in str(text).replace("sui_private_key_encrypted IS NOT NULL AS", "")
    }
    writing = {"provision_wallet", "set_sui_private_key", "replace_sui_private_keys"}
    assert naming - writing == {"get_sui_private_key", "list_sui_private_keys"}
    for name in writing:
        hints = inspect.signature(getattr(user_steps, name))
        assert hints.return_annotation is int
    assert not [
        field
        for _, model in inspect.getmembers(models, inspect.isclass)
        for field in getattr(model, "__annotations__", {})
        if "encrypted" in field
    ]


KEY_IN_THE_OPEN = chains.sui_private_key(bytes(range(32)))


@pytest.mark.parametrize(
    "spelling",
    [
        KEY_IN_THE_OPEN,
        KEY_IN_THE_OPEN.upper(),
        f" {KEY_IN_THE_OPEN}\n",
        f'{{"key": "{KEY_IN_THE_OPEN}"}}',
        base64.b64encode(KEY_IN_THE_OPEN.encode()).decode(),
        KEY_IN_THE_OPEN.encode().hex(),
        bytes(range(32)).hex(),
        "0x" + bytes(range(32)).hex().upper(),
        bytes(range(33)).hex(),
        base64.b64encode(bytes(range(32))).decode(),
        base64.b64encode(bytes(range(33))).decode(),
        "film crazy soon outside stand loop subway crumble thrive popular green nuts",
    ],
)
def test_a_key_in_the_open_does_not_come_into_its_column(
    store: Store, user_id: UUID, spelling: str
) -> None:
    """The database refuses a plaintext key in each spelling of Sui's tools."""

    def set_key(conn: psycopg.Connection) -> None:
        user_steps.set_sui_private_key(conn, id=user_id, token=spelling)

    def rotate(conn: psycopg.Connection) -> None:
        user_steps.replace_sui_private_keys(
            conn, ids=[user_id], old_tokens=["v1"], new_tokens=[spelling]
        )

    def provision(conn: psycopg.Connection) -> None:
        user_steps.provision_wallet(
            conn,
            id=user_id,
            wallet_address="0x" + "1" * 64,
            crossmint_wallet_id=None,
            evm_address=None,
            token=spelling,
        )

    with store.connection() as conn:
        users.begin_wallet(conn, id=user_id)
        user_steps.set_sui_private_key(conn, id=user_id, token="v1")  # noqa: S106 - none
    for write in (set_key, rotate, provision):
        with pytest.raises(errors.InvalidValue) as refused, store.connection() as conn:
            write(conn)
        assert refused.value.constraint == "encrypted_key_is_not_plain"
        assert spelling not in str(refused.value)
