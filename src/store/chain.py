"""Products, and what a page of Sui's `queryEvents` says of them.

The shape of a page is that of Sui's SDK, which hands on the JSON-RPC result as it is:
https://sdk.mystenlabs.com/typedoc/interfaces/_mysten_sui.client.PaginatedEvents.html
https://sdk.mystenlabs.com/typedoc/types/_mysten_sui.client.SuiEvent.html
What `parsedJson` holds is the contract's. A Move u64 is a text there, and a text that
was not given is empty.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, Self, cast
from uuid import UUID, uuid5

import pydantic
from pydantic import AfterValidator, BeforeValidator, Field

from . import addresses
from .errors import InvalidValue

_MOST_CENTS = 2**31 - 1
_MOST_BIGINT = 2**63 - 1
_MOST_MILLISECONDS = 253_370_764_799_999  # the end of the year 9998
_LONGEST_RAW = 1 << 20
_LONGEST_REASON = 500
_MOST_DIGITS = 99  # of a JSON number that is read as one
_NAMESPACE = UUID("4d6c8f3e-5f0b-4c8e-9d0e-2a5f4c1b7e63")

# In words of ours, by pydantic's type of error.
_PROBLEMS = {
    "missing": "it is missing",
    "model_type": "it is no object",
    "string_type": "it is no text",
    "string_too_long": "it has more than {max_length} characters",
    "too_long": "it has more than {max_length} characters",
    "string_too_short": "it is empty",
    "too_short": "it is empty",
    "greater_than_equal": "it is below {ge}",
    "less_than_equal": "it is above {le}",
}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _storable(text: str) -> str:
    if "\0" in text or re.search("[\ud800-\udfff]", text):
        raise ValueError("it has a NUL or half a surrogate pair")
    return text


def _number(value: object) -> object:
    """Read a u64, which Sui spells as a text."""
    if isinstance(value, str) and re.fullmatch("[0-9]{1,20}", value):
        return int(value)
    if type(value) is int:
        return value
    raise ValueError("it is no whole number")


def _checked(check: Callable[[str], str]) -> AfterValidator:
    """Have a text brought into its one form."""

    def checked(text: str) -> str:
        try:
            return check(text)
        except InvalidValue as error:
            raise ValueError(f"it is not {error.expected}") from None

    return AfterValidator(checked)


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


_Text = Annotated[str, AfterValidator(_storable)]
_Text255 = Annotated[_Text, Field(max_length=255)]
_Name255 = Annotated[_Text255, Field(min_length=1)]
_IfAny = BeforeValidator(_none_if_empty)
_Text50IfAny = Annotated[Annotated[_Text, Field(max_length=50)] | None, _IfAny]
_Text255IfAny = Annotated[_Text255 | None, _IfAny]
_Text2048IfAny = Annotated[Annotated[_Text, Field(max_length=2048)] | None, _IfAny]


class _Strict(pydantic.BaseModel):
    """What is taken for nothing that it is not: no text for a number, no bool."""

    model_config = pydantic.ConfigDict(
        strict=True, frozen=True, hide_input_in_errors=True
    )


class ChainCursor(_Strict):
    """A place in the events of the contract's module, as a node names it.

    It is opaque: what came as `nextCursor` goes back as `cursor`, by ``as_json``.

    Example::

        cursor = ChainCursor.of({"txDigest": "44PM…", "eventSeq": "0"})
    """

    model_config = pydantic.ConfigDict(validate_by_name=True, validate_by_alias=True)

    tx_digest: Annotated[_Name255, Field(alias="txDigest")]
    event_seq: Annotated[_Name255, Field(alias="eventSeq")]

    @classmethod
    def of(cls, value: object) -> Self:
        """Read a cursor as a node gives it: `{"txDigest": …, "eventSeq": …}`.

        Raises:
            InvalidValue: it is none.
        """
        try:
            return cls.model_validate(value)
        except pydantic.ValidationError:
            raise InvalidValue("a cursor of Sui's queryEvents") from None

    def as_json(self) -> dict[str, str]:
        """Give it as a node takes it."""
        return self.model_dump(by_alias=True)


class _EventId(_Strict):
    tx_digest: Annotated[str, _checked(addresses.sui_digest), Field(alias="txDigest")]
    event_sequence: Annotated[
        int, BeforeValidator(_number), Field(ge=0, le=_MOST_BIGINT, alias="eventSeq")
    ]


class _Envelope(_Strict):
    id: _EventId
    milliseconds: Annotated[
        Annotated[int, BeforeValidator(_number), Field(ge=0, le=_MOST_MILLISECONDS)]
        | None,
        Field(alias="timestampMs"),
    ] = None


class _Removed(_Strict):
    """CartItemRemoved. It repeats the product, of which nobody needs anything."""

    owner: Annotated[str, _checked(addresses.sui_address)]
    item_id: Annotated[str, _checked(addresses.on_chain_object_id)]


class _Added(_Removed):
    """CartItemAdded."""

    product_id: _Name255
    product_name: Annotated[_Text, Field(min_length=1, max_length=500)]
    price: Annotated[int, BeforeValidator(_number), Field(ge=0, le=_MOST_CENTS)]
    image: _Text2048IfAny = None
    product_url: _Text2048IfAny = None
    size: _Text50IfAny = None
    color: _Text50IfAny = None
    retailer: _Text255IfAny = None


class _OrderCreated(_Added):
    """OrderCreated; ``order_id`` is Crossmint's."""

    order_id: _Name255


