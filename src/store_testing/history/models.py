"""What each object is, and what each call does to it, in plain Python.

Each function gives the states to which a call with its result may lead: none, if its
result cannot be. Of a call whose outcome is unknown it gives the states that its
effects may lead to; ids that the database made come from the rows, in `Found`.

The deletion of a user is a call about each object of theirs.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from generated.enums import OrderStatus
from store_testing.history.calls import CART_ITEMS
from store_testing.history.records import Call
from store_testing.model import GIVEN_UP, USER_CANCELLED, status_of

__all__ = [
    "Chat",
    "Deposit",
    "Found",
    "Order",
    "Shop",
    "Wallet",
    "chain",
    "chat",
    "deposit",
    "shop",
    "sign_up",
    "wallet",
]

Status: TypeAlias = str
_AWAITING = OrderStatus.AWAITING_APPROVAL
_CANCELLED = OrderStatus.CANCELLED
_UNPAID = {_AWAITING, _CANCELLED}


def _known(call: Call) -> bool:
    return call.how != "unknown"


def _pairs(listed: list[list[str]]) -> frozenset[tuple[str, str]]:
    return frozenset((one, other) for one, other in listed)


# A user


def sign_up(call: Call, state: str | None) -> Iterator[str | None]:
    """The first call creates the user; all give the same one, until it is deleted."""
    if call.name == "delete":
        there = state in {"?", call.arguments["user"]}
        if call.error == "UserHasOpenOrders":
            after = [call.arguments["user"]] if there else []
        elif call.error == "UserNotFound":
            after = [] if there else [state]
        else:
            after = [None] if there else []
        yield from after
    elif call.name == "user rows":
        if call.result == state or (state == "?" and call.result):
            yield state
    elif not _known(call):
        yield state or "?"
    elif state in {None, "?", call.result}:
        yield call.result


class Wallet(NamedTuple):
    """`none`, `pending`, `gone`, or the address that was first; and the key."""

    status: str = "none"
    key: str | None = None


_GONE_WALLET = Wallet("gone")


def wallet(  # noqa: PLR0911 - one for each kind of call
    call: Call, state: Wallet
) -> Iterable[Wallet]:
    """Once it is active neither its address nor its key changes."""
    if call.error == "UserNotFound":
        return [state] if state == _GONE_WALLET else []
    match call.name:
        case "wallet rows":
            return [state] if call.result == [*state] else []
        case "begin_wallet":
            after = state._replace(status="pending")
            begun = state.status == "none"
            fits = not _known(call) or call.result == begun
            return [after if begun else state] if fits else []
        case _ if state == _GONE_WALLET:
            return []
        case "delete":
            return [state] if call.how == "refused" else [_GONE_WALLET]
        case "key":
            return [state] if call.result == state.key else []
        case "set_key":
            return _set_key(call, state)
        case _:
            return _provision(call, state)


def _set_key(call: Call, state: Wallet) -> list[Wallet]:
    key = call.arguments["key"]
    kept = state.key not in {None, key} and state.status not in {"none", "pending"}
    if kept:
        return [state] if call.error == "WalletAlreadyActive" else []
    return [] if call.error == "WalletAlreadyActive" else [state._replace(key=key)]


def _provision(call: Call, state: Wallet) -> list[Wallet]:
    asked, key = call.arguments["address"], call.arguments["key"]
    same = state.status == asked and key in {None, state.key}
    if call.error == "WalletNotPending":
        return [state] if state.status == "none" else []
    if call.error == "WalletAlreadyActive":
        return [] if same or state.status in {"none", "pending"} else [state]
    if state.status == "pending":
        return [Wallet(asked, key or state.key)]
    return [state] if same else []


# A deposit


class Deposit(NamedTuple):
    """Whose it is, whether it was credited, and who was deleted."""

    owner: str | None = None
    id: str | None = None
    credited: bool = False
    gone: frozenset[str] = frozenset()


_RETIRED = "retired"


def deposit(  # noqa: PLR0912 - a case for each result
    call: Call, state: Deposit
) -> Iterator[Deposit]:
    """The first to record it has it, even when deleted; it is credited once."""
    if call.name == "deposit rows":
        owner, id_, credited = call.result
        same = (state.owner, state.credited) == (owner, credited)
        if same and state.id in {"?", id_}:
            yield state
    elif call.name == "delete":
        yield from _deleted(call, state)
    elif call.name == "credit":
        may = state.owner not in {None, _RETIRED} and not state.credited
        if not _known(call):
            yield state._replace(credited=state.credited or may)
        elif call.result is None:
            if not may:
                yield state
        elif may and state.id in {"?", call.result}:
            yield state._replace(id=call.result, credited=True)
    else:
        user = call.arguments["user"]
        new = state.owner is None and user not in state.gone
        if not _known(call):
            yield state._replace(owner=user, id="?") if new else state
        elif call.error == "UserNotFound":
            if user in state.gone:
                yield state
        elif call.error == "AlreadyExists":  # or it waited for who had it to be deleted
            if state.owner not in {None, user} and user not in state.gone:
                yield state
        elif call.result[1]:
            if new:
                yield state._replace(owner=user, id=call.result[0])
        elif state.owner == user and state.id in {"?", call.result[0]}:
            yield state._replace(id=call.result[0])


def _deleted(call: Call, state: Deposit) -> Iterator[Deposit]:
    user = call.arguments["user"]
    is_open = state.owner == user and not state.credited
    gone = state._replace(gone=state.gone | {user})
    if call.error == "UserNotFound":
        if user in state.gone:
            yield state
    elif user in state.gone:
        return
    elif call.error == "UserHasOpenOrders":
        if state.id == "?" or is_open == (state.id in call.result):
            yield state
    elif state.owner != user:
        yield gone
    elif not is_open:
        yield gone._replace(owner=_RETIRED, id=None, credited=False)


# A chat


class Chat(NamedTuple):
    """The version, what each message says, and what the last save said."""

    version: int = 0
    texts: tuple[tuple[str, str], ...] = ()
    last: tuple[str, str, str | None, int] | None = None
    gone: bool = False


def chat(call: Call, state: Chat) -> Iterator[Chat]:
    """Each save makes the version grow; one from an older version is refused."""
    match call.name:
        case "delete":
            if not state.gone:
                yield Chat(gone=True)
        case "messages":
            if _said(call.result) == state.texts:
                yield state
        case "chat rows":
            if call.result[0] == state.version and _said(call.result[1]) == state.texts:
                yield state
        case _ if state.gone or call.error == "ChatSessionNotFound":
            if state.gone and call.error == "ChatSessionNotFound":
                yield state
        case _:
            yield from _saved(call, state)


def _said(listed: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, text) for name, text in listed)


def _saved(call: Call, state: Chat) -> Iterator[Chat]:
    message, text = call.arguments["message"], call.arguments["text"]
    since, kept = call.arguments["from_version"], call.arguments["after"]
    last = None if since is None else (message, text, kept, since)
    is_current, is_repeated = (
        since in {None, state.version},
        last and state.last == last,
    )
    there = [name for name, _ in state.texts]
    missed = kept is not None and kept not in there
    if call.error == "ChatOvertaken":
        if not is_current and not is_repeated:
            yield state
    elif call.error == "InvalidValue":
        if is_current and missed:
            yield state
    elif is_current and not missed:
        texts = dict(state.texts[: None if kept is None else there.index(kept) + 1])
        texts[message] = text  # in its place, if it is there
        after = Chat(state.version + 1, tuple(texts.items()), last)
        if not _known(call) or call.result == after.version:
            yield after
    elif is_repeated and (not _known(call) or call.result == state.version):
        yield state


# The chain


def chain(call: Call, state: int) -> Iterator[int]:
    """The cursor moves by a page, from where it is."""
    if call.name == "chain rows":
        if call.result == [state, state]:
            yield state
        return
    asked = call.arguments["number"]
    if call.error == "ChainCursorMoved":
        if state != asked and int(call.result or 0) == state:
            yield state
    elif not _known(call):
        yield state + 1 if state == asked else state
    elif call.result == [str(asked + 1), False]:
        if state == asked:
            yield asked + 1
    elif call.result == [str(asked + 1), True] and state == asked + 1:
        yield state


# A cart and its orders


class Order(NamedTuple):
    """A line of a checkout; `group` tells it from other checkouts."""

    id: str
    group: str
    item: str
    product: str
    crossmint: str | None
    cancelled: bool = False
    given_up: bool = False
    digest: str | None = None


class Shop(NamedTuple):
    """A user's cart and orders, and the events that came."""

    cart: frozenset[tuple[str, str]] = frozenset()
    products: frozenset[tuple[str, str]] = frozenset()
    orders: frozenset[Order] = frozenset()
    events: frozenset[tuple[str, str]] = frozenset()
    gone: bool = False

    def status(self, order: Order) -> OrderStatus:
        """Apply the rule to what happened to an order."""
        types = [type_ for name, type_ in self.events if name == order.crossmint]
        types += [USER_CANCELLED] * order.cancelled + [GIVEN_UP] * order.given_up
        return status_of(types)

    def order(self, order_id: str) -> Order | None:
        """Find an order."""
        return next((each for each in self.orders if each.id == order_id), None)

    def named(self, crossmint: str) -> Order | None:
        """Find the order of a Crossmint order."""
        return next((each for each in self.orders if each.crossmint == crossmint), None)

    def changed(self, before: Order, after: Order, was: OrderStatus) -> "Shop":
        """Put an order in another's place, and move its item as its status demands."""
        made = self._replace(orders=self.orders - {before} | {after})
        return made.moved(after, was)

    def moved(self, order: Order, was: OrderStatus) -> "Shop":
        """A paid order's item is not in the cart; on a cancellation it comes back."""
        now = self.status(order)
        item = order.product, order.item
        if now not in _UNPAID:
            return self._replace(cart=self.cart - {item})
        if now != _CANCELLED or was == _CANCELLED or item in self.cart:
            return self
        held = any(
            each.item == order.item and self.status(each) != _CANCELLED
            for each in self.orders
        )
        duplicate = any(product == order.product for product, _ in self.cart)
        return self if held or duplicate else self._replace(cart=self.cart | {item})


