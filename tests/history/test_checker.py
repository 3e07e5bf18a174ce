"""The checker finds what it is there for: each of these mutants is one fault."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import psycopg
import pytest

from store_testing.history import checker
from store_testing.history.calls import crossmint_id
from store_testing.history.checker import Rows
from store_testing.history.farm import Farm
from store_testing.history.models import Chat, chat
from store_testing.history.records import Call, How
from store_testing.history.search import TooManyStates, unexplained

EMPTY: Rows = {
    name: []
    for name in (
        *("users", "cart_items", "orders", "given_up", "chats", "messages"),
        *("cursor", "retired", "gone_items", "gone_orders"),
    )
}
USER = {
    "id": "ann",
    "name": "ann",
    "wallet_status": "none",
    "wallet_address": None,
    "key": None,
}
OTHER = USER | {"id": "bob", "name": "bob"}


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
    said: dict[str, Any] = {"session": "s", "message": "m", "after": None}
    calls = [
        call("sign_up", 0, 1, "ann", identity="ann"),
        call("sign_up", 0, 1, "bob", identity="bob"),
        call("add", 2, 3, ["i1", True], **pen),
        call("cart", 4, 5, [["p0", "i1"]], user="ann"),
        call("checkout", 6, 7, [["o1", "awaiting_approval"]], user="ann", lines=line),
        call("cart", 8, 9, [], user="ann"),
        call("add", 10, 11, ["i2", True], **pen),
        call("deposit", 2, 3, ["d1", True], user="ann", hash="0x1"),
        call("deposit", 4, 5, None, "refused", "AlreadyExists", user="bob", hash="0x1"),
        call("credit", 6, 7, "d1", hash="0x1"),
        call("save", 2, 3, 1, text="old", from_version=None, **said),
        call("save", 4, 5, 2, text="new", from_version=1, **said),
        call("messages", 6, 7, [["m", "new"]], session="s"),
    ]
    order = {
        "id": "o1",
        "user_id": "ann",
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
    item = {"id": "i1", "user_id": "ann", "product_id": "p0", "live": False}
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
    history.calls[8] = replace(
        history.calls[8], how="ok", result=["d2", True], error=None
    )


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
    second = history.calls[11]
    arguments = second.arguments | {"text": "third"}
    history.calls.append(replace(second, arguments=arguments, begin=8, end=9))


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


def deleted_with_an_open_order(history: History) -> None:
    """A user is deleted whose order is awaiting approval."""
    history.calls.append(call("delete", 12, 13, user="ann", identity="ann"))
    gone = {"orders": "gone_orders", "cart_items": "gone_items"}
    for there, kept in gone.items():
        rows = [row for row in history.rows[there] if row["user_id"] == "ann"]
        history.rows[kept] = [row | {"given_up": False} for row in rows]
        history.rows[there] = []
    used_up: dict[str, Any] = {"digest": "0x1", "crossmint": crossmint_id("ann", 1)}
    history.rows.update({"users": [OTHER], "chats": [], "messages": []})
    history.rows["retired"] = [used_up]


def outlives_its_deletion(history: History) -> None:
    """A user is there after the deletion that was acknowledged."""
    history.calls.append(call("delete", 2, 3, user="bob", identity="bob"))


def another_key(history: History) -> None:
    """A key is read that nobody has set."""
    history.calls.append(call("key", 2, 3, "suiprivkey1", user="ann"))


def half_cleared(history: History) -> None:
    """A cart is cleared, and one of its two items is said to have been in it."""
    pen: dict[str, Any] = {"user": "bob", "product": "p0"}
    history.calls.append(call("add", 2, 3, ["i8", True], **pen))
    other = replace(history.calls[-1], begin=4, end=5, result=["i9", True])
    history.calls.append(replace(other, arguments=pen | {"product": "p1"}))
    history.calls.append(call("clear", 6, 7, 1, user="bob"))
    item = {"user_id": "bob", "live": False}
    history.rows["cart_items"] += [
        item | {"id": "i8", "product_id": "p0"},
        item | {"id": "i9", "product_id": "p1"},
    ]


def not_replaced(history: History) -> None:
    """What followed a message is there, though a save took its place."""
    said: dict[str, Any] = {"session": "s", "text": "x", "from_version": None}
    history.calls.append(call("save", 8, 9, 3, message="n", after=None, **said))
    history.calls.append(call("save", 10, 11, 4, message="o", after="m", **said))
    history.rows["chats"][0]["version"] = 4
    history.rows["messages"] += [
        {"chat": "s", "msg_id": name, "text": "x"} for name in ("n", "o")
    ]


def forged(history: History) -> None:
    """A webhook that nobody signed is received."""
    name = crossmint_id("bob", 1)
    event: dict[str, Any] = {"user": "bob", "crossmint": name, "forged": True}
    told = [True, None, None, None]
    history.calls.append(call("event", 2, 3, told, type="x", **event))


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
        deleted_with_an_open_order,
        outlives_its_deletion,
        another_key,
        half_cleared,
        not_replaced,
        forged,
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
    said: dict[str, Any] = {"message": "m", "after": None, "from_version": None}
    calls = [
        call("save", 0, 5, 2, session="s", text="a", **said),
        call("save", 1, 4, 1, session="s", text="b", **said),
    ]
    read = call("messages", 6, 7, [["m", "a"]], session="s")
    assert unexplained([*calls, read], Chat(), chat) is None
    wrong = replace(read, result=[["m", "b"]])
    assert unexplained([*calls, wrong], Chat(), chat) is not None


def test_a_search_that_is_too_long_is_given_up() -> None:
    """Where too much is unknown at once the search says so, and calls nothing sound."""
    said: dict[str, Any] = {"session": "s", "after": None, "from_version": None}
    calls = [
        call("save", n, 99, how="unknown", text=str(n), message=str(n), **said)
        for n in range(20)
    ]
    last = call("messages", 100, 101, [["m", "never said"]], session="s")
    with pytest.raises(TooManyStates):
        unexplained([*calls, last], Chat(), chat, most_states=1000)


# What a trigger does instead, on which statement. A tour makes each of these
# statements, and looks at what became of it.
STORE_MUTANTS = {
    "an order keeps its item in the cart": (
        "AFTER INSERT ON order_items",
        "UPDATE cart_items SET deleted_at = NULL WHERE id = NEW.cart_item_id",
    ),
    "what is taken out of a cart stays": (
        "BEFORE UPDATE OF deleted_at ON cart_items",
        "NEW.deleted_at := NULL",
    ),
    "the item of a cancelled order is lost": (
        "BEFORE UPDATE OF deleted_at ON cart_items",
        "NEW.deleted_at := coalesce(NEW.deleted_at, now())",
    ),
    "a save over another is lost": (
        "BEFORE UPDATE ON chat_messages",
        "RETURN NULL",
    ),
    "what a save replaces stays": ("BEFORE DELETE ON chat_messages", "RETURN NULL"),
    "a credited deposit is to be credited again": (
        "BEFORE UPDATE OF settled_at ON orders",
        "NEW.settled_at := NULL; NEW.status := 'payment_confirmed'",
    ),
    "an event changes nothing": (
        "BEFORE UPDATE OF status ON orders",
        "NEW.status := OLD.status",
    ),
    "an event comes for the first time again": (
        "AFTER INSERT ON order_events",
        "DELETE FROM order_events WHERE id = NEW.id AND order_id IS NULL",
    ),
    "a payment is forgotten": (
        "BEFORE UPDATE OF tx_hash ON orders",
        "NEW.tx_hash := OLD.tx_hash",
    ),
    "a key is not kept": (
        "BEFORE UPDATE OF sui_private_key_encrypted ON users",
        "NEW.sui_private_key_encrypted := OLD.sui_private_key_encrypted",
    ),
    "a deleted user stays": ("BEFORE DELETE ON users", "RETURN NULL"),
    "the chain's cursor stands still": (
        "BEFORE UPDATE ON chain_cursor",
        "RETURN NULL",
    ),
}


@pytest.mark.parametrize("mutant", STORE_MUTANTS)
def test_a_mutant_of_the_store_is_found(
    workers: Farm, database_url: str, mutant: str
) -> None:
    """A database that does something else than it says is found out by its workers."""
    event, body = STORE_MUTANTS[mutant]
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute(
            "CREATE FUNCTION mutant() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN {body}; RETURN coalesce(NEW, OLD); END $$;"
            f" CREATE TRIGGER mutant {event}"
            " FOR EACH ROW EXECUTE FUNCTION mutant()".encode()
        )
    with workers.round(database_url, calls=60, workers=1, tour=True) as running:
        running.wait()
    assert problems(running.calls(), checker.read_rows(database_url))


def test_a_tour_makes_each_kind_of_call(workers: Farm, database_url: str) -> None:
    """Nothing that the mutants change is left out, and without them all is well."""
    with workers.round(database_url, calls=60, workers=1, tour=True) as running:
        running.wait()
    calls = running.calls()
    assert problems(calls, checker.read_rows(database_url)) == []
    for worker in {call.worker for call in calls}:
        done = {call.name for call in calls if call.worker == worker}
        assert done >= KINDS


KINDS = {
    *("sign_up", "begin_wallet", "set_key", "key", "provision", "delete"),
    *("save", "messages", "add", "remove", "clear", "cart", "checkout", "orders"),
    *("attach", "pay", "event", "cancel", "give_up", "deposit", "credit", "page"),
}
