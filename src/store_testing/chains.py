"""What the chains' own tools write: base58, Sui's private keys, pages of its events."""

import base64
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

__all__ = [
    "FIRST",
    "base58",
    "digest",
    "happened",
    "item_id",
    "page",
    "sui_private_key",
    "sui_seed",
    "wallet",
]

# When the first of these events happened.
FIRST = datetime(2026, 1, 1, tzinfo=UTC)

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_PREFIX = "suiprivkey"


def base58(data: bytes) -> str:
    """Spell bytes in base58, as Sui spells digests."""
    number, text = int.from_bytes(data), ""
    while number:
        number, digit = divmod(number, 58)
        text = _BASE58[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def digest(*numbers: int) -> str:
    """Give a transaction's digest, another one for each few small numbers."""
    return base58(bytes([1, *numbers]).ljust(32, b"\0"))


def item_id(number: int) -> str:
    """Give a UUID text as the backend makes them for items; sorts as the number."""
    return f"{number:08x}-1c5b-4d6e-9f30-3a2b1c0d9e8f"


def wallet(number: int) -> str:
    """Give the address of a wallet."""
    return f"0x{number:064x}"


def happened(
    name: str,
    owner: str,
    item: str | None = None,
    *,
    tx: str,
    sequence: int = 0,
    at: datetime | None = FIRST,
    **fields: Any,  # noqa: ANN401 - whatever JSON a node may send
) -> dict[str, Any]:
    """Make an event of the contract's module `cart` as a node's `queryEvents` has it.

    `CartCreated` names no item; the others repeat the product, with a price as text and
    empty texts for what was not given. `OrderCreated` takes ``order_id``, too.
    """
    package = "0x8f5c2f1d0c7e4a1b9d3e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4"
    product = {
        "product_id": "B01",
        "product_name": "Notebook",
        "price": "1490",
        "image": "",
        "size": "",
        "color": "",
        "product_url": "",
        "retailer": "",
    }
    said = {"owner": owner}
    if item is not None:
        said |= {"item_id": item} | product | fields
    event = {
        "id": {"txDigest": tx, "eventSeq": str(sequence)},
        "packageId": package,
        "transactionModule": "cart",
        "sender": "0x" + "5e" * 32,
        "type": f"{package}::cart::{name}",
        "parsedJson": said,
        "bcsEncoding": "base64",
        "bcs": base64.b64encode(tx.encode()).decode(),
    }
    if at is not None:
        milliseconds = (at - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(
            milliseconds=1
        )
        event["timestampMs"] = str(int(milliseconds))
    return event


def page(
    events: Sequence[object],
    following: tuple[str, str] | None = None,
    *,
    more: bool = False,
) -> dict[str, Any]:
    """Make a page of events, with the cursor of the one that follows."""
    cursor = following and {"txDigest": following[0], "eventSeq": following[1]}
    return {"data": [*events], "nextCursor": cursor, "hasNextPage": more}


def sui_private_key(seed: bytes, scheme: int = 0) -> str:
    """Spell a private key of 32 bytes; scheme 0 is Ed25519."""
    number = int.from_bytes(bytes([scheme]) + seed) << 1
    values = [number >> 5 * place & 31 for place in reversed(range(53))]
    expanded = [ord(each) >> 5 for each in _PREFIX]
    expanded += [0, *(ord(each) & 31 for each in _PREFIX)]
    checksum = _remainder([*expanded, *values, 0, 0, 0, 0, 0, 0]) ^ 1
    values += [checksum >> 5 * place & 31 for place in reversed(range(6))]
    return f"{_PREFIX}1" + "".join(_BECH32[value] for value in values)


def sui_seed(key: str) -> bytes:
    """Read the 32 bytes of a private key."""
    number = 0
    for character in key[len(_PREFIX) + 1 : -6]:
        number = number << 5 | _BECH32.index(character)
    return (number >> 1).to_bytes(33)[1:]


def _remainder(values: list[int]) -> int:
    """Divide by bech32's polynomial over GF(32), as BIP 173 has it."""
    remainder = 1
    for value in values:
        top = remainder >> 25
        remainder = (remainder & 0x1FFFFFF) << 5 ^ value
        for place, term in enumerate(
            (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
        ):
            if top >> place & 1:
                remainder ^= term
    return remainder