@dataclass(frozen=True, slots=True)
class Found:
    """Ids that the database made: items by product, checkouts by their items."""

    items: Mapping[tuple[str, str], frozenset[str]] = field(
        default_factory=dict[tuple[str, str], frozenset[str]]
    )
    checkouts: Mapping[frozenset[str], list[dict[str, str]]] = field(
        default_factory=dict[frozenset[str], list[dict[str, str]]]
    )


def shop(  # noqa: PLR0911, PLR0912 - one for each kind of call
    call: Call, state: Shop, found: Found
) -> Iterable[Shop]:
    """Carts, checkouts and all that happens to orders."""
    match call.name:
        case "add":
            return _add(call, state, found)
        case "remove":
            return _remove(call, state)
        case "clear":
            fits = not _known(call) or call.result == len(state.cart)
            return [state._replace(cart=frozenset())] if fits else []
        case "delete":
            return _delete(call, state)
        case "cart":
            seen = _pairs(call.result)
            return [state] if seen == state.cart else []
        case "orders":
            return [state] if _rows(state) == call.result else []
        case "shop rows":
            seen = _pairs(call.result[0])
            fits = seen == state.cart and _rows(state) == call.result[1]
            return [state] if fits else []
        case "checkout":
            return _checkout(call, state, found)
        case "event":
            return _event(call, state)
        case "cancel":
            return _cancel(call, state)
        case "given up":
            return _given_up(call, state)
        case "attach":
            return _attach(call, state)
        case "pay":
            return _pay(call, state)
        case _:
            raise ValueError(call.name)


