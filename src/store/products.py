"""Products, and the two names that a cart item has."""

from __future__ import annotations

from dataclasses import dataclass, fields
from uuid import UUID

from generated.models import CartItem

from . import addresses, errors

MOST_CENTS = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """What a cart item is.

    ``price`` is in USD cents, an `int` and nothing else: a price of 14.90 dollars is
    1490. An optional text that is empty is None: a size of `""` and no size would be
    two variants of one product.

    Raises:
        InvalidValue: the price is no int, or not one of 0 to 2,147,483,647.
    """

    product_id: str
    product_name: str
    price: int
    image: str | None = None
    product_url: str | None = None
    size: str | None = None
    color: str | None = None
    retailer: str | None = None

    def __post_init__(self) -> None:
        refuse_no_cents("price", self.price)
        for field in fields(self):
            if field.default is None and getattr(self, field.name) == "":
                object.__setattr__(self, field.name, None)


@dataclass(frozen=True, slots=True)
class CartAddition:
    """What an addition to a cart has led to.

    ``is_new`` is False where the variant was in the cart already: ``item`` is that one.
    """

    item: CartItem
    is_new: bool


@dataclass(frozen=True, slots=True)
class ItemName:
    """A cart item as callers name it, to be looked up in both columns.

    A UUID may be either: the chain's contract names its items so, too.
    """

    id: UUID | None
    on_chain_object_id: str | None

    @classmethod
    def of(cls, name: UUID | str, place: str) -> ItemName:
        """Read a name: the row's id, or the item's on chain; ``place`` is its place.

        Raises:
            InvalidValue: it is neither.
        """
        if isinstance(name, UUID):
            return cls(name, str(name))
        on_chain = addresses.on_chain_object_id(name, place=place)
        try:
            return cls(UUID(on_chain), on_chain)
        except ValueError:
            return cls(None, on_chain)

    def names(self, row_id: UUID | None, on_chain_object_id: str | None) -> bool:
        """Tell whether a row with these two is meant."""
        return (self.id is not None and self.id == row_id) or (
            self.on_chain_object_id is not None
            and self.on_chain_object_id == on_chain_object_id
        )


def refuse_no_cents(field: str, value: object) -> None:
    """Refuse what is no amount of USD cents; a bool is none, though Python's is an int.

    Raises:
        InvalidValue: names the field, not the value.
    """
    if type(value) is not int or not 0 <= value <= MOST_CENTS:
        raise errors.InvalidValue(
            f"USD cents, an int of 0 to {MOST_CENTS}: 1490 for 14.90", place=field
        )
