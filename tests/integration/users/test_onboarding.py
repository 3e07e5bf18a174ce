"""What a user tells of itself: texts with their lengths, and an address."""

from collections.abc import Callable
from uuid import UUID, uuid4

import psycopg
import pytest
from pydantic import SecretStr

from generated import users
from store import Store, errors
from store_testing import chains
from tests.support import onboarding


@pytest.mark.parametrize("column", onboarding.FIELDS)
def test_a_text_that_is_too_long_is_refused(
    store: Store, conn: psycopg.Connection, user_id: UUID, column: str
) -> None:
    """One character more than a column takes: nothing is written, nor told."""
    for query, lengths in onboarding.STEPS:
        given = {name: onboarding.text(name, 1) for name in lengths}
        if column not in lengths:
            query(conn, id=user_id, **given)
            continue
        before = users.get_user(conn, id=user_id)
        given[column] = ("zq" * lengths[column])[: lengths[column] + 1]
        with pytest.raises(errors.InvalidValue) as refused, store.connection() as lent:
            query(lent, id=user_id, **given)
        assert refused.value.sqlstate == "22001"
        assert "zq" not in str(refused.value)
        assert users.get_user(conn, id=user_id) == before
        return


def test_a_shipping_address_may_have_no_state(
    conn: psycopg.Connection, user_id: UUID
) -> None:
    """Many countries have none; flats too are not everybody's."""
    users.set_display_name(conn, id=user_id, display_name="Ann")
    query, lengths = onboarding.STEPS[1]
    given = {name: onboarding.text(name, 1) for name in lengths}
    user = query(conn, id=user_id, **given | {"state": None, "apt": None})
    assert user is not None
    assert (user.state, user.apt, user.country) == (None, None, "US")


@pytest.mark.parametrize("country", ["us", "U", "", "U1", "  ", "ÄÖ"])
def test_a_country_is_two_capital_letters(
    store: Store, conn: psycopg.Connection, user_id: UUID, country: str
) -> None:
    """What is no ISO 3166-1 alpha-2 code by its form is refused."""
    users.set_display_name(conn, id=user_id, display_name="Ann")
    query, lengths = onboarding.STEPS[1]
    given = {name: onboarding.text(name, 1) for name in lengths}
    with pytest.raises(errors.InvalidValue) as refused, store.connection() as lent:
        query(lent, id=user_id, **given | {"country": country})
    assert refused.value.constraint == "country_code_is_two_letters"


def test_nobody_is_found_under_an_unknown_id(store: Store) -> None:
    """Queries return nothing, methods raise UserNotFound with the id."""
    nobody = uuid4()
    key = SecretStr(chains.sui_private_key(bytes(32)))
    uses: tuple[Callable[[], object], ...] = (
        lambda: store.delete_user(nobody),
        lambda: store.get_sui_private_key(nobody),
        lambda: store.set_sui_private_key(nobody, key),
        lambda: store.provision_wallet(nobody, wallet_address="0x1", key=None),
    )
    for use in uses:
        with pytest.raises(errors.UserNotFound) as refused:
            use()
        assert refused.value.user_id == nobody
    with store.connection() as conn:
        assert users.get_user(conn, id=nobody) is None
        assert users.set_display_name(conn, id=nobody, display_name="a") is None
