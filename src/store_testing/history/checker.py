"""Compare what workers saw with each other, and with what the database holds.

Each object has its own search: a user's sign-up, wallet, and shop (cart and orders), a
chat, a deposit, the chain's cursor. The rows come in as a last call, whose result is
what is stored: so an acknowledged write that is not there, one that is there though it
failed, and one that is half there are all found in the same way.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from store.encryption import SUI_PRIVATE_KEY, KeyRing
from store_testing.history import models
from store_testing.history.calls import CHAIN_WALLET
from store_testing.history.records import KEYS, Call
from store_testing.history.search import TooManyStates, unexplained

__all__ = ["Report", "Rows", "check", "read_rows"]

Rows: TypeAlias = dict[str, list[dict[str, Any]]]
_State = TypeVar("_State", bound=Hashable)
_Key: TypeAlias = tuple[str, str]

_QUERIES = {
    "users": "SELECT id::text, crossmint_user_id AS name, wallet_status::text,"
    " wallet_address::text, sui_private_key_encrypted::text AS token FROM users",
    "cart_items": "SELECT id::text, user_id::text, product_id,"
    " deleted_at IS NULL AS live FROM cart_items",
    "orders": "SELECT orders.id::text, orders.user_id::text, type::text, status::text,"
    " crossmint_order_id::text AS crossmint, tx_hash::text AS digest,"
    " checkout_id::text, settled_at IS NOT NULL AS credited,"
    " order_items.cart_item_id::text AS item"
    " FROM orders LEFT JOIN order_items ON order_items.order_id = orders.id",
    "given_up": "SELECT order_id::text AS id FROM order_events"
    " WHERE type = 'store.given_up'",
    "chats": "SELECT id::text, version FROM chat_sessions",
    "messages": "SELECT session_id::text AS chat, msg_id, parts->0->>'text' AS text"
    " FROM chat_messages ORDER BY position",
    "cursor": "SELECT tx_digest FROM chain_cursor",
    "retired": "SELECT tx_hash::text AS digest, crossmint_order_id::text AS crossmint"
    " FROM retired_orders",
    "gone_items": "SELECT id::text, user_id::text, product_id FROM gone_items",
    "gone_orders": "SELECT id::text, user_id::text, type::text, checkout_id::text,"
    " item::text, given_up FROM gone_orders",
}


@dataclass(frozen=True, slots=True)
class Report:
    """What was found: no `problems` if all is well; `undecided` were given up."""

    calls: int
    objects: int
    problems: list[str]
    undecided: list[str]
    outcomes: Counter[str]


def read_rows(url: str) -> Rows:
    """Read all that is stored, in one snapshot."""
    with psycopg.connect(url) as conn, conn.cursor(row_factory=dict_row) as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        rows = {
            name: cursor.execute(query.encode()).fetchall()
            for name, query in _QUERIES.items()
        }
    ring = KeyRing([bytes.fromhex(KEYS)])
    for row in rows["users"]:
        token = row.pop("token")
        key = token and ring.decrypt(token, UUID(row["id"]), SUI_PRIVATE_KEY)
        row["key"] = key and key.get_secret_value()
    return rows


def check(calls: Sequence[Call], rows: Rows) -> Report:
    """Search for an explanation of every call, and count money and items."""
    problems = _conserved(rows)
    problems += [str(call) for call in calls if call.how == "unforeseen"]
    undecided: list[str] = []
    parts = _partitioned(calls, rows)
    found = _found(rows)
    for (kind, name), part in parts.items():
        part.extend(_last(kind, name, rows))
        try:
            problem = _search(kind, part, found)
        except TooManyStates as error:
            undecided.append(f"{kind} {name}: {error}")
        else:
            if problem:
                problems.append(f"{kind} {name}: {problem}")
    outcomes = Counter(f"{call.name} {call.error or 'ok'}" for call in calls)
    return Report(len(calls), len(parts), problems, undecided, outcomes)


def _search(kind: str, part: list[Call], found: models.Found) -> str | None:
    def shop(call: Call, state: models.Shop) -> Iterable[models.Shop]:
        return models.shop(call, state, found)

    match kind:
        case "user":
            return _told(part, None, models.sign_up)
        case "wallet":
            return _told(part, models.Wallet(), models.wallet)
        case "deposit":
            return _told(part, models.Deposit(), models.deposit)
        case "chat":
            return _told(part, models.Chat(), models.chat)
        case "chain":
            return _told(part, 0, models.chain)
        case _:
            return _told(part, models.Shop(), shop)


def _told(
    calls: list[Call],
    initial: _State,
    apply: Callable[[Call, _State], Iterable[_State]],
) -> str | None:
    problem = unexplained(calls, initial, apply)
    if problem is None:
        return None
    states = "\n    ".join(map(str, problem.states))
    return f"nothing explains {problem.call}; before it:\n    {states}"


# Which call is about which object

_READS = frozenset({"cart", "orders", "messages", "key"})
_KINDS = {
    "sign_up": ("user", "identity"),
    "begin_wallet": ("wallet", "user"),
    "provision": ("wallet", "user"),
    "set_key": ("wallet", "user"),
    "key": ("wallet", "user"),
    "save": ("chat", "session"),
    "messages": ("chat", "session"),
    "deposit": ("deposit", "hash"),
    "credit": ("deposit", "hash"),
    "page": ("chain", ""),
}


def _partitioned(calls: Sequence[Call], rows: Rows) -> dict[_Key, list[Call]]:
    """Give each object its calls, without those that wrote nothing."""
    parts: dict[_Key, list[Call]] = defaultdict(list)
    by_name: dict[str, list[Call]] = defaultdict(list)
    for call in calls:
        if call.how in {"nothing", "unforeseen"}:
            continue
        if call.how == "unknown" and call.name in _READS:
            continue
        by_name[call.name].append(call)
    given_up, deletions = by_name.pop("give_up", []), by_name.pop("delete", [])
    for name, named in by_name.items():
        kind, argument = _KINDS.get(name, ("shop", "user"))
        for call in named:
            parts[kind, call.arguments[argument] if argument else ""].append(call)
    _share_givings_up(given_up, rows, parts)
    _share_deletions(deletions, parts)
    return parts


def _share_givings_up(
    calls: Sequence[Call], rows: Rows, parts: dict[_Key, list[Call]]
) -> None:
    """Make a call of each order that was given up."""
    owner = {row["id"]: row["user_id"] for row in _all(rows, "orders")}
    left = {row["id"] for row in rows["given_up"]}
    left |= {row["id"] for row in rows["gone_orders"] if row["given_up"]}
    doubtful = [call for call in calls if call.how == "unknown"]
    for call in calls:
        told: list[list[str]] = call.result or []
        for order, user in told:
            left.discard(order)
            parts["shop", user].append(_given_up(call, order))
    # Given up by one of the calls that nobody heard the end of.
    for order in left:
        for call in doubtful[:1]:
            parts["shop", owner[order]].append(_given_up(call, order))
    if left and not doubtful:
        parts["shop", owner[min(left)]].append(
            replace(_row_call("given up", None), arguments={"order": "nobody's"})
        )


def _share_deletions(deletions: Sequence[Call], parts: dict[_Key, list[Call]]) -> None:
    """Add the deletion of a user to all objects of theirs."""
    of_user: dict[str, set[_Key]] = defaultdict(set)
    for (kind, name), part in parts.items():
        for call in part:
            if kind in {"chat", "deposit"} and "user" in call.arguments:
                of_user[call.arguments["user"]].add((kind, name))
    for call in deletions:
        user = call.arguments["user"]
        for key in {
            ("user", call.arguments["identity"]),
            ("wallet", user),
            ("shop", user),
        }:
            parts[key].append(call)
        for kind, name in of_user[user]:
            if kind == "deposit" or call.how != "refused":
                parts[kind, name].append(call)


def _all(rows: Rows, what: str) -> list[dict[str, Any]]:
    """Give what is there, and what was deleted."""
    return [*rows["cart_items" if what == "items" else what], *rows[f"gone_{what}"]]


def _given_up(call: Call, order: str) -> Call:
    return replace(call, name="given up", arguments={"order": order}, result=None)


def _found(rows: Rows) -> models.Found:
    """Look up what the database made for whom."""
    items: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in _all(rows, "items"):
        items[row["user_id"], row["product_id"]].add(row["id"])
    groups: dict[str, dict[str, str]] = defaultdict(dict)
    for row in _all(rows, "orders"):
        if row["type"] == "checkout" and row["item"]:
            groups[row["checkout_id"]][row["item"]] = row["id"]
    checkouts: dict[frozenset[str], list[dict[str, str]]] = defaultdict(list)
    for group in groups.values():
        checkouts[frozenset(group)].append(group)
    frozen = {key: frozenset(value) for key, value in items.items()}
    return models.Found(frozen, dict(checkouts))


# The rows, as a last call


def _row_call(name: str, result: object) -> Call:
    latest = 1e300  # after all calls, and before never
    return Call(
        worker="the database",
        number=0,
        name=name,
        arguments={},
        begin=latest,
        end=math.nextafter(latest, math.inf),
        how="ok",
        result=result,
    )


def _last(kind: str, name: str, rows: Rows) -> list[Call]:
    if kind == "user":
        found = [row["id"] for row in rows["users"] if row["name"] == name]
        return [_row_call("user rows", found[0] if found else None)]
    if kind == "wallet":
        return [_row_call("wallet rows", _wallet(name, rows))]
    if kind == "deposit":
        return [_row_call("deposit rows", _deposit(name, rows))]
    if kind == "chat":
        version = next(
            (row["version"] for row in rows["chats"] if row["id"] == name), 0
        )
        said = [
            [row["msg_id"], row["text"]]
            for row in rows["messages"]
            if row["chat"] == name
        ]
        return [_row_call("chat rows", [version, said])]
    if kind == "chain":
        return [_row_call("chain rows", _chain(rows))]
    return [_row_call("shop rows", _shop(name, rows))]


def _wallet(user_id: str, rows: Rows) -> list[str | None]:
    """Give the address, or why there is none, and the key."""
    for row in rows["users"]:
        if row["id"] == user_id:
            active = row["wallet_status"] == "active"
            return [row["wallet_address" if active else "wallet_status"], row["key"]]
    return ["gone", None]


def _deposit(digest: str, rows: Rows) -> list[Any]:
    """Give the owner, the id, and whether it was credited."""
    for row in rows["orders"]:
        if row["digest"] == digest:
            return [row["user_id"], row["id"], row["credited"]]
    retired = digest in {row["digest"] for row in rows["retired"]}
    return ["retired" if retired else None, None, False]


def _chain(rows: Rows) -> list[int]:
    """Give the cursor, and how many items are in the cart of the chain's user."""
    owners = {
        row["id"] for row in rows["users"] if row["wallet_address"] == CHAIN_WALLET
    }
    items = [row for row in rows["cart_items"] if row["user_id"] in owners]
    cursor = int(rows["cursor"][0]["tx_digest"]) if rows["cursor"] else 0
    return [cursor, sum(row["live"] for row in items)]


