"""What each object is, and what each call does to it, in plain Python.

Each function gives the states to which a call with its result may lead: none, if its
result cannot be. Of a call whose outcome is unknown it gives the states that its
effects may lead to; ids that the database made come from the rows, in `Found`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from generated.enums import OrderStatus
from tests.history.calls import CART_ITEMS
from tests.history.records import Call
from tests.property.model import GIVEN_UP, USER_CANCELLED, status_of

__all__ = [
    "Chat",
    "Deposit",
    "Found",
    "Order",
    "Shop",
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
    """The first call creates the user; all give the same one."""
    if call.name == "user rows":
        if call.result == state or (state == "?" and call.result):
            yield state
    elif not _known(call):
        yield state or "?"
    elif state in {None, "?", call.result}:
        yield call.result


def wallet(call: Call, state: str) -> Iterator[str]:
    """`none`, `pending`, or the address that was first."""
    if call.name == "begin_wallet":
        if not _known(call):
            yield "pending" if state == "none" else state
        elif call.result == (state == "none"):
            yield "pending" if call.result else state
        return
    if call.name == "wallet rows":
        if call.result == state:
            yield state
        return
    asked = call.arguments["address"]
    if call.error == "WalletNotPending":
        if state == "none":
            yield state
    elif call.error == "WalletAlreadyActive":
        if state not in {"none", "pending", asked}:
            yield state
    elif state in {"pending", asked}:
        yield asked


# A deposit


class Deposit(NamedTuple):
    """Whose it is, and whether it was credited."""

    owner: str | None = None
    id: str | None = None
    credited: bool = False


def deposit(  # noqa: PLR0912 - a case for each result
    call: Call, state: Deposit
) -> Iterator[Deposit]:
    """The first to record it has it; it is credited once."""
    if call.name == "deposit rows":
        if [state.id if state.id != "?" else call.result[0], state.credited] == (
            call.result
        ):
            yield state
    elif call.name == "credit":
        may = state.owner is not None and not state.credited
        if not _known(call):
            yield state._replace(credited=state.credited or may)
        elif call.result is None:
            if not may:
                yield state
        elif may and state.id in {"?", call.result}:
            yield state._replace(id=call.result, credited=True)
    else:
        user = call.arguments["user"]
        if not _known(call):
            yield Deposit(user, "?") if state.owner is None else state
        elif call.result is None:
            if state.owner not in {None, user}:
                yield state
        elif call.result[1]:
            if state.owner is None:
                yield Deposit(user, call.result[0])
        elif state.owner == user and state.id in {"?", call.result[0]}:
            yield state._replace(id=call.result[0])


# A chat


class Chat(NamedTuple):
    """The version, what each message says, and what the last save said."""

    version: int = 0
    texts: frozenset[tuple[str, str]] = frozenset()
    last: tuple[str, str, int] | None = None


def chat(call: Call, state: Chat) -> Iterator[Chat]:
    """Each save makes the version grow; one from an older version is refused."""
    if call.name == "messages":
        if _pairs(call.result) == state.texts:
            yield state
        return
    if call.name == "chat rows":
        said = _pairs(call.result[1])
        if call.result[0] == state.version and said == state.texts:
            yield state
        return
    message, text = call.arguments["message"], call.arguments["text"]
    since = call.arguments["from_version"]
    last = None if since is None else (message, text, since)
    repeated = last is not None and state.last == last
    if call.error == "ChatOvertaken":
        if since != state.version and not repeated:
            yield state
        return
    if since in {None, state.version}:
        texts = {pair for pair in state.texts if pair[0] != message}
        after = Chat(state.version + 1, frozenset(texts | {(message, text)}), last)
    elif repeated:
        after = state
    else:
        return
    if not _known(call) or call.result == after.version:
        yield after


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


def shop(  # noqa: PLR0911 - one for each kind of call
    call: Call, state: Shop, found: Found
) -> Iterable[Shop]:
    """Carts, checkouts and all that happens to orders."""
    match call.name:
        case "add":
            return _add(call, state, found)
        case "remove":
            return _remove(call, state)
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
    if not _known(call) or call.result == bool(there):
        yield state._replace(cart=state.cart - there)


def _checkout(call: Call, state: Shop, found: Found) -> Iterator[Shop]:
    lines: list[tuple[str, str | None]] = [(a, b) for a, b in call.arguments["lines"]]
    before = _placed_before(lines, state)
    taken = any(name and state.named(name) for _, name in lines)
    by_item = {item: product for product, item in state.cart}
    there = all(item in by_item for item, _ in lines)
    if call.error == "CheckoutConflict":
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
        return
    if call.error == "CheckoutConflict":
        if order.crossmint not in {None, name}:
            yield state
    elif call.error == "AlreadyExists":
        if order.crossmint is None and state.named(name):
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
    if call.error == "DigestConflict":
        if refused:
            yield state
    elif not refused and (not _known(call) or call.result == order.id):
        after = order._replace(digest=digest)
        yield state._replace(orders=state.orders - {order} | {after})
