"""A token gives its secret back to its own row, column and ring, and to no other."""

import base64
import traceback
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import assume, example, given
from hypothesis import strategies as st
from pydantic import SecretStr

from store import errors
from store.encryption import SUI_PRIVATE_KEY, KeyRing, is_legacy_token, is_token
from store_testing import wallets

KEYS = [bytes([number]) * 32 for number in range(1, 5)]
USER = UUID("0b5be4a4-8a0c-4e0e-9c1d-6f3c7f9f0a11")

secrets = st.text(st.characters(exclude_categories=["Cs"]), max_size=80).map(SecretStr)
rings = st.lists(st.sampled_from(KEYS), min_size=1, max_size=4, unique=True)
columns = st.sampled_from([SUI_PRIVATE_KEY, "email"])


def decrypts(ring: KeyRing, token: str, user_id: UUID = USER) -> bool:
    """Whether the ring decrypts a token in this user's row."""
    try:
        ring.decrypt(token, user_id, SUI_PRIVATE_KEY)
    except errors.Undecryptable:
        return False
    return True


@given(secrets, st.uuids(), columns, rings)
def test_what_is_encrypted_comes_back(
    secret: SecretStr, user_id: UUID, column: str, keys: list[bytes]
) -> None:
    """Any text comes back from its token."""
    ring = KeyRing(keys)
    assert (
        ring.decrypt(ring.encrypt(secret, user_id, column), user_id, column) == secret
    )


@given(secrets, rings, rings)
def test_any_key_of_the_ring_decrypts(
    secret: SecretStr, before: list[bytes], after: list[bytes]
) -> None:
    """The first key encrypts; a ring with that key at any place decrypts, no other."""
    token = KeyRing(before).encrypt(secret, USER, SUI_PRIVATE_KEY)
    ring = KeyRing(after)
    assert decrypts(ring, token) == (before[0] in after)
    assert token.startswith(ring.prefix) == (before[0] == after[0])


@given(st.uuids(), st.uuids(), columns, columns)
def test_a_token_is_bound_to_its_place(
    user_id: UUID, other_id: UUID, column: str, other_column: str
) -> None:
    """Copied to another user or column a token does not decrypt."""
    assume((user_id, column) != (other_id, other_column))
    ring = KeyRing(KEYS)
    token = ring.encrypt(SecretStr("secret"), user_id, column)
    with pytest.raises(errors.Undecryptable):
        ring.decrypt(token, other_id, other_column)


@given(st.data())
def test_a_changed_token_does_not_decrypt(data: st.DataObject) -> None:
    """Another character anywhere, also one that hex reads alike, is noticed."""
    ring = KeyRing(KEYS)
    token = ring.encrypt(SecretStr("secret"), USER, SUI_PRIVATE_KEY)
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(
        st.characters(codec="ascii") | st.sampled_from("0123456789abcdef.")
    )
    for changed in (
        token[:place] + other + token[place + 1 :],
        token[:place] + token[place].upper() + token[place + 1 :],
        token[:place] + other + token[place:],
        token[:place],
        token[place + 1 :],
        token + other,
    ):
        assert decrypts(ring, changed) == (changed == token)


def test_the_key_id_is_bound_too() -> None:
    """A token that names another key of the ring does not decrypt."""
    ring, other = KeyRing(KEYS), KeyRing(KEYS[1:])
    token = ring.encrypt(SecretStr("secret"), USER, SUI_PRIVATE_KEY)
    assert not decrypts(ring, token.replace(ring.prefix, other.prefix))


def test_an_old_token_still_decrypts() -> None:
    """A token that was written once decrypts as long as its key is in the ring."""
    old = (
        "v1.72cd6e8422c407fb.000000000000000000000000"
        "cc50fbae104fc33511bc73c36094575ea62e66c70c9d"
    )
    assert KeyRing(KEYS).decrypt(old, USER, SUI_PRIVATE_KEY) == SecretStr("secret")


@given(st.text())
@example("")
@example("v1.")
@example("secret")
@example("enc:v2:0123456789abcdef:AAAA")
@example("v2.72cd6e8422c407fb." + "00" * 40)
@example("v1.72cd6e8422c407fb." + "00" * 27)
@example("v1.72cd6e8422c407fb." + "00" * 28 + "0")
def test_a_foreign_token_does_not_decrypt(token: str) -> None:
    """What is none of ours raises the same error as a token that was changed."""
    assert not decrypts(KeyRing(KEYS), token)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=80), rings, st.data())
