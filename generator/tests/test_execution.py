"""Generated code against a real PostgreSQL: what comes back keeps its annotation."""

import asyncio
import datetime
import inspect
from collections import UserString
from collections.abc import Awaitable, Callable
from decimal import Decimal
from fractions import Fraction
from ipaddress import IPv4Address
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import errors
from psycopg.types.enum import EnumInfo, register_enum

from generator.tests.golden.shop.expected import (
    aio,
    enums,
    models,
    odd_names,
    orders,
    users,
)
from generator.tests.golden.shop.expected.aio import orders as aio_orders
from generator.tests.golden.shop.expected.aio import users as aio_users

ACTIVE = enums.WalletStatus.ACTIVE
PENDING = enums.WalletStatus.PENDING


def make_user(conn: psycopg.Connection[Any], **given: Any) -> models.User:  # noqa: ANN401 - any column
    """Make a user; columns that are not given are NULL."""
    columns: dict[str, Any] = {
        "email": None,
        "nickname": None,
        "wallet_status": ACTIVE,
        "former_statuses": [],
        "moods": None,
        "discount": None,
        "tags": None,
    }
    user = users.create_user(conn, **{**columns, **given})
    assert user
    return user


def make_item(conn: psycopg.Connection[Any], **given: Any) -> models.OrderItem:  # noqa: ANN401 - any column
    """Make an order item; nullable columns that are not given are NULL."""
    needed: dict[str, Any] = {"price": 1, "parts": [], "class_": ""}
    names = [*inspect.signature(orders.create_item).parameters][1:]
    given = {**dict.fromkeys(names), **needed, **given}
    item = orders.create_item(conn, **given)
    assert item
    return item


def test_closed_sets_come_back_as_enums(conn: psycopg.Connection[Any]) -> None:
    """Domains and ENUM types, single and in arrays, are members of their enums."""
    statuses, moods = [PENDING, None], [enums.Mood.EMPTY, None, enums.Mood.QUOTED]
    user = make_user(conn, former_statuses=statuses, moods=tuple(moods))
    assert type(user.wallet_status) is enums.WalletStatus
    assert user.former_statuses == statuses
    assert type(user.former_statuses[0]) is enums.WalletStatus
    assert user.moods == moods
    assert users.moods_of(conn, id=user.id) == moods
    assert type(users.wallet_status_of(conn, id=user.id)) is enums.WalletStatus


@pytest.mark.parametrize("mood", enums.Mood)
def test_every_label_makes_the_round_trip(
    mood: enums.Mood, conn: psycopg.Connection[Any]
) -> None:
    """Labels of symbols, spaces, quotes and nothing at all are carried."""
    user = make_user(conn)
    assert make_item(conn, user_id=user.id, mood=mood).mood is mood


def test_a_registered_enum_changes_nothing(conn: psycopg.Connection[Any]) -> None:
    """Code works as well where the type is registered on the connection."""
    info = EnumInfo.fetch(conn, "mood")
    assert info
    mapping = {mood: mood.value for mood in enums.Mood}
    register_enum(info, conn, enums.Mood, mapping=mapping)
    moods = [enums.Mood.SO_SO, None]
    assert make_user(conn, moods=moods).moods == moods


def test_null_stays_none(conn: psycopg.Connection[Any]) -> None:
    """NULL is never converted."""
    user = make_user(conn)
    found = (user.email, user.nickname, user.moods, user.discount, user.tags)
    assert found == (None,) * 5
    assert users.moods_of(conn, id=user.id) is None


def test_overrides_convert_both_ways(conn: psycopg.Connection[Any]) -> None:
    """A column's and a type's override hold in models, rows and parameters."""
    user = make_user(conn, nickname=UserString("nick"), discount=Fraction(25))
    assert type(user.nickname) is UserString
    assert type(user.discount) is Fraction
    [row] = users.status_twice(conn, id=user.id, id2=user.id)
    assert row == users.StatusTwiceRow(ACTIVE, ACTIVE, Fraction(25), UserString("nick"))


def test_every_type_makes_the_round_trip(conn: psycopg.Connection[Any]) -> None:
    """What goes in comes out, as the annotated type."""
    given: dict[str, Any] = {
        "user_id": make_user(conn).id,
        "price": 7,
        "small": -3,
        "amount": Decimal("1.50"),
        "weight": 2.5,
        "parts": [{"a": [1, None, "x"]}],
        "extra": {"b": True},
        "class_": 'text with "quotes", \\backslash and %s',
        "from_": datetime.date(2024, 2, 29),
        "user_name": "ü",
        "weird_name": "",
        "str_": "s",
        "datetime_": datetime.datetime(2024, 1, 1, 12),
        "ip": IPv4Address("1.2.3.4"),
        "blob": b"\x00\xff",
        "quantities": [1, None],
        "grid": [[1, 2], [3, None]],
        "mood": enums.Mood.NONE,
    }
    item = make_item(conn, **given)
    assert {name: getattr(item, name) for name in given} == given


def test_an_integer_is_accepted_where_a_float_is(
    conn: psycopg.Connection[Any],
) -> None:
    """Type checkers take an int for a float, so it is sent as one."""
    item = make_item(conn, user_id=make_user(conn).id, weight=3)
    assert type(item.weight) is float


def test_json_null_is_not_sql_null(conn: psycopg.Connection[Any]) -> None:
    """None for a NOT NULL jsonb is JSON's null; for a nullable one SQL's NULL."""
    item = make_item(conn, user_id=make_user(conn).id, parts=None, extra=None)
    query = "SELECT parts::text, extra::text FROM order_items WHERE id = %s"
    assert conn.execute(query, (item.id,)).fetchone() == ("null", None)


