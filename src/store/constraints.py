"""From the driver's errors to the store's, by SQLSTATE and by the rule that was broken.

`RULES` says in words what each named rule of the schema demands; a test compares its
names with the database's catalog.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from traceback import walk_tb
from typing import NamedTuple, TypeAlias, cast

import psycopg
from psycopg import errors as driver

from . import errors

RULES = {
    "cart_items_active_variant_key": "a cart holds a product, size and colour once",
    "cart_items_ended_is_out_of_cart": "what has ended on chain is out of the cart",
    "cart_items_on_chain_object_id_key": "a chain object is one cart item",
    "cart_items_pkey": "a cart item's id is unique",
    "cart_items_user_id_fkey": "a cart item needs its user",
    "cart_items_variant_has_no_empty_text": "an absent size or colour is NULL",
    "chain_cursor_is_not_empty": "a cursor has both of its texts",
    "chain_cursor_is_one_row": "there is one cursor",
    "chain_cursor_pkey": "there is one cursor",
    "chain_event_type_is_known": "a chain event is added, removed or checked_out",
    "chain_events_added_names_product": "an added event names product, name and price",
    "chain_events_order_names_product": "an order's event names product, name, price",
    "chain_events_pkey": "a chain event is kept once",
    "chain_events_sequence_is_not_negative": "an event sequence is not negative",
    "chat_messages_has_metadata_is_true": "metadata are there if the row says so",
    "chat_messages_parts_is_array": "a message's parts are a JSON array",
    "chat_messages_pkey": "a message's id is unique",
    "chat_messages_session_id_fkey": "a message needs its chat session",
    "chat_messages_session_id_msg_id_key": "a message is in its session once",
    "chat_messages_session_id_position_key": "a message has its place to itself",
    "chat_sessions_pkey": "a chat session's id is unique",
    "chat_sessions_source_needs_title": "only a title has a source",
    "chat_sessions_updated_after_created": "an update comes after the creation",
    "chat_sessions_user_id_fkey": "a chat session needs its user",
    "country_code_is_two_letters": "a country is two capital letters (ISO 3166-1)",
    "crossmint_id_is_not_empty": "a Crossmint id is not empty",
    "email_address_is_not_empty": "an e-mail address is not empty",
    "encrypted_key_is_not_plain": "a wallet key is stored encrypted",
    "evm_address_is_normalised": "an EVM address is 0x and 40 lower-case hex digits",
    "message_role_is_known": "a role is user, assistant, system or tool",
    "mutexes_pkey": "a row to lock is there once",
    "onboarding_step_is_0_to_3": "an onboarding step is 0 to 3",
    "order_events_amount_is_finite": "an amount is finite and not negative",
    "order_events_concerns_one_order": "an event names its order in one way",
    "order_events_order_id_fkey": "an event of our own needs its order",
    "order_events_payload_is_kept_once": "an event is kept parsed or as it came",
    "order_events_pkey": "an event is kept once",
    "order_events_raw_is_bounded": "an event as it came has at most 1 MiB",
    "order_items_cart_item_id_fkey": "a snapshot's cart item exists",
    "order_items_order_id_fkey": "a snapshot needs its order",
    "order_items_order_id_key": "an order has one snapshot",
    "order_items_pkey": "a snapshot's id is unique",
    "order_items_variant_has_no_empty_text": "an absent size or colour is NULL",
    "order_status_is_known": "an order's status is one of the known ones",
    "order_type_is_known": "an order is a checkout or a deposit",
    "orders_checkout_id_is_a_checkouts": "only checkouts have a checkout_id",
    "orders_crossmint_order_id_key": "a Crossmint order is one order",
    "orders_deposit_has_tx_hash": "a deposit names its transaction",
    "orders_pkey": "an order's id is unique",
    "orders_settled_is_a_deposit": "only deposits are settled",
    "orders_tx_hash_key": "a transaction is used once",
    "orders_user_id_fkey": "an order needs its user",
    "retired_orders_crossmint_order_id_key": "a Crossmint order is retired once",
    "retired_orders_pkey": "an order is retired once",
    "retired_orders_tx_hash_key": "a transaction is retired once",
    "set_aside_chain_events_is_bounded": "a set-aside event has at most 1 MiB",
    "set_aside_chain_events_pkey": "an event is set aside once",
    "sui_address_is_normalised": "a Sui address is 0x and 64 lower-case hex digits",
    "sui_digest_is_base58": "a Sui digest is 32 to 44 characters of base58",
    "sui_object_id_is_normalised": "an item's name on chain is a lower-case UUID, or 0x"
    " and 64 lower-case hex digits",
    "title_source_is_known": "a title is chosen, made or a model's",
    "transaction_hash_is_of_a_chain": "a transaction hash is a Sui digest or 0x and 64"
    " lower-case hex digits",
    "usd_cents_is_not_negative": "a price is not negative",
    "usdc_amount_has_6_decimals": "an amount in USDC has at most 6 decimals",
    "usdc_amount_is_finite": "an amount in USDC is finite",
    "usdc_amount_is_not_negative": "an amount in USDC is not negative",
    "users_crossmint_user_id_key": "a Crossmint identity is one user",
    "users_pkey": "a user's id is unique",
    "users_updated_after_created": "an update comes after the creation",
    "wallet_status_is_known": "a wallet is none, pending, active or failed",
}

_Kind: TypeAlias = type[errors.DatabaseError] | type[errors.InvalidValue]

_KINDS: tuple[tuple[type[psycopg.Error], _Kind], ...] = (
    (driver.UniqueViolation, errors.AlreadyExists),
    (driver.ExclusionViolation, errors.AlreadyExists),
    (driver.ForeignKeyViolation, errors.MissingReference),
    (psycopg.IntegrityError, errors.InvalidValue),
    (psycopg.DataError, errors.InvalidValue),
    (driver.SerializationFailure, errors.TransactionConflict),
    (driver.DeadlockDetected, errors.TransactionConflict),
    (driver.PipelineAborted, errors.DatabaseError),
    (driver.QueryCanceled, errors.StatementTimeout),
    (driver.LockNotAvailable, errors.LockTimeout),
    (driver.TransactionTimeout, errors.TransactionTimeout),
    (driver.DiskFull, errors.DiskFull),
    (driver.OutOfMemory, errors.OutOfMemory),
    (driver.TooManyConnections, errors.ServerNotReady),
    (driver.CannotConnectNow, errors.ServerNotReady),
    (driver.ReadOnlySqlTransaction, errors.ReadOnly),
    (driver.UndefinedTable, errors.SchemaMismatch),
    (driver.UndefinedColumn, errors.SchemaMismatch),
    (driver.UndefinedFunction, errors.SchemaMismatch),
    (driver.UndefinedObject, errors.SchemaMismatch),
    (driver.InvalidSchemaName, errors.SchemaMismatch),
)

_WORDS: dict[_Kind, str] = {
    errors.ConnectionLost: "the connection to the database was lost",
    errors.TransactionConflict: "another transaction went first",
    errors.PlanOutdated: "a column changed its type under a prepared statement",
    errors.InvalidValue: "a value does not fit its column",
    errors.StatementTimeout: "the statement was cancelled, by its limit of time or by"
    " somebody",
    errors.LockTimeout: "somebody else held a lock for longer than the limit of time",
    errors.TransactionTimeout: "the transaction took longer than its limit of time",
    errors.DiskFull: "the server's disk is full",
    errors.OutOfMemory: "the server is out of memory",
    errors.ServerNotReady: "the server takes no connections now",
    errors.ReadOnly: "the server is a standby, or the session may not write: name all"
    " hosts in DATABASE_URL, with target_session_attrs=read-write",
    errors.ReplicaWritten: "a replica is only read: write through a Store",
    errors.SchemaMismatch: "the schema is not migrated, or behind: run `make migrate`",
}

# The server is going away, or was never there: what was sent did not commit.
_LOST_STATES = frozenset({"57P01", "57P02", "25P03", "57P05"})

# Why a connection was refused is told by text alone, to libpq too. What is not known
# here is told as a refusal without a reason.
_NOT_READY = (
    "the database system is|too many (clients|connections)|connection slots"
    "|no more connections|pgbouncer cannot connect|login failed|server_login_retry"
    "|server closed the connection|terminating connection|canceling authentication"
)
_NOT_READY_WORDS = (
    "the server takes no connections now: it is starting or shutting down, or is full"
)
_NO_STANDBY = (
    "DATABASE_URL asks for a standby by its target_session_attrs, and only a primary"
    " answers: prefer-standby takes that, too"
)
_ONLY_STANDBY = (
    "DATABASE_URL names no primary that answers, only a standby: name the primary's"
    " host too, or promote the standby"
)
_REFUSALS: tuple[tuple[str, type[errors.Unavailable | errors.ReadOnly], str], ...] = (
    (_NOT_READY, errors.ServerNotReady, _NOT_READY_WORDS),
    (
        "session is not read-only|is not in hot standby mode",
        errors.ServerUnreachable,
        _NO_STANDBY,
    ),
    (
        "session is read-only|hot standby mode",
        errors.ReadOnly,
        _ONLY_STANDBY,
    ),
    (
        "password|SASL|authentication",
        errors.AccessRefused,
        "the server refused the user or the password of DATABASE_URL",
    ),
    (
        "database .* does not exist|no such database",
        errors.AccessRefused,
        "there is no database of the name in DATABASE_URL",
    ),
    (
        "role .* does not exist|no such user|no pg_hba.conf entry|permission denied",
        errors.AccessRefused,
        "the server lets nobody in as the user of DATABASE_URL, from here",
    ),
    (
        "resolve host|translate host name",
        errors.ServerUnreachable,
        "the host name in DATABASE_URL is not known",
    ),
    (
        "refused|No such file",
        errors.ServerUnreachable,
        "nobody listens at the host and port of DATABASE_URL",
    ),
    (
        "timeout|timed out",
        errors.ServerUnreachable,
        "the server of DATABASE_URL did not answer in time",
    ),
    (
        "FATAL",
        errors.AccessRefused,
        "the server refused the connection; its log says why",
    ),
)


class LimitReached(psycopg.OperationalError):
    """The driver's kind of error for what the client itself has ended: ``kind``."""

    def __init__(self, kind: type[errors.TimeLimitReached]) -> None:
        super().__init__("a limit of time was reached")
        self.kind = kind


