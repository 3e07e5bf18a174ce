"""The JSON that goes in and out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue
from pydantic.alias_generators import to_camel

from generated.enums import OrderStatus, OrderType, WalletStatus

Time = Annotated[datetime, AfterValidator(lambda time: time.astimezone(UTC))]
# Strict: pydantic takes true for 1, and JSON does not.
Price = Annotated[
    int, Field(strict=True, gt=0, le=2**31 - 1, description="In USD cents.")
]
Url = Annotated[str, Field(max_length=2048, pattern="^https?://[^ ]+$")]


class Body(BaseModel):
    """Fields are snake_case in Python and camelCase in JSON; rows are read by name."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, from_attributes=True
    )


class Session(Body):
    """What the login at Crossmint gave."""

    jwt: Annotated[str, Field(min_length=1, max_length=4000)]
    refresh_token: Annotated[str, Field(max_length=2000)] | None = None
    email: Annotated[str, Field(pattern="^[^@ ]+@[^@ ]+$", max_length=255)] | None = (
        None
    )


class Done(Body):
    """It is done."""

    success: Literal[True] = True


class Profile(Body):
    """Who is signed in."""

    user_id: UUID
    email: str | None
    wallet_address: str | None
    wallet_status: WalletStatus
    onboarding_step: int
    evm_address: str | None


class OnboardingStatus(Body):
    """How far the onboarding is."""

    step: int
    completed: bool


class StepDone(Done):
    """A step of the onboarding is done."""

    step: int


class DisplayName(Body):
    """Step 1."""

    display_name: Annotated[str, Field(min_length=1, max_length=100)]


class ShippingAddress(Body):
    """Step 2."""

    first_name: Annotated[str, Field(min_length=1, max_length=50)]
    last_name: Annotated[str, Field(min_length=1, max_length=50)]
    street: Annotated[str, Field(min_length=5, max_length=200)]
    apt: Annotated[str, Field(max_length=50)] | None = None
    country: Literal["US", "GB", "AU", "CA", "DE", "FR", "JP", "SG"]
    city: Annotated[str, Field(min_length=2, max_length=100)]
    state: Annotated[str, Field(max_length=100)] | None = None
    zip: Annotated[str, Field(min_length=3, max_length=20)]


class Sizes(Body):
    """Step 3."""

    tops_size: Literal["XXS", "XS", "S", "M", "L", "XL", "XXL"]
    bottoms_size: Annotated[str, Field(min_length=1, max_length=10)]
    footwear_size: Annotated[str, Field(min_length=1, max_length=10)]


Title = Annotated[str, Field(min_length=1, max_length=100)]


class NewChatSession(Body):
    """A conversation to be opened."""

    title: Title | None = None


class ChatSessionTitle(Body):
    """A conversation's new name."""

    title: Title


class ChatSession(Body):
    """A conversation."""

    id: UUID
    user_id: UUID
    title: str | None
    created_at: Time
    updated_at: Time


class ChatSessionPage(Body):
    """A page of conversations, and how many there are."""

    sessions: list[ChatSession]
    total: int


class ChatMessage(Body):
    """A UIMessage of the AI SDK, and when it was saved."""

    id: str
    role: str
    parts: list[dict[str, Any]]
    metadata: JsonValue = None
    created_at: Time


class WholeChatSession(ChatSession):
    """A conversation with all of its messages."""

    messages: list[ChatMessage]


class Said(Body):
    """A message as clients send it: with `parts`, or with `content`."""

    role: Literal["user", "assistant", "system", "data"]
    content: JsonValue = None
    parts: list[dict[str, JsonValue]] | None = None


class ChatRequest(Body):
    """What the AI SDK's client sends; only the last message counts."""

    messages: Annotated[list[Said], Field(min_length=1)]
    session_id: UUID | None = None


class NewCartItem(Body):
    """A product to be put into the cart."""

    product_id: Annotated[str, Field(min_length=1, max_length=255)]
    product_name: Annotated[str, Field(min_length=1, max_length=500)]
    price: Price
    image: Url
    size: Annotated[str, Field(max_length=50)] | None = None
    color: Annotated[str, Field(max_length=50)] | None = None
    product_url: Url
    retailer: Annotated[str, Field(min_length=1, max_length=255)]


class ProductSnapshot(Body):
    """A product, as it was put into the cart."""

    product_id: str
    product_name: str
    price: int
    image: str | None
    size: str | None
    color: str | None
    product_url: str | None
    retailer: str | None


class CartItem(ProductSnapshot):
    """What is in a cart."""

    id: UUID
    user_id: UUID
    created_at: Time


class Cart(Body):
    """All that is in a cart, the newest first."""

    items: list[CartItem]


class CartCreation(Body):
    """Whether the cart was made on chain, or was there."""

    created: bool
    message: str


class CartAddress(Body):
    """Where the cart is on chain."""

    cart_address: str | None
    exists: bool


class CartInfo(CartAddress):
    """Where the cart is on chain, and how much is in it."""

    item_count: int


class Checkout(Body):
    """An item to be bought, by its `id` or by its id on chain."""

    cart_item_id: Annotated[str, Field(min_length=1, max_length=100)]


class CheckedOut(Body):
    """An order, and the transaction that the user's wallet has to approve."""

    order_id: UUID
    crossmint_order_id: str
    phase: str
    serialized_transaction: str
    wallet_address: str


class Payment(Body):
    """How far the payment is."""

    status: str
    currency: str = "usdc"


class Money(Body):
    """An amount, as a decimal text."""

    amount: str
    currency: str = "usdc"


class Quote(Body):
    """What an order costs."""

    total_price: Money


class OrderSummary(Body):
    """An order or a deposit."""

    order_id: UUID
    crossmint_order_id: str
    type: OrderType
    phase: str
    status: OrderStatus
    item: ProductSnapshot | None
    payment: Payment
    quote: Quote | None
    created_at: Time


class OrderPage(Body):
    """A page of orders, and how many there are."""

    orders: list[OrderSummary]
    total: int
    page: int
    limit: int


class Deposit(Body):
    """A transaction that has paid USDC to the user's Sui wallet."""

    tx_digest: Annotated[str, Field(max_length=100)]
    nonce: Annotated[str, Field(max_length=255)]
    amount: Annotated[
        str, Field(pattern="^[0-9]{1,15}$", description="In millionths of a USDC.")
    ]
    coin_type: Annotated[str, Field(max_length=255)]


class Credited(Done):
    """A deposit that was paid into the user's wallet at Crossmint."""

    tx_digest: str
    usdc_amount: float
    usdmx_amount: str


class Received(Body):
    """A webhook was stored."""

    ok: Literal[True] = True
