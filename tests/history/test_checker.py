"""The checker finds what it is there for: each of these mutants is one fault."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import psycopg
import pytest

from tests.history import checker
from tests.history.calls import crossmint_id
from tests.history.checker import Rows
from tests.history.farm import Farm
from tests.history.models import Chat, chat
from tests.history.records import Call, How
from tests.history.search import TooManyStates, unexplained

EMPTY: Rows = {
    name: []
    for name in (
        *("users", "cart_items", "orders", "given_up", "chats", "messages"),
        "cursor",
    )
}
USER = {"id": "1", "name": "ann", "wallet_status": "none", "wallet_address": None}
OTHER = USER | {"id": "2", "name": "bob"}


def call(  # noqa: PLR0917 - a call in a line
    name: str,
    begin: float,
    end: float,
    result: object = None,
    how: How = "ok",
    error: str | None = None,
    **arguments: Any,  # noqa: ANN401 - any call's
) -> Call:
    """Make a call of a history; each is of a worker of its own."""
    return Call(
        worker=f"{name}-{begin}",
        number=1,
        name=name,
        arguments=arguments,
        begin=begin,
        end=end,
        how=how,
        result=result,
        error=error,
    )


class History(NamedTuple):
    """Calls one after another, and what is stored then."""

    calls: list[Call]
    rows: Rows


def sound() -> History:
    """Make a history in which all is well."""
    pen: dict[str, Any] = {"user": "ann", "product": "p0"}
    name = crossmint_id("ann", 1)
    line = [["i1", name]]
    said: dict[str, Any] = {"session": "s", "message": "m"}
    calls = [
        call("sign_up", 0, 1, "1", user="ann"),
        call("sign_up", 0, 1, "2", user="bob"),
        call("add", 2, 3, ["i1", True], **pen),
        call("cart", 4, 5, [["p0", "i1"]], user="ann"),
        call("checkout", 6, 7, [["o1", "awaiting_approval"]], user="ann", lines=line),
        call("cart", 8, 9, [], user="ann"),
        call("add", 10, 11, ["i2", True], **pen),
        call("deposit", 2, 3, ["d1", True], user="ann", hash="0x1"),
        call("deposit", 4, 5, None, user="bob", hash="0x1"),
        call("credit", 6, 7, "d1", hash="0x1"),
        call("save", 2, 3, 1, text="old", from_version=None, **said),
        call("save", 4, 5, 2, text="new", from_version=1, **said),
        call("messages", 6, 7, [["m", "new"]], session="s"),
    ]
    order = {
        "id": "o1",
        "user_id": "1",
        "type": "checkout",
        "status": "awaiting_approval",
        "crossmint": name,
        "digest": None,
        "checkout_id": "c1",
        "credited": False,
        "item": "i1",
    }
    credited = order | {
        "id": "d1",
        "type": "deposit",
        "status": "delivered",
        "crossmint": None,
        "digest": "0x1",
        "checkout_id": None,
        "credited": True,
        "item": None,
    }
    item = {"id": "i1", "user_id": "1", "product_id": "p0", "live": False}
    rows = copy.deepcopy(EMPTY) | {
        "users": [USER, OTHER],
        "cart_items": [item, item | {"id": "i2", "live": True}],
        "orders": [order, credited],
        "chats": [{"id": "s", "version": 2}],
        "messages": [{"chat": "s", "msg_id": "m", "text": "new"}],
    }
    return History(calls, rows)


def problems(calls: Sequence[Call], rows: Rows) -> list[str]:
    """Give what the checker finds."""
    return checker.check(calls, rows).problems


def test_a_sound_history_is_explained() -> None:
    """Nothing is found where nothing is wrong."""
    assert problems(*sound()) == []


def lost_write(history: History) -> None:
    """An item that was added is not in the cart."""
    history.rows["cart_items"][1]["live"] = False


def lost_order(history: History) -> None:
    """An order that was placed is not there; nor is its item."""
    del history.rows["orders"][0]


def doubled_deposit(history: History) -> None:
    """One transaction is the first deposit of two users."""
    history.calls[8] = replace(history.calls[8], result=["d2", True])


def doubled_credit(history: History) -> None:
    """A deposit is given to two callers, to be credited."""
    history.calls.append(call("credit", 8, 9, "d1", hash="0x1"))


def stale_read(history: History) -> None:
    """A cart is read as it was before an addition that was acknowledged."""
    history.calls[3] = replace(history.calls[3], result=[])


def stale_chat(history: History) -> None:
    """A chat is read as it was before a save that was acknowledged."""
    history.calls[12] = replace(history.calls[12], result=[["m", "old"]])


def two_live_orders(history: History) -> None:
    """An item is in two orders that are awaiting approval."""
    order = history.rows["orders"][0]
    history.rows["orders"].append(
        order | {"id": "o2", "crossmint": None, "checkout_id": "c2"}
    )


def overwritten_save(history: History) -> None:
    """What was saved from version 1 is gone, and what was saved before it is there."""
    history.rows["messages"][0]["text"] = "old"


def version_given_twice(history: History) -> None:
    """Two saves from one version are both acknowledged."""
    said: dict[str, Any] = {
        "session": "s",
        "message": "m",
        "text": "third",
        "from_version": 1,
    }
    history.calls.append(call("save", 8, 9, 2, **said))


def commit_reported_as_nothing(history: History) -> None:
    """A checkout failed as 'nothing was written', and its order is there."""
    history.calls[4] = replace(
        history.calls[4], how="nothing", error="ConnectionLost", result=None
    )


def half_there(history: History) -> None:
    """A checkout whose outcome is unknown left an order without its snapshot."""
    history.calls[4] = replace(history.calls[4], how="unknown", result=None)
    history.rows["orders"][0]["item"] = None


def one_payment_of_two_orders(history: History) -> None:
    """A payment is recorded on an order and on a deposit."""
    history.rows["orders"][0]["digest"] = "0x1"


def refused_without_a_reason(history: History) -> None:
    """A cart of one item is said to be full."""
    history.calls[6] = replace(
        history.calls[6], how="refused", error="CartFull", result=None
    )
    del history.rows["cart_items"][1]


@pytest.mark.parametrize(
    "mutate",
    [
        lost_write,
        lost_order,
        doubled_deposit,
        doubled_credit,
        stale_read,
        stale_chat,
        two_live_orders,
        overwritten_save,
        version_given_twice,
        commit_reported_as_nothing,
        half_there,
        one_payment_of_two_orders,
        refused_without_a_reason,
    ],
)
def test_a_mutant_of_the_history_is_found(mutate: Callable[[History], None]) -> None:
    """Whatever is wrong with a sound history is found."""
    history = sound()
    mutate(history)
    assert problems(*history)


def test_what_is_unknown_is_there_or_not() -> None:
    """Both are explained, if nobody knows what became of a checkout."""
    history = sound()
    history.calls[4] = replace(history.calls[4], how="unknown", result=None)
    assert problems(*history) == []
    history.calls[4:] = [each for each in history.calls[7:] if each.name != "add"]
    history.calls.append(
        call("checkout", 6, 7, how="unknown", user="ann", lines=[["i1", "ann/x1"]])
    )
    del history.rows["orders"][0]
    history.rows["cart_items"][0]["live"] = True
    del history.rows["cart_items"][1]
    assert problems(*history) == []


def test_what_overlaps_may_be_in_any_order() -> None:
    """Two saves at once leave the text of either, and of no other."""
    said: dict[str, Any] = {"session": "s", "message": "m", "from_version": None}
    calls = [
        call("save", 0, 5, 2, text="a", **said),
        call("save", 1, 4, 1, text="b", **said),
    ]
    read = call("messages", 6, 7, [["m", "a"]], session="s")
    assert unexplained([*calls, read], Chat(), chat) is None
    wrong = replace(read, result=[["m", "b"]])
    assert unexplained([*calls, wrong], Chat(), chat) is not None


def test_a_search_that_is_too_long_is_given_up() -> None:
    """Where too much is unknown at once the search says so, and calls nothing sound."""
    said: dict[str, Any] = {"session": "s", "from_version": None}
    calls = [
        call("save", n, 99, how="unknown", text=str(n), message=str(n), **said)
        for n in range(20)
    ]
    last = call("messages", 100, 101, [["m", "never said"]], session="s")
    with pytest.raises(TooManyStates):
        unexplained([*calls, last], Chat(), chat)


STORE_MUTANTS = {
    "an order keeps its item in the cart": """
        CREATE FUNCTION mutant() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            UPDATE cart_items SET deleted_at = NULL WHERE id = NEW.cart_item_id;
            RETURN NULL; END $$;
        CREATE TRIGGER mutant AFTER INSERT ON order_items
            FOR EACH ROW EXECUTE FUNCTION mutant()""",
    "every tenth save is lost": """
        CREATE FUNCTION mutant() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            RETURN CASE WHEN random() > 0.1 THEN NEW END; END $$;
        CREATE TRIGGER mutant BEFORE INSERT OR UPDATE ON chat_messages
            FOR EACH ROW EXECUTE FUNCTION mutant()""",
    "a credited deposit is to be credited again": """
        CREATE FUNCTION mutant() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            NEW.settled_at := NULL; NEW.status := 'payment_confirmed';
            RETURN NEW; END $$;
        CREATE TRIGGER mutant BEFORE UPDATE OF settled_at ON orders
            FOR EACH ROW EXECUTE FUNCTION mutant()""",
    "most items that are taken out stay": """
        CREATE FUNCTION mutant() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF random() < 0.7 THEN NEW.deleted_at := NULL; END IF; RETURN NEW; END $$;
        CREATE TRIGGER mutant BEFORE UPDATE OF deleted_at ON cart_items
            FOR EACH ROW EXECUTE FUNCTION mutant()""",
}


@pytest.mark.parametrize("mutant", STORE_MUTANTS)
def test_a_mutant_of_the_store_is_found(
    workers: Farm, database_url: str, mutant: str
) -> None:
    """A database that does something else than it says is found out by its workers."""
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute(STORE_MUTANTS[mutant].encode())
    with workers.round(database_url, seed=1) as running:
        running.wait_for_calls(600)
    assert problems(running.calls(), checker.read_rows(database_url))