def refused(
    error: psycopg.Error, setting: str = "DATABASE_URL"
) -> errors.DatabaseError | errors.InvalidValue:
    """Give the store's error for one in connecting, without the text of it."""
    if error.sqlstate:
        return translate(error)
    text = "timeout" if isinstance(error, LimitReached) else str(error)
    for pattern, kind, words in _REFUSALS:
        if re.search(pattern, text):
            return kind(words.replace("DATABASE_URL", setting))
    return errors.ServerUnreachable("no connection could be made")


class _Names(NamedTuple):
    """What an error is about, as far as it says so."""

    constraint: str | None
    table: str | None
    column: str | None


# In any language, whose quotes differ.
_QUOTED = re.compile('["«»„“]([^"«»„“”]+)["«»“”]')
_SHARD = re.compile(r"_\d{6,}$")
_NULL = re.compile(r"null value in column ")
# What refuse_retired_order raises, in these words whatever the server's language.
_RETIRED = re.compile(r"a deleted user's order has used this (\w+)")
_TABLES = [rule[: -len("_pkey")] for rule in RULES if rule.endswith("_pkey")]


def translate(
    error: psycopg.Error, *, reads_only: bool = False
) -> errors.DatabaseError | errors.InvalidValue:
    """Give the store's error for one of the driver's, without the values it tells."""
    if isinstance(error, psycopg.DataError) and (unfit := _unfit_text(error)):
        return unfit
    names = _names(error)
    if any(names) and isinstance(error, driver.InternalError_):
        kind = _kind_of_rule(names.constraint or "")
    else:
        kind = _kind(error)
    if reads_only and kind is errors.ReadOnly:
        kind = errors.ReplicaWritten
    return kind(
        _message(kind, error, names),
        sqlstate=error.sqlstate,
        constraint=names.constraint,
        table=names.table,
        column=names.column,
    )


