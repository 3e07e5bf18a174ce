"""Texts as the chains' own tools write them: base58, and Sui's private keys."""

__all__ = ["base58", "sui_private_key", "sui_seed"]

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