_Kind = Literal["added", "removed", "checked_out"]

_KINDS: dict[str, tuple[_Kind, type[_Removed]]] = {
    "CartItemAdded": ("added", _Added),
    "CartItemRemoved": ("removed", _Removed),
    "OrderCreated": ("checked_out", _OrderCreated),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainEvent:
    """One event of a cart item, as a row of `chain_events` holds it."""

    tx_digest: str
    event_sequence: int
    type: _Kind
    object_id: str
    wallet_address: str
    occurred_at: datetime
    time_is_of_receipt: bool
    crossmint_order_id: str | None = None
    product_id: str | None = None
    product_name: str | None = None
    price: int | None = None
    image: str | None = None
    product_url: str | None = None
    size: str | None = None
    color: str | None = None
    retailer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PageEntry:
    """One entry of a page: an ``event``, or the ``reason`` why it could not be read.

    Neither, if it is of a type that the mirror has no use for. The ``id`` is made of
    the event's own, so that it is the same each time. ``wallet_address`` is whose cart
    it is, where that can be read. ``raw`` is the entry as JSON in ASCII, whole or its
    first MiB.
    """

    id: UUID
    event: ChainEvent | None
    reason: str | None
    wallet_address: str | None
    raw: str
    is_whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainPage:
    """A page of `queryEvents` that was read."""

    entries: tuple[PageEntry, ...]
    next_cursor: ChainCursor | None
    has_next_page: bool

    @classmethod
    def read(cls, page: bytes | str | Mapping[str, Any]) -> Self:
        """Read a page as it came: the result, or the JSON-RPC answer around it.

        Raises:
            InvalidValue: it is no page. What is wrong with an event, its entry says.
        """
        answer = page if isinstance(page, Mapping) else _decoded(page)
        result = answer if "data" in answer else answer.get("result")
        if not isinstance(result, Mapping):
            raise _no_page()
        result = cast("Mapping[str, Any]", result)
        entries = result.get("data")
        cursor, more = result.get("nextCursor"), result.get("hasNextPage", False)
        if not isinstance(entries, list) or not isinstance(more, bool):
            raise _no_page()
        received_at = datetime.now(UTC)
        return cls(
            entries=tuple(
                _entry(each, received_at) for each in cast("list[object]", entries)
            ),
            next_cursor=None if cursor is None else ChainCursor.of(cursor),
            has_next_page=more,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedPage:
    """What has become of a page.

    ``cursor`` is what to ask for the next page with (None: the beginning), at once if
    ``has_next_page``. If ``repeated``, the page had been recorded before, and nothing
    was written. ``recorded`` counts the events that were new, ``skipped`` those of
    types without use and of wallets that nobody here has, ``set_aside`` those that a
    worker should look at.
    """

    cursor: ChainCursor | None
    has_next_page: bool
    repeated: bool = False
    recorded: int = 0
    skipped: int = 0
    set_aside: int = 0


def _no_page() -> InvalidValue:
    return InvalidValue("a page of Sui's queryEvents", place="page")


def _decoded(page: bytes | str) -> Mapping[str, Any]:
    def number(digits: str) -> int | str:
        return int(digits) if len(digits) <= _MOST_DIGITS else digits

    try:
        answer = json.loads(page, parse_int=number)
    except (ValueError, RecursionError):
        raise _no_page() from None
    if not isinstance(answer, dict):
        raise _no_page()
    return cast("dict[str, Any]", answer)


def _entry(given: object, received_at: datetime) -> PageEntry:
    """Read one entry of a page, which may be anything."""
    raw = _raw(given)
    fields = cast("dict[str, Any]", given) if isinstance(given, dict) else {}
    event, reason, wallet = None, None, None
    try:
        name = re.search("::cart::([A-Za-z0-9_]+)$", fields["type"])
    except (KeyError, TypeError):
        reason = "type: it is missing, or no text"
    else:
        if kind := _KINDS.get(name[1]) if name else None:
            wallet = _wallet(fields.get("parsedJson"))
            event, reason = _event(fields, kind, received_at)
    return PageEntry(
        id=uuid5(_NAMESPACE, _name(fields) or raw),
        event=event,
        reason=reason,
        wallet_address=wallet,
        raw=raw[:_LONGEST_RAW],
        is_whole=0 < len(raw) <= _LONGEST_RAW,
    )


def _event(
    fields: Mapping[str, Any],
    kind: tuple[_Kind, type[_Removed]],
    received_at: datetime,
) -> tuple[ChainEvent | None, str | None]:
    """Read an event of a type that has its use; else give the reason."""
    type_, model = kind
    try:
        envelope = _Envelope.model_validate(fields)
    except pydantic.ValidationError as error:
        return None, _reason(error)
    try:
        said = model.model_validate(fields.get("parsedJson"))
    except pydantic.ValidationError as error:
        return None, _reason(error, "parsedJson")
    product = said.model_dump(exclude={"owner", "item_id", "order_id"})
    absent = envelope.milliseconds is None
    event = ChainEvent(
        tx_digest=envelope.id.tx_digest,
        event_sequence=envelope.id.event_sequence,
        type=type_,
        object_id=said.item_id,
        wallet_address=said.owner,
        occurred_at=received_at
        if envelope.milliseconds is None
        else _EPOCH + timedelta(milliseconds=envelope.milliseconds),
        time_is_of_receipt=absent,
        crossmint_order_id=said.order_id if isinstance(said, _OrderCreated) else None,
        **product,
    )
    return event, None


def _reason(error: pydantic.ValidationError, *place: str) -> str:
    """Say which fields break which rules, and nothing of what they hold."""
    problems: list[str] = []
    for each in error.errors(include_url=False, include_input=False):
        field = ".".join([*place, *map(str, each["loc"])])
        known, ctx = _PROBLEMS.get(each["type"]), each.get("ctx", {})
        problem = known.format(**ctx) if known else str(ctx.get("error", each["msg"]))
        problems.append(f"{field}: {problem}")
    return "; ".join(problems)[:_LONGEST_REASON]


def _wallet(content: object) -> str | None:
    match content:
        case {"owner": str(owner)}:
            try:
                return addresses.sui_address(owner)
            except InvalidValue:
                return None
        case _:
            return None


def _name(fields: Mapping[str, Any]) -> str | None:
    """Give the event's own id as one text, if it has one."""
    try:
        own = _EventId.model_validate(fields.get("id"))
    except pydantic.ValidationError:
        return None
    return f"{own.tx_digest}:{own.event_sequence}"


def _raw(given: object) -> str:
    try:
        return json.dumps(given, default=str)
    except (TypeError, ValueError, RecursionError):
        return ""
