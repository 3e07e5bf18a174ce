"""SQLAlchemy's ORM as its tutorial has it: models, a session, a unit of work."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import TypeAlias
from uuid import UUID, uuid4

from sqlalchemy import Enum, ForeignKey, create_engine, func, select
from sqlalchemy.ext.declarative import DeferredReflection
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    mapped_column,
    relationship,
    sessionmaker,
)

from generated.enums import MessageRole

from .carts import Cart
from .chats import Turn

_Role = Enum(
    *MessageRole, name="message_role", native_enum=False, create_constraint=False
)


class _Base(DeclarativeBase):
    """The tables' registry."""


class _Reflected(DeferredReflection, _Base):
    """A table whose columns are the database's, so that a new one is read here, too.

    Declared is what this code names, and what the database does not say of a view.
    """

    __abstract__ = True

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)


class User(_Reflected):
    """A row of user_profiles, the users without their keys."""

    __tablename__ = "user_profiles"


class CartItem(_Reflected):
    """A row of cart_items."""

    __tablename__ = "cart_items"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("user_profiles.id"))
    deleted_at: Mapped[datetime | None]


class Order(_Reflected):
    """A row of orders."""

    __tablename__ = "orders"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("user_profiles.id"))
    type: Mapped[str]
    checkout_id: Mapped[UUID | None]
    crossmint_order_id: Mapped[str | None]
    amount_usdc: Mapped[Decimal | None]
    quoted_usdc: Mapped[Decimal | None]

    item: Mapped[OrderItem] = relationship(back_populates="order")


class OrderItem(_Reflected):
    """A row of order_items."""

    __tablename__ = "order_items"

    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"))
    cart_item_id: Mapped[UUID | None] = mapped_column(ForeignKey("cart_items.id"))

    order: Mapped[Order] = relationship(back_populates="item")


class ChatMessage(_Reflected):
    """A row of chat_messages."""

    __tablename__ = "chat_messages"

    session_id: Mapped[UUID]
    role: Mapped[MessageRole] = mapped_column(_Role)
    position: Mapped[int]


class ChatSession(_Reflected):
    """A row of chat_sessions."""

    __tablename__ = "chat_sessions"

    user_id: Mapped[UUID]


Sessions: TypeAlias = "sessionmaker[Session]"


@contextmanager
def sessions(url: str) -> Generator[Sessions]:
    """Open an engine; give what makes its sessions."""
    engine = create_engine(
        url.replace("postgresql:", "postgresql+psycopg:", 1),
        pool_size=5,
        max_overflow=0,
    )
    try:
        # Once a process; again it finds all classes prepared.
        _Reflected.prepare(engine, views=True)
        yield sessionmaker(engine, expire_on_commit=False)
    finally:
        engine.dispose()


def checkout(sessions: Sessions, cart: Cart) -> object:
    """Lock the user, load the items, add orders and snapshots, mark the items."""
    with sessions.begin() as session:
        return _place(session, cart)


def get_user(sessions: Sessions, user_id: UUID) -> object:
    """Get a user by key in a session of its own."""
    with sessions() as session:
        return session.get(User, user_id)


def list_messages(sessions: Sessions, turn: Turn) -> object:
    """Read a page of a thousand messages in a session of its own."""
    page = (
        select(ChatMessage)
        .join(ChatSession, ChatMessage.session_id == ChatSession.id)
        .where(ChatSession.id == turn.session_id, ChatSession.user_id == turn.user_id)
        .where(ChatMessage.position > 0)
        .order_by(ChatMessage.position)
        .limit(1000)
    )
    with sessions() as session:
        return session.scalars(page).all()


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
    names = {*CartItem.__table__.columns.keys()} & {*OrderItem.__table__.columns.keys()}
    kept = {name: getattr(item, name) for name in names - {"id", "created_at"}}
    return OrderItem(cart_item_id=item.id, **kept)
