"""Products, and what happens to them in the cart objects of Sui."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import pydantic
from pydantic import AfterValidator

from .addresses import sui_address, sui_digest, sui_object_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """What a cart item is; ``price`` is in USD cents."""

    product_id: str
    product_name: str
    price: int
    image: str | None = None
    product_url: str | None = None
    size: str | None = None
    color: str | None = None
    retailer: str | None = None


class ChainEvent(pydantic.BaseModel, frozen=True, hide_input_in_errors=True):
    """One event of a cart object, in Sui's words; ids and addresses in any form.

    `added` events have a ``product``.

    Raises:
        Malformed: an id or address is none.
        pydantic.ValidationError: of another field, or a time without its zone.
    """

    tx_digest: Annotated[str, AfterValidator(sui_digest)]
    event_sequence: int
    type: Literal["added", "removed", "checked_out"]
    object_id: Annotated[str, AfterValidator(sui_object_id)]
    wallet_address: Annotated[str, AfterValidator(sui_address)]
    occurred_at: pydantic.AwareDatetime
    product: Product | None = None
