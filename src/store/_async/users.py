"""Users: their wallets, keys and end. All else of them is single queries."""

from __future__ import annotations

from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from pydantic import SecretStr

from generated.aio import chain, users
from generated.models import User
from store import addresses, errors
from store.encryption import SUI_PRIVATE_KEY, KeyRing

from .carts import mirror
from .database import AsyncDatabase


class AsyncUsers(AsyncDatabase):
    """The users of a store. All methods raise DatabaseError, too."""

    async def set_sui_private_key(self, user_id: UUID, key: SecretStr) -> None:
        """Keep a user's key (`suiprivkey1…`), encrypted, in place of any before.

        Raises:
            Malformed: it is no Sui private key.
            UserNotFound, ConfigurationError (WALLET_ENCRYPTION_KEYS).
        """
        if not addresses.sui_private_key_is_sound(key.get_secret_value()):
            raise errors.Malformed("a Sui private key (suiprivkey1…)")
        ring = KeyRing(self.settings.wallet_keys())
        token = ring.encrypt(key, user_id, SUI_PRIVATE_KEY)
        async with self.connection() as conn:
            if not await users.set_sui_private_key(conn, id=user_id, token=token):
                raise errors.UserNotFound(user_id)

    async def get_sui_private_key(self, user_id: UUID) -> SecretStr | None:
        """Give a user's key, or None if there is none.

        Raises:
            Undecryptable: what is stored was not encrypted for this user, by this ring.
            UserNotFound, ConfigurationError (WALLET_ENCRYPTION_KEYS).
        """
        ring = KeyRing(self.settings.wallet_keys())
        async with self.connection() as conn:
            user = await users.get_user(conn, id=user_id)
        if user is None:
            raise errors.UserNotFound(user_id)
        token = user.sui_private_key_encrypted
        return None if token is None else ring.decrypt(token, user_id, SUI_PRIVATE_KEY)

    async def activate_wallet(
        self,
        user_id: UUID,
        *,
        wallet_address: str,
        crossmint_wallet_id: str | None = None,
        evm_address: str | None = None,
    ) -> User | None:
        """Make a pending wallet active; None, with nothing written, if it is not.

        Addresses may have any form; an EVM address that is not given stays as it is.
        Where carts are on chain, the user's is what came before, in one transaction.

        Raises:
            Malformed: an address is none.
        """
        sui = addresses.sui_address(wallet_address)
        evm = addresses.evm_address(evm_address) if evm_address else None

        async def work(conn: AsyncConnection[TupleRow]) -> User | None:
            on_chain = self.settings.cart_service == "onchain"
            if on_chain:  # keeps those out who record events, before the user's lock
                await chain.advance_chain_cursor(conn, checkpoint=0)
            user = await users.activate_wallet(
                conn,
                id=user_id,
                wallet_address=sui,
                crossmint_wallet_id=crossmint_wallet_id,
                evm_address=evm,
            )
            if user and on_chain:
                await mirror(conn, [user_id])
            return user

        return await self.atomically(work)

    async def delete_user(self, user_id: UUID) -> None:
        """Delete a user and all that is theirs, the events of their orders included.

        Raises:
            UserHasOpenOrders: an order is neither delivered nor cancelled.
            UserNotFound: there is no such user.
        """

        async def work(conn: AsyncConnection[TupleRow]) -> None:
            await users.lock_orders_of_user(conn, user_id=user_id)
            if await users.lock_user(conn, id=user_id) is None:
                raise errors.UserNotFound(user_id)
            named = await users.list_open_orders(conn, user_id=user_id, max_rows=100)
            if named:
                raise errors.UserHasOpenOrders(user_id, named)
            # An order that came meanwhile, cancelled, may have an event on its way.
            if not await users.try_lock_orders_of_user(conn, user_id=user_id):
                raise errors.TransactionConflict("an order's event came at this time")
            await users.erase_user(conn, id=user_id)

        await self.atomically(work)
