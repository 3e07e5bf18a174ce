"""STAND-INS. Nothing here goes to production: each class is in another system's place.

`Crossmint` signs users in, makes wallets and orders, and sends webhooks; `Chain` is a
node of Sui's with the carts' contract on it; `Model` is a language model that follows a
script. All three keep what they know in memory, so one process serves them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import standardwebhooks
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import SecretStr

from store import Product

USDC = "0xa1ec7fc00a6f40db9693ad1415d0c193ad3906494428cf252621037bd7117e29::usdc::USDC"
"""The coin that deposits are made in."""
PAGE = 50
"""Events in a page, as a node gives at most."""


class UpstreamError(Exception):
    """Another system did not answer, or not as it should."""


class Aborted(Exception):
    """The contract refused a transaction: `full`, `no_cart` or `no_item`."""


@dataclass(frozen=True, slots=True)
class Wallet:
    """What Crossmint and the key generator make for a new user."""

    id: str
    evm_address: str
    sui_address: str
    key: SecretStr


@dataclass(frozen=True, slots=True)
class CrossmintOrder:
    """An order at Crossmint, as far as the API looks at it."""

    id: str
    phase: str
    payment: str
    total: Decimal
    transaction: str


@dataclass
class Crossmint:
    """In Crossmint's place. `is_down` has every call fail, as in an outage."""

    is_down: bool = False
    allowance: Decimal = Decimal(1000)
    _orders: dict[str, CrossmintOrder] = field(
        default_factory=dict[str, CrossmintOrder]
    )
    _funded: dict[str, Decimal] = field(default_factory=dict[str, Decimal])

    def sign_in(self, user_id: str, email: str | None, *, seconds: int = 3600) -> str:
        """Give the token of a user who has logged in at Crossmint."""
        claims = {"sub": user_id, "email": email, "exp": int(time.time()) + seconds}
        signed = f"{_encoded(b'{}')}.{_encoded(json.dumps(claims).encode())}"
        return f"{signed}.{_encoded(_signature(signed))}"

    def claims(self, token: str) -> Mapping[str, Any] | None:
        """Read a token; None if it is none of Crossmint's, or has expired."""
        signed, _, signature = token.rpartition(".")
        try:
            genuine = hmac.compare_digest(_decoded(signature), _signature(signed))
            if not genuine:
                return None
            claims: dict[str, Any] = json.loads(_decoded(signed.rpartition(".")[2]))
        except ValueError:  # what cannot be decoded was not signed here
            return None
        return claims if claims["exp"] > time.time() else None

    async def create_wallet(self) -> Wallet:
        """Make a user's two wallets: Crossmint's, and one on Sui."""
        self._answer()
        private = Ed25519PrivateKey.generate()
        public = private.public_key().public_bytes_raw()
        address = hashlib.blake2b(b"\0" + public, digest_size=32).hexdigest()
        return Wallet(
            f"wallet-{uuid4()}",
            f"0x{secrets.token_hex(20)}",
            f"0x{address}",
            SecretStr(_bech32("suiprivkey", b"\0" + private.private_bytes_raw())),
        )

    async def create_order(self, payer: str, price: int) -> CrossmintOrder:
        """Order a product of so many cents; `payment` says if there is not enough."""
        self._answer()
        total = Decimal(price) / 100
        enough = total <= self.allowance + self._funded.get(payer, Decimal(0))
        payment = "awaiting-payment" if enough else "crypto-payer-insufficient-funds"
        order = CrossmintOrder(
            str(uuid4()), "payment", payment, total, f"0x{secrets.token_hex(32)}"
        )
        self._orders[order.id] = order
        return order

    async def get_order(self, order_id: str) -> CrossmintOrder | None:
        """Read an order; None if it was made by another process of these."""
        self._answer()
        return self._orders.get(order_id)

    async def fund(self, wallet: str, amount: Decimal, *, key: str) -> None:
        """Pay into a wallet, once for each idempotency key."""
        self._answer()
        if key not in self._funded:
            self._funded[key] = amount
            self._funded[wallet] = self._funded.get(wallet, Decimal(0)) + amount

    def funded(self, wallet: str) -> Decimal:
        """Tell how much was paid into a wallet."""
        return self._funded.get(wallet, Decimal(0))

    def event(
        self, kind: str, order_id: str, secret: str
    ) -> tuple[bytes, dict[str, str]]:
        """Make the webhook of an order: a body, and headers signed as Svix signs."""
        order = self._orders[order_id]
        price = {"amount": str(order.total), "currency": "usdxm"}
        paid = {"chain": "base-sepolia", "txId": f"0x{secrets.token_hex(32)}", **price}
        event = {
            "type": kind,
            "actionId": order_id,
            "timestamp": datetime.now(UTC).isoformat(),
            "data": {
                "orderId": order_id,
                "phase": "delivery",
                "payment": {"status": "completed", "received": paid},
                "quote": {"status": "valid", "totalPrice": price},
            },
        }
        body, event_id, now = json.dumps(event), f"msg_{uuid4().hex}", datetime.now(UTC)
        signature = standardwebhooks.Webhook(secret).sign(event_id, now, body)
        return body.encode(), {
            "svix-id": event_id,
            "svix-timestamp": str(int(now.timestamp())),
            "svix-signature": signature,
        }

    def _answer(self) -> None:
        if self.is_down:
            raise UpstreamError("Crossmint does not answer")


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a deposit's transaction says on chain."""

    nonce: str
    amount: int
    receiver: str
    coin_type: str = USDC


