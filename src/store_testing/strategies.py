"""What users and Crossmint do, from pools small enough that they collide."""

from hypothesis import strategies as st

from store import CheckoutLine, OrderEvent
from store_testing.model import Details, Item, Variant

__all__ = [
    "EVENT_TYPES",
    "amounts",
    "checkout_lines",
    "details",
    "events",
    "variants",
]

EVENT_TYPES = (
    "orders.payment.failed",
    "orders.payment.succeeded",
    "orders.delivery.initiated",
    "orders.delivery.completed",
    "orders.delivery.failed",
    "orders.quote.created",
    "orders.quote.updated",
    "orders.something.new",
)

amounts = st.none() | st.decimals("0.000001", "99999999.999999", places=6)
_hashes = st.sampled_from(["0x" + digit * 64 for digit in "abc"])

variants = st.builds(
    Variant,
    product_id=st.sampled_from(["B01", "B02"]),
    size=st.none() | st.sampled_from(["M"]),
    color=st.none() | st.just("red"),
)

_text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
_optional = st.none() | _text.map(lambda text: text[:255])

details = st.builds(
    Details,
    product_name=_text,
    price=st.integers(0, 2**31 - 1),
    image=_optional,
    product_url=_optional,
    retailer=_optional,
)


def stored(given: Details) -> Details:
    """Give the details as a cart holds them: an empty optional text is none."""
    return given._replace(
        image=given.image or None,
        product_url=given.product_url or None,
        retailer=given.retailer or None,
    )


def events(names: list[str], ids: list[str]) -> st.SearchStrategy[OrderEvent]:
    """Make events of Crossmint orders with these names, and with one of these ids."""
    return st.builds(
        OrderEvent,
        id=st.sampled_from(ids),
        type=st.sampled_from(EVENT_TYPES),
        crossmint_order_id=st.sampled_from(names),
        payment_hash=st.none() | _hashes,
        amount_usdc=amounts,
        quoted_usdc=amounts,
        received_usdc=amounts,
        payload=st.just({}),
    )


def checkout_lines(
    items: list[Item], names: list[str]
) -> st.SearchStrategy[list[CheckoutLine]]:
    """Choose some of the items, with what is known of their payment."""
    line = st.builds(
        CheckoutLine,
        cart_item_id=st.sampled_from(items).flatmap(
            lambda item: st.sampled_from(
                [item.id, str(item.id), item.on_chain_object_id or item.id]
            )
        ),
        crossmint_order_id=st.none() | st.sampled_from(names),
        amount_usdc=amounts,
    )
    differing = st.lists(
        line,
        min_size=1,
        max_size=4,
        unique_by=(lambda line: line.cart_item_id, _name_or_item),
    )
    return differing | differing | differing | st.lists(line, max_size=3)


def _name_or_item(line: CheckoutLine) -> object:
    return line.crossmint_order_id or line.cart_item_id