def _unfit_text(error: psycopg.DataError) -> errors.InvalidValue | None:
    """Give the error of a text that is too long, or has a NUL, with the argument.

    The server names no column, and in a pipeline the function has returned by then.
    """
    if error.sqlstate is None and "cannot contain NUL" in str(error):
        place = _argument(error, lambda text: "\0" in text)
        return errors.InvalidValue("text without NUL characters", place=place)
    told = error.diag.message_primary or ""
    if error.sqlstate != "22001" or not (limit := re.search(r"\((\d+)\)", told)):
        return None
    longest = int(limit[1])
    return errors.InvalidValue(
        f"a text has more than the {longest} characters that its column holds",
        place=_argument(error, lambda text: len(text.rstrip(" ")) > longest),
        sqlstate=error.sqlstate,
    )


def _argument(error: BaseException, is_wrong: Callable[[str], bool]) -> str | None:
    """Name the arguments of the generated function that failed which are wrong."""
    for frame, _ in walk_tb(error.__traceback__):
        package, _, _ = frame.f_globals.get("__name__", "").partition(".")
        if package == "generated":
            wrong = [
                name
                for name, value in frame.f_locals.items()
                for text in cast(
                    "list[object]", value if isinstance(value, list) else [value]
                )
                if isinstance(text, str) and is_wrong(text)
            ]
            return " or ".join(dict.fromkeys(wrong)) or None
    return None