@dataclass
class Chain:
    """In the place of a Sui node, and of the contract that keeps carts there."""

    events: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    receipts: dict[str, Receipt] = field(default_factory=dict[str, Receipt])
    _carts: dict[str, dict[str, dict[str, str]]] = field(
        default_factory=dict[str, dict[str, dict[str, str]]]
    )

    async def query_events(self, cursor: Mapping[str, str] | None) -> dict[str, Any]:
        """Give the page of events after a cursor, as `suix_queryEvents` does."""
        ids = [event["id"] for event in self.events]
        start = ids.index(cursor) + 1 if cursor else 0
        page = self.events[start : start + PAGE]
        return {
            "data": page,
            "nextCursor": page[-1]["id"] if page else cursor,
            "hasNextPage": start + PAGE < len(self.events),
        }

    async def payment_receipt(self, tx_digest: str) -> Receipt | None:
        """Look a deposit's transaction up."""
        return self.receipts.get(tx_digest)

    def pay(self, receiver: str, amount: int) -> tuple[str, Receipt]:
        """Deposit so many millionths of a USDC; give the digest and the receipt."""
        digest, receipt = new_digest(), Receipt(f"deposit_{uuid4()}", amount, receiver)
        self.receipts[digest] = receipt
        return digest, receipt

    def cart_address(self, owner: str) -> str | None:
        """Tell where the owner's cart is, if there is one."""
        digest = hashlib.sha256(owner.encode()).hexdigest()
        return f"0x{digest}" if owner in self._carts else None

    def count_items(self, owner: str) -> int:
        """Count what the owner's cart holds."""
        return len(self._carts.get(owner, {}))

    async def create_cart(self, owner: str) -> bool:
        """Make the owner's cart; False if it is there."""
        if owner in self._carts:
            return False
        self._carts[owner] = {}
        self._happened("CartCreated", owner, {})
        return True

    async def add_item(self, owner: str, item_id: str, product: Product) -> str:
        """Put a product into the cart, which holds at most 10; give the digest."""
        cart = self._cart(owner)
        if len(cart) >= 10:
            raise Aborted("full")
        cart[item_id] = {
            "item_id": item_id,
            "product_id": product.product_id,
            "product_name": product.product_name,
            "price": str(product.price),
            "image": product.image or "",
            "size": product.size or "",
            "color": product.color or "",
            "product_url": product.product_url or "",
            "retailer": product.retailer or "",
        }
        return self._happened("CartItemAdded", owner, cart[item_id])

    async def remove_item(self, owner: str, item_id: str) -> str:
        """Take an item out of the cart."""
        return self._happened("CartItemRemoved", owner, self._taken(owner, item_id))

    async def check_out(self, owner: str, item_id: str, order_id: str) -> str:
        """Turn an item of the cart into an order."""
        item = self._taken(owner, item_id)
        return self._happened("OrderCreated", owner, item | {"order_id": order_id})

    def _cart(self, owner: str) -> dict[str, dict[str, str]]:
        if owner not in self._carts:
            raise Aborted("no_cart")
        return self._carts[owner]

    def _taken(self, owner: str, item_id: str) -> dict[str, str]:
        if item := self._cart(owner).pop(item_id, None):
            return item
        raise Aborted("no_item")

    def _happened(self, name: str, owner: str, said: Mapping[str, str]) -> str:
        digest = new_digest()
        self.events.append(
            {
                "id": {"txDigest": digest, "eventSeq": "0"},
                "transactionModule": "cart",
                "type": f"0x8f5c::cart::{name}",
                "parsedJson": {"owner": owner, **said},
                "timestampMs": str(time.time_ns() // 1_000_000),
            }
        )
        return digest


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that the model wants to have called."""

    name: str
    input: dict[str, Any]


CATALOGUE = (
    Product(product_id="B01", product_name="Squared notebook", price=1490),
    Product(product_id="B02", product_name="Fountain pen", price=6900, color="black"),
    Product(product_id="B03", product_name="Running shoes", price=11900, size="42"),
)


class Model:
    """In a language model's place: it says what its script says, word by word."""

    async def pause(self) -> None:
        """Wait for the next word; a test may wait here for something."""

    async def step(
        self, messages: Sequence[Mapping[str, Any]]
    ) -> AsyncGenerator[ToolCall | str]:
        """Give the next step of an answer: a tool to call, or words."""
        asked = text_of([each for each in messages if each["role"] == "user"][-1])
        answer: list[dict[str, Any]] = []
        if messages[-1]["role"] == "assistant":
            answer = messages[-1]["parts"]
        outputs = [part["output"] for part in answer if part.get("output") is not None]
        wishes = [
            name
            for name, word in (
                ("searchProducts", ""),
                ("addToCart", "add"),
                ("viewCart", "cart"),
                ("initiateCheckout", "buy"),
            )
            if word in asked.lower()
        ]
        done = sum(part["type"].startswith("tool-") for part in answer)
        if done < len(wishes):
            await self.pause()
            yield ToolCall(wishes[done], self._input(wishes[done], asked, outputs))
            return
        for word in (f"I looked at {len(CATALOGUE)} products", " for you."):
            await self.pause()
            yield word

    def title(self, messages: Sequence[Mapping[str, Any]]) -> str:
        """Give a conversation a title of at most 50 characters."""
        return f"About: {text_of(messages[0])}"[:50]

    def _input(
        self, name: str, asked: str, outputs: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        match name:
            case "searchProducts":
                return {"query": asked}
            case "addToCart":
                return {"productId": CATALOGUE[0].product_id}
            case "initiateCheckout":
                items = [each for out in outputs for each in out.get("items", [])]
                return {"cartItemId": items[0]["id"] if items else str(uuid4())}
            case _:
                return {}


def text_of(message: Mapping[str, Any]) -> str:
    """Give a UIMessage's text."""
    return " ".join(part["text"] for part in message["parts"] if "text" in part)


def new_digest() -> str:
    """Make a transaction's digest: 32 bytes in base58."""
    alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    number, text = int.from_bytes(b"\1" + secrets.token_bytes(31)), ""
    while number:
        number, digit = divmod(number, 58)
        text = alphabet[digit] + text
    return text


# Known to all processes of these stand-ins; a real one would be Crossmint's secret.
_SIGNING_KEY = b"stand-in"


def _signature(signed: str) -> bytes:
    return hmac.digest(_SIGNING_KEY, signed.encode(), "sha256")


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _bech32(prefix: str, data: bytes) -> str:
    """Spell bytes as BIP 173 has it."""
    count = -(-len(data) * 8 // 5)
    number = int.from_bytes(data) << (count * 5 - len(data) * 8)
    values = [number >> 5 * place & 31 for place in reversed(range(count))]
    check = 1
    for value in (
        *(ord(each) >> 5 for each in prefix),
        0,
        *(ord(each) & 31 for each in prefix),
        *values,
        *[0] * 6,
    ):
        top, check = check >> 25, (check & 0x1FFFFFF) << 5 ^ value
        for place, term in enumerate(
            (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
        ):
            check ^= term if top >> place & 1 else 0
    check ^= 1
    values += [check >> 5 * place & 31 for place in reversed(range(6))]
    return f"{prefix}1" + "".join(
        "qpzry9x8gf2tvdw0s3jn54khce6mua7l"[value] for value in values
    )