def _rows(state: Shop) -> list[list[str | None]]:
    return sorted(
        ([each.id, each.crossmint, state.status(each), each.digest])
        for each in state.orders
    )


def _add(call: Call, state: Shop, found: Found) -> Iterator[Shop]:
    product = call.arguments["product"]
    there = next((item for known, item in state.cart if known == product), None)
    full = there is None and len(state.cart) >= CART_ITEMS
    if state.gone or call.error == "UserNotFound":
        if state.gone and call.error == "UserNotFound":
            yield state
        return
    if call.error == "CartFull":
        if full:
            yield state
        return
    if full:
        return
    if there is not None:
        if not _known(call) or call.result == [there, False]:
            yield state
        return
    items = found.items.get((call.arguments["user"], product), frozenset())
    if _known(call):
        items = frozenset[str]([call.result[0]] if call.result[1] else [])
    for item in items:
        pair = product, item
        if pair not in state.products:
            yield state._replace(
                cart=state.cart | {pair}, products=state.products | {pair}
            )


def _remove(call: Call, state: Shop) -> Iterator[Shop]:
    there = {pair for pair in state.cart if pair[1] == call.arguments["item"]}
    held = any(
        each.item == call.arguments["item"] and state.status(each) != _CANCELLED
        for each in state.orders
    )
    if call.error == "CartItemOrdered":
        if held and not there:
            yield state
    elif call.error == "CartItemNotFound":
        if state.gone:
            yield state
    elif (call.result and (there or not held)) or not _known(call):
        yield state._replace(cart=state.cart - there)


def _delete(call: Call, state: Shop) -> Iterator[Shop]:
    """What is open keeps the user; else all goes, but events of orders not here."""
    known = {each.id: state.status(each) for each in state.orders}
    done = {OrderStatus.DELIVERED, _CANCELLED}
    is_open = {order for order, status in known.items() if status not in done}
    if call.error == "UserNotFound":
        if state.gone:
            yield state
    elif state.gone:
        return
    elif call.error == "UserHasOpenOrders":  # of its deposits, too
        if is_open == known.keys() & {*call.result}:
            yield state
    elif not is_open:
        used_up = {each.crossmint for each in state.orders}
        events = {pair for pair in state.events if pair[0] not in used_up}
        yield Shop(events=frozenset(events), gone=True)


