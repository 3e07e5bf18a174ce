"""What happened on chain, and how pages tell it."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from hypothesis import strategies as st

from store import ChainCursor
from store_testing import chains
from tests.property.mirror_model import Entry, Goods, Key, Variant

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
WALLETS = [chains.wallet(n) for n in (10, 11, 12)]
STRANGER = chains.wallet(13)
VARIANTS = [
    Variant("B01", None, None),
    Variant("B01", "M", None),
    Variant("B01", None, "red"),
]
NAMES = {
    "added": "CartItemAdded",
    "removed": "CartItemRemoved",
    "sold": "OrderCreated",
    "unknown": "CartCreated",
}
# What makes an entry unreadable, by what it is about.
ALWAYS_BAD = [("owner", "0x"), ("item_id", "x"), ("item_id", None)]
BAD_PRODUCT = [
    ("price", "-1"),
    ("price", str(2**31)),
    ("product_name", ""),
    ("size", "\0"),
    ("color", "x" * 51),
]


class Told(NamedTuple):
    """An entry of a page: what the model makes of it, and its JSON."""

    entry: Entry
    event: dict[str, Any]


@st.composite
def histories(draw: st.DrawFn) -> list[Told]:
    """Draw what happened to some items on chain: any of it may be missing or tied."""
    told: list[Told] = []
    wallets = st.sampled_from([*WALLETS, WALLETS[0], WALLETS[0], STRANGER])
    variants = st.sampled_from(draw(st.sampled_from([VARIANTS, VARIANTS[:1]])))
    numbers = st.lists(st.integers(0, 15), min_size=1, max_size=8, unique=True)
    endings = st.lists(st.sampled_from(["removed", "sold"]), max_size=2, unique=True)
    for number in draw(numbers):
        wallet, variant = draw(wallets), draw(variants)
        goods = Goods(variant, f"Object {number}", number)
        kinds = ["added", *draw(endings), *draw(st.sampled_from([[], [], ["unknown"]]))]
        for place, kind in enumerate(kinds):
            owner = wallet if draw(st.integers(0, 9)) else draw(wallets)
            shared = kind == "sold" and not draw(st.integers(0, 5))
            entry = Entry(
                key=Key(chains.digest(99 if shared else number, place), number),
                kind=kind,
                wallet=owner,
                item=chains.item_id(number),
                at=FIRST + timedelta(seconds=draw(st.integers(0, 5))),
                goods=goods,
                order_id=f"crossmint-{draw(st.integers(0, 5))}",
            )
            told.append(draw(tellings(entry)))
    return told


@st.composite
def tellings(draw: st.DrawFn, entry: Entry) -> Told:
    """Draw how an entry is told: rarely such that it cannot be read."""
    goods = entry.goods
    fields: dict[str, Any] = {
        "product_id": goods.variant.product_id,
        "product_name": goods.name,
        "price": str(goods.price),
        "size": goods.variant.size or "",
        "color": goods.variant.color or "",
    }
    if entry.kind == "sold":
        fields["order_id"] = entry.order_id
    if entry.kind != "unknown" and not draw(st.integers(0, 7)):
        with_product = [] if entry.kind == "removed" else BAD_PRODUCT
        name, value = draw(st.sampled_from([*ALWAYS_BAD, *with_product]))
        fields[name] = value
        wallet = None if name == "owner" else entry.wallet
        entry = replace(entry, is_bad=True, wallet=wallet)
    owner = fields.pop("owner", entry.wallet)
    item = None if entry.kind == "unknown" else entry.item
    event = chains.happened(
        NAMES[entry.kind],
        owner,
        item,
        tx=entry.key.tx,
        sequence=entry.key.sequence,
        at=entry.at,
        **(fields if item else {}),
    )
    return Told(entry, event)


@st.composite
def deliveries(draw: st.DrawFn, told: list[Told]) -> list[list[Told]]:
    """Draw pages that hold all the events, in any order, some of them repeatedly."""
    more = draw(st.lists(st.sampled_from(told), max_size=4))
    stream = draw(st.permutations([*told, *more]))
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=5)))
    return [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]


def page(told: Sequence[Told], place: int | None = None) -> str:
    """Make a page of these, as JSON; a place to go on from is named by a number."""
    following = None if place is None else (chains.digest(98, place), str(place))
    return json.dumps(chains.page([each.event for each in told], following))


def cursor(place: int | None) -> ChainCursor | None:
    """Give the cursor of a place."""
    if place is None:
        return None
    return ChainCursor(tx_digest=chains.digest(98, place), event_seq=str(place))


def entries(told: Sequence[Told]) -> list[Entry]:
    """Give what the model reads of these."""
    return [each.entry for each in told]
