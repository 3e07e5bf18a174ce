"""The encryption of wallet keys: AES-256-GCM, under a ring of keys.

A token is `v1.KEY_ID.HEX`: nonce, ciphertext and tag. It is bound to its user and
column: copied to another one it does not decrypt.

A ring also reads the tokens of the old backend, and writes none: base64 of
nonce, tag and ciphertext. They name no key and are bound to nothing, so that one that
was copied to another user decrypts there.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

from .errors import Undecryptable

SUI_PRIVATE_KEY = "sui_private_key_encrypted"

# To be matched as a whole, so that a token has one spelling.
_TOKEN = re.compile(r"(v1\.[0-9a-f]{16}\.)([0-9a-f]{24})((?:[0-9a-f]{2}){16,})")
_NONCE_BYTES, _TAG_BYTES = 12, 16


class KeyRing:
    """Keys of 32 bytes: the first encrypts, all decrypt.

    ``prefix`` is what tokens of the first key begin with.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._ciphers = {_prefix(key): AESGCM(key) for key in keys}
        self.prefix = next(iter(self._ciphers))

    def encrypt(self, secret: SecretStr, user_id: UUID, column: str) -> str:
        """Make the token for a column of a user."""
        nonce, bound = os.urandom(12), f"{self.prefix}{user_id}.{column}".encode()
        data = self._ciphers[self.prefix].encrypt(
            nonce, secret.get_secret_value().encode(), bound
        )
        return f"{self.prefix}{(nonce + data).hex()}"

    def decrypt(self, token: str, user_id: UUID, column: str) -> SecretStr:
        """Give what the token in a column of a user holds, or raise `Undecryptable`."""
        match = _TOKEN.fullmatch(token)
        if match and (cipher := self._ciphers.get(match[1])):
            nonce, data = bytes.fromhex(match[2]), bytes.fromhex(match[3])
            bound = f"{match[1]}{user_id}.{column}".encode()
            with suppress(InvalidTag):
                return SecretStr(cipher.decrypt(nonce, data, bound).decode())
        elif legacy := _legacy(token):
            for cipher in self._ciphers.values():
                with suppress(InvalidTag, UnicodeDecodeError):
                    return SecretStr(cipher.decrypt(*legacy, None).decode())
        raise Undecryptable(user_id, column)


def is_token(text: str) -> bool:
    """Tell whether a key ring can have made it."""
    return _TOKEN.fullmatch(text) is not None


def is_legacy_token(text: str) -> bool:
    """Tell whether the old backend can have made it."""
    return _legacy(text) is not None


def _legacy(text: str) -> tuple[bytes, bytes] | None:
    """Give the nonce, and the ciphertext with its tag after it, or None."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    # In its one spelling, as the last digit before padding has bits to spare.
    if base64.b64encode(data).decode() != text or len(data) < _NONCE_BYTES + _TAG_BYTES:
        return None
    start = _NONCE_BYTES + _TAG_BYTES
    return data[:_NONCE_BYTES], data[start:] + data[_NONCE_BYTES:start]


def _prefix(key: bytes) -> str:
    return f"v1.{hashlib.sha256(key).hexdigest()[:16]}."