def test_one_is_none_without_a_row(conn: psycopg.Connection[Any]) -> None:
    """`:one` gives None when there is no row, `:many` an empty list."""
    assert users.get_user(conn, id=uuid4()) is None
    assert users.find_users(conn, email=None, part="x") == []


def test_embeds_are_nested_models(conn: psycopg.Connection[Any]) -> None:
    """An embed is its table's model; None where an outer join found nothing."""
    alone, buyer = make_user(conn), make_user(conn)
    item = make_item(conn, user_id=buyer.id)
    assert orders.list_items_of_user(conn, id=buyer.id) == [
        orders.ListItemsOfUserRow(buyer, item)
    ]
    found = {row.id: row.order_item for row in orders.list_users_with_items(conn)}
    assert found == {alone.id: None, buyer.id: item}


def test_row_counts(conn: psycopg.Connection[Any]) -> None:
    """`:execrows` counts the rows, also while they are still in a pipeline."""
    user = make_user(conn)
    assert users.set_status(conn, wallet_status=PENDING, id=user.id) == 1
    assert users.set_status(conn, wallet_status=PENDING, id=uuid4()) == 0
    with conn.pipeline():
        assert users.set_status(conn, wallet_status=ACTIVE, id=user.id) == 1


def test_arrays_become_rows(conn: psycopg.Connection[Any]) -> None:
    """Sequences of any kind and NULL elements are sent under their declared types."""
    user = make_user(conn)
    prices, amounts = (1, 70_000), [Decimal(1), None]
    added = orders.add_items(conn, user_id=user.id, prices=prices, amounts=amounts)
    assert added == 2
    assert orders.count_items(conn, user_id=user.id) == 2


def test_results_are_fetched_after_the_pipeline(
    conn: psycopg.Connection[Any],
) -> None:
    """Deferred functions queue in the block, and fetch after it has ended."""
    user = make_user(conn)
    with conn.pipeline():
        count = users.send_set_status(conn, wallet_status=PENDING, id=user.id)
        pending = users.send_list_users_by_status(conn, statuses=[PENDING])
    assert count() == 1
    assert [found.id for found in pending()] == [user.id]


def test_a_deferred_error_comes_with_the_fetch(
    conn: psycopg.Connection[Any],
) -> None:
    """The server's refusal is raised as such, not hidden by the count."""
    conn.execute("SET search_path = nowhere")
    with pytest.raises(errors.UndefinedTable), conn.pipeline():
        users.send_set_status(conn, wallet_status=PENDING, id=uuid4())()


def test_the_sql_is_sent_as_it_was_written(conn: psycopg.Connection[Any]) -> None:
    """Percent signs, backslashes, quotes and dollars survive."""
    assert odd_names.class_(conn) == '%s \\d $$ "quoted" \'x\' """ end'


def test_integers_are_sent_under_one_type(conn: psycopg.Connection[Any]) -> None:
    """Small and large values of a parameter share one prepared statement."""
    conn.prepare_threshold = 0
    item = make_item(conn, user_id=make_user(conn).id)
    for by in (1, 40_000, 1 << 30):
        orders.claim_item(conn, by=-by, id=item.id)
    query = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE %s"
    assert conn.execute(query, ("WITH claimed%",)).fetchone() == (1,)


def test_both_faces_agree(shop_url: str, conn: psycopg.Connection[Any]) -> None:
    """The asynchronous functions give equal rows of the same classes."""
    user = make_user(conn, moods=[enums.Mood.SAD])
    item = make_item(conn, user_id=user.id)

    async def check() -> None:
        async with await psycopg.AsyncConnection.connect(
            shop_url, autocommit=True
        ) as other:
            found = await aio_users.get_user(other, id=user.id)
            assert found == user
            [row] = await aio_orders.list_items_of_user(other, id=user.id)
            assert row == orders.ListItemsOfUserRow(user, item)
            async with other.pipeline():
                fetch = await aio_users.send_list_users_by_status(
                    other, statuses=[ACTIVE]
                )
                changed = await aio_users.set_status(
                    other, wallet_status=ACTIVE, id=user.id
                )
            assert changed == 1
            assert await fetch() == [user]

    asyncio.run(check())


def _signature(function: Callable[..., Any]) -> list[tuple[str, Any]]:
    parameters = inspect.signature(function).parameters
    return [(p.name, p.annotation) for p in list(parameters.values())[1:]]


def test_both_faces_have_the_same_functions() -> None:
    """Names, parameters and results are the same, awaiting apart."""
    assert aio.__name__.endswith(".aio")
    for sync, other in ((users, aio_users), (orders, aio_orders)):
        assert sync.__all__ == other.__all__
        for name in sync.__all__:
            one, two = getattr(sync, name), getattr(other, name)
            if one is two:
                continue
            assert _signature(one) == _signature(two)
            assert inspect.iscoroutinefunction(two)
            returns = (inspect.signature(f).return_annotation for f in (one, two))
            expected, found = returns
            if name.startswith("send_"):
                [expected] = expected.__args__
                [found] = found.__args__
                assert found.__origin__ is Awaitable
                [found] = found.__args__
            assert found == expected


def test_annotations_are_there_at_run_time() -> None:
    """Dependency injection and validation can resolve them."""
    found = inspect.get_annotations(users.get_user)
    assert found["id"] is UUID
    assert found["return"] == models.User | None