def _names(error: psycopg.Error) -> _Names:
    """Give the names that an error has; of one from a Citus worker, those in its text.

    Through another node it comes without them, and some are told as internal errors
    (13.2). A shard's number stands behind the names. Our rules are known by name.
    """
    diag = error.diag
    given = _Names(
        *(
            name and _SHARD.sub("", name)
            for name in (diag.constraint_name, diag.table_name, diag.column_name)
        )
    )
    state = error.sqlstate or ""
    if any(given) or not (state.startswith("23") or state == "XX000"):
        return given
    text = diag.message_primary or ""
    quoted = [_SHARD.sub("", name) for name in _QUOTED.findall(text)]
    if retired := _RETIRED.fullmatch(text):
        quoted.append(f"orders_{retired[1]}_key")
    if rule := next((name for name in quoted if name in RULES), None):
        table = next((name for name in _TABLES if rule.startswith(f"{name}_")), None)
        return _Names(rule, table, None)
    is_null = state == driver.NotNullViolation.sqlstate or _NULL.match(text)
    if is_null and len(quoted) > 1:
        return _Names(None, quoted[1], quoted[0])
    return given


def _kind(error: psycopg.Error) -> _Kind:
    if isinstance(error, LimitReached):
        return error.kind
    for theirs, ours in _KINDS:
        if isinstance(error, theirs):
            return ours
    state = error.sqlstate
    if is_stale(error):
        return errors.PlanOutdated
    if state is not None and state.startswith("53"):
        return errors.OutOfResources
    if state is None:
        is_lost = isinstance(error, psycopg.OperationalError)
    else:
        is_lost = state in _LOST_STATES or state.startswith("08")
    if is_lost:
        return errors.ConnectionLost
    return errors.DatabaseError


def _kind_of_rule(name: str) -> _Kind:
    """Tell by its name, which ends as PostgreSQL's own do, what a rule refuses."""
    if name.endswith("_fkey"):
        return errors.MissingReference
    return errors.AlreadyExists if name.endswith("key") else errors.InvalidValue


def is_stale(error: psycopg.Error) -> bool:
    """Tell whether a prepared statement's columns have changed.

    By the place in the server's source: the code has other meanings, too, and the text
    is translated.
    """
    return (
        isinstance(error, driver.FeatureNotSupported)
        and error.diag.source_function == "RevalidateCachedQuery"
    )


def _message(kind: _Kind, error: psycopg.Error, names: _Names) -> str:
    if rule := names.constraint:
        return f"{RULES.get(rule, 'the database refused the row')} ({rule})"
    if names.column:
        return f"{names.table}.{names.column} must not be empty"
    return f"{_WORDS.get(kind, 'the database refused')} ({type(error).__name__})"


@contextmanager
def translated(*, reads_only: bool = False) -> Generator[None]:
    """Raise the store's errors in place of the driver's, as they leave the block.

    Raises:
        DatabaseError: or the one below it that fits.
        InvalidValue: a value does not fit its column, or breaks a rule about its row.
    """
    try:
        yield
    except psycopg.Error as error:
        raise translate(error, reads_only=reads_only) from None
    except UnicodeEncodeError as error:
        # A lone surrogate, which the driver cannot send; its error holds the text.
        place = _argument(error, error.object.__eq__)
        raise errors.InvalidValue("text without lone surrogates", place=place) from None
