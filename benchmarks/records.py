"""Rows as somebody who writes them by hand would hold them; fields in table order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID


@dataclass(slots=True)
class User:
    """A row of users."""

    id: UUID
    crossmint_user_id: str
    email: str | None
    wallet_address: str | None
    crossmint_wallet_id: str | None
    wallet_status: str
    onboarding_step: int
    display_name: str | None
    first_name: str | None
    last_name: str | None
    street: str | None
    apt: str | None
    city: str | None
    state: str | None
    zip: str | None
    country: str | None
    tops_size: str | None
    bottoms_size: str | None
    footwear_size: str | None
    evm_address: str | None
    sui_private_key_encrypted: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(slots=True)
class Order:
    """A row of orders."""

    id: UUID
    user_id: UUID
    type: str
    crossmint_order_id: str | None
    status: str
    amount_usdc: Decimal | None
    tx_hash: str | None
    payment_hash: str | None
    created_at: datetime
    checkout_id: UUID | None


@dataclass(slots=True)
class OrderItem:
    """A row of order_items."""

    id: UUID
    order_id: UUID
    cart_item_id: UUID | None
    product_id: str
    product_name: str
    price: int
    image: str | None
    product_url: str | None
    size: str | None
    color: str | None
    retailer: str | None
    on_chain_object_id: str | None
    created_at: datetime
