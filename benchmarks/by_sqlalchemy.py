"""SQLAlchemy's ORM as its tutorial has it: models, a session, a unit of work."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from decimal import Decimal
from uuid import UUID, uuid4

from sqlalchemy import Engine, ForeignKey, create_engine, func, select
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    mapped_column,
    relationship,
    sessionmaker,
)

from .carts import Cart
from .contender import Work


class _Base(DeclarativeBase):
    """The tables' registry."""


class User(_Base):
    """A row of user_profiles, the users without their keys."""

    __tablename__ = "user_profiles"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    crossmint_user_id: Mapped[str]
    email: Mapped[str | None]
    wallet_address: Mapped[str | None]
    crossmint_wallet_id: Mapped[str | None]
    wallet_status: Mapped[str]
    wallet_status_since: Mapped[datetime]
    onboarding_step: Mapped[int]
    display_name: Mapped[str | None]
    first_name: Mapped[str | None]
    last_name: Mapped[str | None]
    street: Mapped[str | None]
    apt: Mapped[str | None]
    city: Mapped[str | None]
    state: Mapped[str | None]
    zip: Mapped[str | None]
    country: Mapped[str | None]
    tops_size: Mapped[str | None]
    bottoms_size: Mapped[str | None]
    footwear_size: Mapped[str | None]
    evm_address: Mapped[str | None]
    has_sui_private_key: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class CartItem(_Base):
    """A row of cart_items."""

    __tablename__ = "cart_items"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("user_profiles.id"))
    product_id: Mapped[str]
    product_name: Mapped[str]
    price: Mapped[int]
    image: Mapped[str | None]
    product_url: Mapped[str | None]
    size: Mapped[str | None]
    color: Mapped[str | None]
    retailer: Mapped[str | None]
    tx_digest: Mapped[str | None]
    on_chain_object_id: Mapped[str | None]
    deleted_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Order(_Base):
    """A row of orders."""

    __tablename__ = "orders"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("user_profiles.id"))
    type: Mapped[str]
    crossmint_order_id: Mapped[str | None]
    status: Mapped[str] = mapped_column(server_default="awaiting_approval")
    amount_usdc: Mapped[Decimal | None]
    tx_hash: Mapped[str | None]
    payment_hash: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    checkout_id: Mapped[UUID | None]
    quoted_usdc: Mapped[Decimal | None]
    received_usdc: Mapped[Decimal | None]
    settled_at: Mapped[datetime | None]
    on_chain: Mapped[bool] = mapped_column(server_default="false")
    paid_late: Mapped[bool] = mapped_column(server_default="false")

    item: Mapped[OrderItem] = relationship(back_populates="order")


class OrderItem(_Base):
    """A row of order_items."""

    __tablename__ = "order_items"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"))
    cart_item_id: Mapped[UUID | None] = mapped_column(ForeignKey("cart_items.id"))
    product_id: Mapped[str]
    product_name: Mapped[str]
    price: Mapped[int]
    image: Mapped[str | None]
    product_url: Mapped[str | None]
    size: Mapped[str | None]
    color: Mapped[str | None]
    retailer: Mapped[str | None]
    on_chain_object_id: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    order: Mapped[Order] = relationship(back_populates="item")


@asynccontextmanager
async def checkout(url: str) -> AsyncGenerator[Work]:
    """Lock the user, load the items, add orders and snapshots, mark the items."""
    with _engine(url) as engine:
        sessions = sessionmaker(engine, expire_on_commit=False)

        async def work(cart: Cart) -> object:
            with sessions.begin() as session:
                return _place(session, cart)

        yield work


@asynccontextmanager
async def read(url: str) -> AsyncGenerator[Work]:
    """Get a user by key in a session of its own."""
    with _engine(url) as engine:
        sessions = sessionmaker(engine)

        async def work(cart: Cart) -> object:
            with sessions() as session:
                return session.get(User, cart.user_id)

        yield work


@contextmanager
def _engine(url: str) -> Generator[Engine]:
    engine = create_engine(
        url.replace("postgresql:", "postgresql+psycopg:", 1),
        pool_size=5,
        max_overflow=0,
    )
    try:
        yield engine
    finally:
        engine.dispose()


def _place(session: Session, cart: Cart) -> list[Order]:
    # FOR NO KEY UPDATE
    session.get_one(User, cart.user_id, with_for_update={"key_share": True})
    wanted = select(CartItem).where(
        CartItem.id.in_(cart.item_ids),
        CartItem.user_id == cart.user_id,
        CartItem.deleted_at.is_(None),
    )
    item_by_id = {item.id: item for item in session.scalars(wanted)}
    checkout_id = uuid4()
    orders = [
        Order(
            user_id=cart.user_id,
            type="checkout",
            checkout_id=checkout_id,
            crossmint_order_id=crossmint_order_id,
            amount_usdc=amount,
            quoted_usdc=amount,
            item=_snapshot(item_by_id[item_id]),
        )
        for item_id, crossmint_order_id, amount in zip(
            cart.item_ids, cart.crossmint_order_ids, cart.amounts, strict=True
        )
    ]
    session.add_all(orders)
    for item in item_by_id.values():
        item.deleted_at = func.now()
    return orders


def _snapshot(item: CartItem) -> OrderItem:
    return OrderItem(
        cart_item_id=item.id,
        product_id=item.product_id,
        product_name=item.product_name,
        price=item.price,
        image=item.image,
        product_url=item.product_url,
        size=item.size,
        color=item.color,
        retailer=item.retailer,
        on_chain_object_id=item.on_chain_object_id,
    )
