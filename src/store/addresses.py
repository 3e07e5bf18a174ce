"""Addresses, ids, hashes and keys of Sui and EVM chains: checked, in their one form.

A text that is none raises `InvalidValue`, which does not show it.
"""

from __future__ import annotations

import re
from functools import partial, reduce

from .errors import InvalidValue

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH32_TERMS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKSUM_OF_PREFIX = 0x66D0F66  # of "suiprivkey"


def _hex(
    kind: str, fewest: int, most: int, text: str, *, place: str | None = None
) -> str:
    if not re.fullmatch(f"0[xX][0-9a-fA-F]{{{fewest},{most}}}", text):
        raise InvalidValue(kind, place=place)
    return "0x" + text[2:].lower().zfill(most)


# Lower-case and in full length. The checksum in an EVM address's capitals is not read.
# `place` is the parameter that the error names.
sui_address = partial(_hex, "a Sui address", 1, 64)
sui_object_id = partial(_hex, "a Sui object id", 1, 64)
evm_address = partial(_hex, "an EVM address", 40, 40)
evm_transaction_hash = partial(_hex, "an EVM transaction hash", 64, 64)


def on_chain_object_id(text: str, *, place: str | None = None) -> str:
    """Give the one form of an item's name on chain.

    The cart's contract names items by UUID texts; an object id of Sui is valid, too.
    """
    if re.fullmatch("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text):
        return text.lower()
    try:
        return sui_object_id(text)
    except InvalidValue:
        raise InvalidValue("a UUID or a Sui object id", place=place) from None


def sui_digest(text: str, *, place: str | None = None) -> str:
    """Give the text as it is, case included, if it is base58 of 32 bytes."""
    if re.fullmatch(f"[{_BASE58}]{{32,44}}", text):
        number = reduce(lambda sum_, each: sum_ * 58 + _BASE58.index(each), text, 0)
        zeros = len(text) - len(text.lstrip("1"))
        if zeros + (number.bit_length() + 7) // 8 == 32:  # noqa: PLR2004 - bytes
            return text
    raise InvalidValue("a Sui digest", place=place)


def sui_private_key_is_sound(text: str) -> bool:
    """Tell whether it is `suiprivkey1…`, 33 bytes in bech32 with the right checksum."""
    if not re.fullmatch(f"suiprivkey1[{_BECH32}]{{59}}", text):
        return False
    checksum = _CHECKSUM_OF_PREFIX
    for value in map(_BECH32.index, text[11:]):
        top, checksum = checksum >> 25, (checksum & 0x1FFFFFF) << 5 ^ value
        for bit, term in enumerate(_BECH32_TERMS):
            checksum ^= term * (top >> bit & 1)
    return checksum == 1