def _checkout(call: Call, state: Shop, found: Found) -> Iterator[Shop]:
    lines: list[tuple[str, str | None]] = [(a, b) for a, b in call.arguments["lines"]]
    before = _placed_before(lines, state)
    taken = any(name and state.named(name) for _, name in lines)
    by_item = {item: product for product, item in state.cart}
    there = all(item in by_item for item, _ in lines)
    if call.error == "AlreadyExists":
        if taken and not before:
            yield state
        return
    if call.error == "ItemUnavailable":
        if not there and not taken:
            yield state
        return
    if before:
        if not _known(call) or any(
            [[e.id, state.status(e)] for e in b] == call.result for b in before
        ):
            yield state
        return
    if taken or not there:
        return
    if _known(call):
        made = [{line[0]: row[0] for line, row in zip(lines, call.result, strict=True)}]
    else:
        made = found.checkouts.get(frozenset(item for item, _ in lines), [])
    for ids in made:
        if any(state.order(each) for each in ids.values()):
            continue
        after = _placed(lines, ids, state)
        got = [[ids[item], _status_of(after, ids[item])] for item, _ in lines]
        if not _known(call) or got == call.result:
            yield after


def _status_of(state: Shop, order_id: str) -> Status | None:
    order = state.order(order_id)
    return state.status(order) if order else None


def _placed(
    lines: list[tuple[str, str | None]], ids: dict[str, str], state: Shop
) -> Shop:
    by_item = {item: product for product, item in state.cart}
    group = min(ids.values())
    orders = {
        Order(ids[item], group, item, by_item[item], name) for item, name in lines
    }
    after = state._replace(orders=state.orders | orders)
    gone = {
        (each.product, each.item) for each in orders if after.status(each) != _CANCELLED
    }
    return after._replace(cart=after.cart - gone)


def _placed_before(
    lines: list[tuple[str, str | None]], state: Shop
) -> list[list[Order]]:
    """Give the orders of the checkouts of these lines, in their order."""
    found: list[list[Order]] = []
    if not any(name for _, name in lines):
        return found
    for group in {each.group for each in state.orders}:
        by_item = {each.item: each for each in state.orders if each.group == group}
        if set(by_item) == {item for item, _ in lines} and all(
            name in {None, by_item[item].crossmint} for item, name in lines
        ):
            found.append([by_item[item] for item, _ in lines])
    return found


def _event(call: Call, state: Shop) -> Iterator[Shop]:
    pair = call.arguments["crossmint"], call.arguments["type"]
    if call.arguments["forged"] or call.error == "SignatureInvalid":
        if call.arguments["forged"] and call.error == "SignatureInvalid":
            yield state
        return
    order = state.named(pair[0])
    first = pair not in state.events
    if not first:
        if not _known(call) or call.result[:2] == [False, order.id if order else None]:
            yield state
        return
    after = state._replace(events=state.events | {pair})
    got: list[object] = [True, None, None, None]
    if order:
        got = [True, order.id, state.status(order), after.status(order)]
        after = after.moved(order, state.status(order))
    if not _known(call) or call.result == got:
        yield after


def _cancel(call: Call, state: Shop) -> Iterator[Shop]:
    order = state.order(call.arguments["order"])
    if order is None:
        if call.error == "OrderNotFound":
            yield state
        return
    status = state.status(order)
    if call.error == "OrderNotCancellable":
        if status not in _UNPAID:
            yield state
    elif status == _CANCELLED:
        yield state
    elif status == _AWAITING:
        yield state.changed(order, order._replace(cancelled=True), status)


def _given_up(call: Call, state: Shop) -> Iterator[Shop]:
    order = state.order(call.arguments["order"])
    if order and state.status(order) == _AWAITING and order.digest is None:
        yield state.changed(order, order._replace(given_up=True), _AWAITING)


def _attach(call: Call, state: Shop) -> Iterator[Shop]:
    order = state.order(call.arguments["order"])
    name = call.arguments["crossmint"]
    if order is None:
        if call.error == "OrderNotFound":
            yield state
        return
    if call.error == "AlreadyExists":
        if order.crossmint != name and (order.crossmint or state.named(name)):
            yield state
    elif order.crossmint == name:
        yield state
    elif order.crossmint is None and not state.named(name):
        was = state.status(order)
        yield state.changed(order, order._replace(crossmint=name), was)


def _pay(call: Call, state: Shop) -> Iterator[Shop]:
    order = state.named(call.arguments["crossmint"])
    digest = call.arguments["digest"]
    used = any(each.digest == digest for each in state.orders if each != order)
    if call.error == "OrderNotFound":
        if order is None:
            yield state
        return
    if order is None:
        return
    refused = used or order.digest not in {None, digest}
    if call.error == "AlreadyExists":
        if refused:
            yield state
    elif not refused and (not _known(call) or call.result == order.id):
        after = order._replace(digest=digest)
        yield state._replace(orders=state.orders - {order} | {after})