def _shop(user_id: str, rows: Rows) -> list[list[list[Any]]]:
    cart = sorted(
        [row["product_id"], row["id"]]
        for row in rows["cart_items"]
        if row["user_id"] == user_id and row["live"]
    )
    orders = sorted(
        [row["id"], row["crossmint"], row["status"], row["digest"]]
        for row in rows["orders"]
        if row["user_id"] == user_id and row["type"] == "checkout"
    )
    return [cart, orders]


# What holds whatever was called


def _conserved(rows: Rows) -> list[str]:
    """Each item is in a cart, or in one live order; each payment is one order's."""
    problems: list[str] = []
    holders: Counter[str] = Counter()
    paid: Counter[str] = Counter()
    for row in rows["orders"]:
        if row["type"] == "checkout" and row["item"] is None:
            problems.append(f"the order {row['id']} has no snapshot")
        if row["item"] and row["status"] == "awaiting_approval":
            holders[row["item"]] += 1
        if row["item"] and row["status"] not in {"awaiting_approval", "cancelled"}:
            paid[row["item"]] += 1
    for row in rows["cart_items"]:
        holders[row["id"]] += row["live"]
        if row["live"] and paid[row["id"]]:
            problems.append(f"the item {row['id']} is paid, and in a cart")
    orders = [*rows["orders"], *rows["retired"]]
    digests = Counter(row["digest"] for row in orders if row["digest"])
    names = Counter(row["crossmint"] for row in orders if row["crossmint"])
    for what, counted in (
        ("item is in two places", holders),
        ("payment is of two orders", digests),
        ("Crossmint order is of two orders", names),
    ):
        problems += [f"the {what}: {one}" for one, n in counted.items() if n > 1]
    return problems
