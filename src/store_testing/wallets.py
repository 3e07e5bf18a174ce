"""Wallet keys as the old backend encrypted them, written from the layout."""

import base64
import os

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

__all__ = ["legacy_token"]


def legacy_token(secret: str, key: bytes, nonce: bytes | None = None) -> str:
    """Encrypt with AES-256-GCM: base64 of nonce (12), tag (16) and ciphertext."""
    nonce = nonce or os.urandom(12)
    encryptor = Cipher(algorithms.AES256(key), modes.GCM(nonce)).encryptor()
    data = encryptor.update(secret.encode()) + encryptor.finalize()
    return base64.b64encode(nonce + encryptor.tag + data).decode()
