"""Deposits: USDC that came to the user's Sui wallet is paid in at Crossmint."""

from __future__ import annotations

from decimal import Decimal

from fastapi import APIRouter

from generated.aio import deposits
from store import addresses

from ..bodies import Credited, Deposit
from ..problems import Problem, documented
from ..services import Serving, SignedIn
from ..standins import USDC

router = APIRouter(prefix="/api/deposit", tags=["deposit"])


@router.post("/verify", responses=documented(400, 401, 404, 409, 502))
async def verify(body: Deposit, user: SignedIn, services: Serving) -> Credited:
    """Look a transaction up on chain, record it, and pay it in, once."""
    if not (user.wallet_address and user.evm_address):
        raise Problem(400, "WALLET_NOT_PROVISIONED", "there is no wallet yet")
    if body.coin_type.lower() != USDC.lower():
        raise Problem(400, "INVALID_COIN_TYPE", "the coin is not USDC")
    digest = addresses.sui_digest(body.tx_digest, place="txDigest")
    receipt = await services.chain.payment_receipt(digest)
    if receipt is None:
        raise Problem(400, "NO_RECEIPT", "no PaymentReceipt event found")
    for name, said, found in (
        ("nonce", body.nonce, receipt.nonce),
        ("amount", int(body.amount), receipt.amount),
        ("receiver", user.wallet_address, receipt.receiver),
        ("coin type", USDC, receipt.coin_type),
    ):
        if said != found:
            code = f"{name.upper().replace(' ', '_')}_MISMATCH"
            raise Problem(400, code, f"{name} mismatch")
    amount = Decimal(receipt.amount) / 1_000_000
    recorded = await services.store.record_deposit(user.id, digest, amount)
    if recorded.deposit.settled_at is not None:
        raise Problem(409, "CONFLICT", "deposit already processed")
    # Paid once whoever asks, by its key; so what failed here may be asked for again.
    await services.crossmint.fund(user.evm_address, amount, key=digest)
    async with services.store.connection() as conn:
        if await deposits.credit_deposit(conn, tx_hash=digest) is None:
            raise Problem(409, "CONFLICT", "deposit already processed")
    return Credited(
        tx_digest=digest, usdc_amount=float(amount), usdmx_amount=f"{amount:.2f}"
    )
