"""Texts of the chains have one form, and what is none of them is refused unseen."""

import hashlib
from collections.abc import Callable
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import example, given
from hypothesis import strategies as st

from store import addresses, errors
from store_testing import chains

Normalise = Callable[[str], str]

# Published with Sui's SDK as a test vector, and the address of that key.
SUI_KEY = "suiprivkey1qrwsjvr6gwaxmsvxk4cfun99ra8uwxg3c9pl0nhle7xxpe4s80y05ctazer"
SUI_ADDRESS = "0xa2d14fad60c56049ecf75246a481934691214ce413e6a8ae2fe6834c173a6133"

PADDED: list[Normalise] = [
    addresses.sui_address,
    addresses.sui_object_id,
    addresses.on_chain_object_id,
]
EXACT: list[tuple[Normalise, int]] = [
    (addresses.evm_address, 40),
    (addresses.evm_transaction_hash, 64),
]
ALL: list[Normalise] = [*PADDED, *(each for each, _ in EXACT), addresses.sui_digest]

hex_digits = "0123456789abcdefABCDEF"
prefixes = st.sampled_from(["0x", "0X"])


def refuses(normalise: Normalise, text: str) -> bool:
    """Whether the text is refused, with the same error as any other text."""
    try:
        normalise(text)
    except errors.InvalidValue as error:
        shown = repr(error), error.expected
    else:
        return False
    with pytest.raises(errors.InvalidValue) as another:
        normalise("")
    assert shown == (repr(another.value), another.value.expected)
    return True


@pytest.mark.parametrize("normalise", PADDED)
@given(prefix=prefixes, digits=st.text(hex_digits, min_size=1, max_size=64))
def test_sui_addresses_are_padded(
    normalise: Normalise, prefix: str, digits: str
) -> None:
    """Forms of one number have one form, of 66 characters in lower case."""
    normal = normalise(prefix + digits)
    assert normal == f"0x{int(digits, 16):064x}"
    assert normalise(normal) == normal


@given(number=st.uuids(), upper=st.booleans())
def test_an_item_on_chain_is_named_by_a_uuid_text(number: UUID, upper: bool) -> None:
    """A UUID is read with its hyphens in place, and spelled in lower case."""
    text = str(number)
    assert addresses.on_chain_object_id(text.upper() if upper else text) == text
    for other in (
        number.hex,
        f"{{{text}}}",
        f"urn:uuid:{text}",
        f"{text}\n",
        text[:-1],
    ):
        assert refuses(addresses.on_chain_object_id, other)


@pytest.mark.parametrize(("normalise", "length"), EXACT)
@given(prefix=prefixes, data=st.data())
def test_evm_texts_become_lower_case(
    normalise: Normalise, length: int, prefix: str, data: st.DataObject
) -> None:
    """Case is dropped, nothing else."""
    digits = data.draw(st.text(hex_digits, min_size=length, max_size=length))
    assert normalise(prefix + digits) == f"0x{digits.lower()}"


@pytest.mark.parametrize("normalise", PADDED)
@given(digits=st.text(hex_digits, min_size=65, max_size=80))
def test_a_sui_address_has_no_more_than_64_digits(
    normalise: Normalise, digits: str
) -> None:
    """More digits are refused, leading zeros included."""
    assert refuses(normalise, f"0x{digits}")
    assert refuses(normalise, "0x")


@pytest.mark.parametrize(("normalise", "length"), EXACT)
@given(digits=st.text(hex_digits, max_size=80))
@example("0" * 39)
@example("0" * 41)
@example("0" * 63)
@example("0" * 65)
def test_an_evm_text_has_its_length(
    normalise: Normalise, length: int, digits: str
) -> None:
    """Nothing is padded or cut off."""
    assert refuses(normalise, f"0x{digits}") == (len(digits) != length)


@pytest.mark.parametrize("normalise", ALL)
@given(text=st.text(max_size=80))
@example("0x" + "0" * 63 + "g")
@example("0x" + "0" * 63 + "\n")
@example(" 0x" + "0" * 64)
@example("0x" + "٣" * 64)
@example("0" * 64)
@example("0x-1")
def test_other_texts_are_refused(normalise: Normalise, text: str) -> None:
    """What is accepted comes out in ASCII, and comes out the same again."""
    if not refuses(normalise, text):
        assert text.isascii()
        assert normalise(normalise(text)) == normalise(text)
        assert text == text.strip()
        assert normalise is addresses.sui_digest or text.lower().startswith("0x")


@given(st.binary(min_size=32, max_size=32))
@example(bytes(32))
@example(bytes(31) + b"\1")
@example(b"\xff" * 32)
def test_a_digest_of_32_bytes_stays_as_it_is(digest: bytes) -> None:
    """Every digest is accepted, in its own case."""
    text = chains.base58(digest)
    assert addresses.sui_digest(text) == text


@given(st.binary(max_size=40).filter(lambda data: len(data) != 32))
@example(bytes(33))
@example(bytes(31))
@example(b"\xff" * 33)
@example(b"\xff" * 31)
@example(b"\0" + b"\xff" * 32)
def test_a_digest_of_other_length_is_refused(digest: bytes) -> None:
    """Fewer and more bytes are refused, also where the text's length would do."""
    assert refuses(addresses.sui_digest, chains.base58(digest))


def test_a_digest_of_too_great_a_number_is_refused() -> None:
    """44 characters of base58 can spell more than 32 bytes."""
    assert refuses(addresses.sui_digest, "z" * 44)


@pytest.mark.parametrize("odd", ["0", "O", "I", "l", "\n"])
def test_a_digest_has_no_ambiguous_characters(odd: str) -> None:
    """What base58 leaves out is refused."""
    assert refuses(addresses.sui_digest, "1" * 31 + odd)


def test_the_published_key_is_sound() -> None:
    """Ours is the format that Sui's own tools write: a scheme and an Ed25519 seed."""
    assert addresses.sui_private_key_is_sound(SUI_KEY)
    assert chains.sui_private_key(chains.sui_seed(SUI_KEY)) == SUI_KEY
    key = Ed25519PrivateKey.from_private_bytes(chains.sui_seed(SUI_KEY))
    public = key.public_key().public_bytes_raw()
    address = hashlib.blake2b(b"\0" + public, digest_size=32).hexdigest()
    assert f"0x{address}" == SUI_ADDRESS


@given(st.binary(min_size=32, max_size=32))
def test_every_key_is_sound(seed: bytes) -> None:
    """A key's text is accepted, whatever the key."""
    assert addresses.sui_private_key_is_sound(chains.sui_private_key(seed))


@given(
    st.binary(min_size=32, max_size=32),
    st.integers(0, 69),
    st.characters(codec="ascii"),
)
def test_a_mistyped_key_is_not_sound(seed: bytes, place: int, typo: str) -> None:
    """A key with another character anywhere is refused."""
    key = chains.sui_private_key(seed)
    mistyped = key[:place] + typo + key[place + 1 :]
    assert addresses.sui_private_key_is_sound(mistyped) == (mistyped == key)


@given(st.binary(min_size=32, max_size=32), st.integers(0, 69))
def test_a_key_of_other_length_is_not_sound(seed: bytes, place: int) -> None:
    """A key that lost or doubled a character, or its end, is refused."""
    key = chains.sui_private_key(seed)
    for other in (
        key[:place] + key[place + 1 :],
        key[:place] + key[place] + key[place:],
        key[:place],
        key + "\n",
        key.upper(),
    ):
        assert not addresses.sui_private_key_is_sound(other)