def test_the_old_backend_s_tokens_decrypt_by_any_key_of_the_ring(
    secret: str, keys: list[bytes], data: st.DataObject
) -> None:
    """They name neither key, user nor column, so every key is tried, in any row."""
    key = data.draw(st.sampled_from(KEYS))
    token = wallets.legacy_token(secret, key)
    assert is_legacy_token(token)
    assert not is_token(token)
    ring, user_id = KeyRing(keys), data.draw(st.uuids())
    if key in keys:
        found = ring.decrypt(token, user_id, SUI_PRIVATE_KEY)
        assert found == SecretStr(secret)
    else:
        assert not decrypts(ring, token, user_id)


def test_a_token_that_node_encrypted_decrypts() -> None:
    """What node's own crypto has made in the old backend's layout."""
    made = "AAECAwQFBgcICQoL18MSkoB2RCUPkSXd61xrWcjD9lRFig=="
    assert KeyRing(KEYS).decrypt(made, USER, SUI_PRIVATE_KEY) == SecretStr("secret")


@given(st.data())
def test_a_changed_token_of_the_old_backend_does_not_decrypt(
    data: st.DataObject,
) -> None:
    """Another character anywhere, also one that base64 reads alike, is noticed."""
    token = wallets.legacy_token("secret", KEYS[0])
    assert token.endswith("==")
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    alike = digits[digits.index(token[-3]) + 1]  # differs in bits that are not read
    assert base64.b64decode(token[:-3] + alike + "==") == base64.b64decode(token)
    assert not decrypts(KeyRing(KEYS), token[:-3] + alike + "==")
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters(codec="ascii"))
    for changed in (
        token[:place] + other + token[place + 1 :],
        token[:place] + token[place].swapcase() + token[place + 1 :],
        token[:place] + other + token[place:],
        token[:place],
        token[place + 1 :],
        token + other,
    ):
        assert decrypts(KeyRing(KEYS), changed) == (changed == token)


def test_a_token_of_ours_is_none_in_the_old_backend_s_layout() -> None:
    """Whoever spells our token that way does not get rid of what binds it."""
    ring = KeyRing(KEYS)
    token = ring.encrypt(SecretStr("secret"), USER, SUI_PRIVATE_KEY)
    data = bytes.fromhex(token.removeprefix(ring.prefix))
    spelled = base64.b64encode(data[:12] + data[-16:] + data[12:-16]).decode()
    assert is_legacy_token(spelled)
    assert not decrypts(ring, spelled)


def test_equal_secrets_have_different_tokens() -> None:
    """Nonces do not repeat: neither tokens nor their nonces tell of equal secrets."""
    ring = KeyRing(KEYS)
    tokens = {ring.encrypt(SecretStr("s"), USER, SUI_PRIVATE_KEY) for _ in range(500)}
    assert len({token[len(ring.prefix) :][:24] for token in tokens}) == 500


def test_the_cipher_is_aes_256_gcm() -> None:
    """Whoever has a key can read its tokens with any implementation of AES-GCM."""
    ring = KeyRing(KEYS)
    token = ring.encrypt(SecretStr("secret"), USER, SUI_PRIVATE_KEY)
    data = bytes.fromhex(token.removeprefix(ring.prefix))
    bound = f"{ring.prefix}{USER}.{SUI_PRIVATE_KEY}".encode()
    assert AESGCM(KEYS[0]).decrypt(data[:12], data[12:], bound) == b"secret"


def test_a_ring_shows_no_key() -> None:
    """Neither the ring, nor a token, nor an error with its frames tells a secret."""
    ring = KeyRing(KEYS)
    token = ring.encrypt(SecretStr("s3cr3t"), USER, SUI_PRIVATE_KEY)
    with pytest.raises(errors.Undecryptable) as caught:
        ring.decrypt(token[:-1] + "x", USER, SUI_PRIVATE_KEY)
    assert (caught.value.user_id, caught.value.column) == (USER, SUI_PRIVATE_KEY)
    lines = traceback.TracebackException.from_exception(
        caught.value, capture_locals=True
    ).format()
    shown = "".join([repr(ring), repr(vars(ring)), token, *lines])
    for key in KEYS:
        assert key.hex() not in shown
        assert repr(key) not in shown
    assert "s3cr3t" not in shown
    assert token not in "".join(traceback.format_exception(caught.value))
