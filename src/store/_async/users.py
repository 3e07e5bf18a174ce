"""Users: their creation, wallets, keys and end. All else of them is single queries."""

from __future__ import annotations

from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from pydantic import SecretStr

from generated.aio import users
from generated.enums import WalletStatus
from generated.internal.aio import user_steps
from generated.models import UserProfile
from store import addresses, errors
from store.encryption import SUI_PRIVATE_KEY, KeyRing

from .database import AsyncDatabase

_Connection = AsyncConnection[TupleRow]

# A statement's worth: it has a limit of time, however much a user has. With fewer, more
# statements pass over what those before them have deleted.
_ROWS_AT_ONCE = 5000
_CHATS_AT_ONCE = 1000


class AsyncUsers(AsyncDatabase):
    """The users of a store. All methods raise DatabaseError, too."""

    async def create_user(
        self, crossmint_user_id: str, *, email: str | None
    ) -> UserProfile:
        """Give the user of a Crossmint identity, and create it if there is none.

        One that is there stays as it is; nothing is written then. Of two calls at once
        one creates the user, and both return it. To find users at each request, read
        them with `get_user_by_crossmint_user_id`.

        Raises:
            InvalidValue: the identity or address is empty or too long.

        Example:
            ```python
            ann = await store.create_user("google|1017", email="ann@example.org")
            assert await store.create_user("google|1017", email=None) == ann
            ```
        """
        async with self.connection() as conn:
            while True:  # again only if the user was deleted between the two
                user = await user_steps.create_user(
                    conn, crossmint_user_id=crossmint_user_id, email=email
                )
                # As a statement of its own, this sees what the first one waited for.
                user = user or await users.get_user_by_crossmint_user_id(
                    conn, crossmint_user_id=crossmint_user_id
                )
                if user:
                    return user

    async def provision_wallet(
        self,
        user_id: UUID,
        *,
        wallet_address: str,
        key: SecretStr | None,
        crossmint_wallet_id: str | None = None,
        evm_address: str | None = None,
    ) -> UserProfile:
        """Make a pending wallet active, with all that belongs to it, in one write.

        Addresses may have any form. ``key`` (`suiprivkey1…`) is kept encrypted; None
        leaves it at what `set_sui_private_key` has kept, if anything. Of several calls
        for one user the first wins; the same one again returns the user, so it may
        follow an unknown outcome.

        Raises:
            WalletAlreadyActive: with another address or key, which stay.
            WalletNotPending: the provisioning was not begun, or was failed.
            InvalidValue: an address or the key is none, or an id too long.
            UserNotFound: there is no such user.
            ConfigurationError: WALLET_ENCRYPTION_KEYS is missing or bad.

        Example:
            ```python
            async with store.connection() as conn:
                await users.begin_wallet(conn, id=user.id)
            active = await store.provision_wallet(
                user.id,
                wallet_address="0xA11CE",
                key=SecretStr(SUI_PRIVATE_KEY),
                crossmint_wallet_id="wallet-1",
                evm_address="0x" + "AB" * 20,
            )
            assert active.wallet_address == "0x" + "a11ce".zfill(64)
            ```
        """
        sui = addresses.sui_address(wallet_address, place="wallet_address")
        evm = (
            addresses.evm_address(evm_address, place="evm_address")
            if evm_address
            else None
        )
        token = None if key is None else self._encrypted(user_id, key)

        async def work(conn: _Connection) -> UserProfile:
            won = await user_steps.provision_wallet(
                conn,
                id=user_id,
                wallet_address=sui,
                crossmint_wallet_id=crossmint_wallet_id,
                evm_address=evm,
                token=token,
            )
            user = await users.get_user(conn, id=user_id)
            if user is None:
                raise errors.UserNotFound(user_id)
            if won:
                return user
            if user.wallet_status != WalletStatus.ACTIVE:
                raise errors.WalletNotPending(user_id, user.wallet_status)
            repeated = (user.wallet_address, user.crossmint_wallet_id) == (
                sui,
                crossmint_wallet_id,
            ) and evm in {None, user.evm_address}
            if repeated and (key is None or await self._keeps(conn, user_id, key)):
                return user
            raise errors.WalletAlreadyActive(user_id)

        return await self.atomically(work)

    async def set_sui_private_key(self, user_id: UUID, key: SecretStr) -> None:
        """Keep a user's key (`suiprivkey1…`), encrypted.

        It takes the place of any before it, unless the wallet is active.

        Raises:
            WalletAlreadyActive: with another key, which stays.
            InvalidValue: it is no Sui private key.
            UserNotFound: there is no such user.
            ConfigurationError: WALLET_ENCRYPTION_KEYS is missing or bad.

        Example:
            ```python
            await store.set_sui_private_key(user.id, SecretStr(SUI_PRIVATE_KEY))
            ```
        """
        token = self._encrypted(user_id, key)

        async def work(conn: _Connection) -> None:
            if await user_steps.set_sui_private_key(conn, id=user_id, token=token):
                return
            if await users.get_user(conn, id=user_id) is None:
                raise errors.UserNotFound(user_id)
            if not await self._keeps(conn, user_id, key):
                raise errors.WalletAlreadyActive(user_id)

        await self.atomically(work)

    async def get_sui_private_key(self, user_id: UUID) -> SecretStr | None:
        """Give a user's key, or None if there is none.

        Raises:
            Undecryptable: what is stored was not encrypted for this user, by this ring.
            UserNotFound: there is no such user.
            ConfigurationError: WALLET_ENCRYPTION_KEYS is missing or bad.

        Example:
            ```python
            key = await store.get_sui_private_key(user.id)
            if key is not None:
                sign_with(key.get_secret_value())
            ```
        """
        ring = KeyRing(self.settings.wallet_keys())
        async with self.connection() as conn:
            token = await user_steps.get_sui_private_key(conn, id=user_id)
            if token is None and await users.get_user(conn, id=user_id) is None:
                raise errors.UserNotFound(user_id)
        return None if token is None else ring.decrypt(token, user_id, SUI_PRIVATE_KEY)

    async def delete_user(self, user_id: UUID) -> None:
        """Delete a user and all that is theirs, the events of their orders included.

        Raises:
            UserHasOpenOrders: an order is neither delivered nor cancelled.
            UserNotFound: there is no such user.

        Example:
            ```python
            try:
                await store.delete_user(user.id)
            except errors.UserHasOpenOrders as refused:
                print("wait for", refused.order_ids)
            ```
        """

        async def work(conn: _Connection) -> None:
            # Events on their way wait for this lock, as all do that changes orders.
            if await user_steps.lock_user(conn, id=user_id) is None:
                raise errors.UserNotFound(user_id)
            named = await user_steps.list_open_orders(
                conn, user_id=user_id, max_rows=100
            )
            if named:
                raise errors.UserHasOpenOrders(user_id, named)
            for erase_some, max_rows in (
                (user_steps.erase_orders, _ROWS_AT_ONCE),
                (user_steps.erase_cart_items, _ROWS_AT_ONCE),
                (user_steps.erase_chat_sessions, _CHATS_AT_ONCE),
            ):
                erased = max_rows
                while erased == max_rows:
                    erased = await erase_some(conn, user_id=user_id, max_rows=max_rows)
            await user_steps.erase_user(conn, id=user_id)

        await self.atomically(work)

    def _encrypted(self, user_id: UUID, key: SecretStr) -> str:
        if not addresses.sui_private_key_is_sound(key.get_secret_value()):
            raise errors.InvalidValue("a Sui private key (suiprivkey1…)", place="key")
        ring = KeyRing(self.settings.wallet_keys())
        return ring.encrypt(key, user_id, SUI_PRIVATE_KEY)

    async def _keeps(self, conn: _Connection, user_id: UUID, key: SecretStr) -> bool:
        token = await user_steps.get_sui_private_key(conn, id=user_id)
        if token is None:
            if await users.get_user(conn, id=user_id) is None:
                raise errors.UserNotFound(user_id)  # deleted since it was read
            return False
        ring = KeyRing(self.settings.wallet_keys())
        try:
            return ring.decrypt(token, user_id, SUI_PRIVATE_KEY) == key
        except errors.Undecryptable:
            return False
