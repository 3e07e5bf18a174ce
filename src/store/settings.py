"""The settings, read from environment variables; a `.env` file is never read.

`DATABASE_URL`
    What the queries go through; it may be a pooler.
`DATABASE_URL_DIRECT`
    The server itself, for what a pooler cannot do: migrations. Defaults to the former.
`DATABASE_URL_REPLICA`
    A standby of it, for a `Replica`, which only reads; see docs/replicas.md.
`DATABASE_POOLER`
    Whether DATABASE_URL leads through a pooler: `auto` (the default: the store finds
    out at each connection), `yes` or `no`.
`DATABASE_SCHEMA`
    The schema that the store is in, of several in one database (docs/scaling.md); by
    default the first of the role's search_path.
`DATABASE_POOL_SIZE`
    How many connections a store has at most (default 5).
`DATABASE_…_TIMEOUT`
    Limits in seconds: CONNECT (5), ACQUIRE (10), STATEMENT (10), LOCK (5),
    TRANSACTION (30), IDLE (10) and NETWORK (15); see docs/connections.md.
`CART_SERVICE`
    Who writes carts: `db` (the default, the store) or `onchain` (the mirror alone).
`CART_MAX_ITEMS`
    How many items a cart in the database may have (default 10): more are refused.
`CHECKOUT_MAX_LINES`, `TURN_MAX_MESSAGES`, `CHAIN_PAGE_MAX_EVENTS`
    How many lines, messages and events one call may have (default 100, 1000 and 1000):
    it holds its locks for no longer than they take.
`WALLET_ENCRYPTION_KEYS`
    Comma-separated ring of 32-byte keys in hex. The first encrypts, all decrypt.
`CROSSMINT_WEBHOOK_SECRETS`
    Comma-separated ring of secrets, with `whsec_` or without, any of which may have
    signed.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Annotated, Literal, Self, TypedDict, Unpack

import psycopg
from psycopg import conninfo
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretBytes,
    SecretStr,
    ValidationError,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from .errors import ConfigurationError
from .limits import Limits
from .webhooks import signing_key

_KEY_BYTES = 32  # AES-256

_DATABASE_REMEDY = "set it to postgresql://USER:PASSWORD@HOST:5432/NAME"
_SCHEMA_REMEDY = (
    "set it to at most 63 lower-case letters, digits and _, no digit first, or leave it"
    " out"
)
_TIMEOUT_REMEDY = "set it to a number of seconds above 0, or leave it out"
_NUMBER_REMEDY = "set it to a number above 0, or leave it out"
_REMEDIES = {
    "database_url": _DATABASE_REMEDY,
    "database_url_direct": _DATABASE_REMEDY,
    "database_url_replica": _DATABASE_REMEDY + ", a standby of DATABASE_URL",
    "database_pooler": "set it to auto, yes or no, or leave it out for auto",
    "database_schema": _SCHEMA_REMEDY,
    "database_pool_size": "set it to a number from 1 to 1000, or leave it out for 5",
    "database_connect_timeout": _TIMEOUT_REMEDY,
    "database_acquire_timeout": _TIMEOUT_REMEDY,
    "database_statement_timeout": _TIMEOUT_REMEDY,
    "database_lock_timeout": _TIMEOUT_REMEDY,
    "database_transaction_timeout": _TIMEOUT_REMEDY,
    "database_idle_timeout": _TIMEOUT_REMEDY,
    "database_network_timeout": _TIMEOUT_REMEDY,
    "cart_service": "set it to db or onchain, or leave it out for db",
    "cart_max_items": "set it to a number above 0, or leave it out for 10",
    "checkout_max_lines": _NUMBER_REMEDY,
    "turn_max_messages": _NUMBER_REMEDY,
    "chain_page_max_events": _NUMBER_REMEDY,
    "wallet_encryption_keys": "make a key with `openssl rand -hex 32`",
    "crossmint_webhook_secrets": "copy the signing secret from Crossmint's console",
}


def _checked_url(url: SecretStr) -> SecretStr:
    """Parse with libpq, whose reading is the one that counts."""
    text = url.get_secret_value()
    scheme, separator, rest = text.partition("://")
    if scheme not in {"postgresql", "postgres"} or not separator:
        raise ValueError("does not begin with postgresql://")
    try:
        parts = conninfo.conninfo_to_dict(text)
    except (psycopg.ProgrammingError, UnicodeEncodeError):
        if re.search("[?&]pgbouncer=", text):
            raise ValueError(
                "has pgbouncer=…, which libpq does not know (leave it out)"
            ) from None
        raise ValueError(
            "is no PostgreSQL URL (special characters are written as %40)"
        ) from None
    # Not caught by libpq, and shown in its messages: the end of a password with a raw
    # @ or / in it is taken for the host or the database.
    path = rest.partition("/")[2].partition("?")[0]
    if "@" in path or "@" in str(parts.get("host", "")):
        raise ValueError("has a raw @ or / in its password (write %40 or %2F)")
    if not set(str(parts.get("port", ""))) <= set("0123456789,"):
        raise ValueError("has a port that is no number")
    if not parts.get("dbname"):
        raise ValueError("names no database")
    return url


def _checked_schema(name: str) -> str:
    """Take what needs no quotes anywhere, and is not PostgreSQL's own."""
    if not re.fullmatch("[a-z_][a-z0-9_]{0,62}", name):
        raise ValueError("is no plain name")
    if name.startswith("pg_") or name == "information_schema":
        raise ValueError("is a schema of PostgreSQL's own")
    return name


def _split(ring: object) -> object:
    return ring.split(",") if isinstance(ring, str) else ring


def _key(text: object) -> bytes:
    with suppress(ValueError):
        key = bytes.fromhex(str(text).strip())
        if len(key) == _KEY_BYTES:
            return key
    raise ValueError("is not 32 bytes in hex (64 digits)")


def _webhook_secret(text: object) -> str:
    secret = str(text).strip()
    with suppress(ValueError):
        if signing_key(secret):
            return secret
    raise ValueError("is not whsec_ with base64 after it, nor base64 alone")


_Url = Annotated[SecretStr, AfterValidator(_checked_url)]
_Schema = Annotated[str, AfterValidator(_checked_schema)]
_Keys = Annotated[
    tuple[Annotated[SecretBytes, BeforeValidator(_key)], ...],
    NoDecode,
    BeforeValidator(_split),
]
_Secrets = Annotated[
    tuple[Annotated[SecretStr, BeforeValidator(_webhook_secret)], ...],
    NoDecode,
    BeforeValidator(_split),
]


_DEFAULTS = Limits()
_Seconds = Annotated[float, Field(gt=0, le=86400, allow_inf_nan=False)]


class DatabaseValues(TypedDict, total=False):
    """What `DatabaseSettings.load` may be given."""

    database_url: str
    database_url_direct: str
    database_schema: str


class Values(DatabaseValues, total=False):
    """What `Settings.load` may be given, as it would stand in the environment."""

    database_url_replica: str
    database_pooler: str
    database_pool_size: str | int
    database_connect_timeout: str | float
    database_acquire_timeout: str | float
    database_statement_timeout: str | float
    database_lock_timeout: str | float
    database_transaction_timeout: str | float
    database_idle_timeout: str | float
    database_network_timeout: str | float
    cart_service: str
    cart_max_items: str | int
    checkout_max_lines: str | int
    turn_max_messages: str | int
    chain_page_max_events: str | int
    wallet_encryption_keys: str
    crossmint_webhook_secrets: str


class DatabaseSettings(BaseSettings):
    """Where the database is: all that migrations need."""

    model_config = SettingsConfigDict(
        env_ignore_empty=True, frozen=True, hide_input_in_errors=True
    )

    database_url: _Url
    # Before 2.14, pydantic asks for a default even where the first one is missing.
    database_url_direct: _Url = Field(
        default_factory=lambda read: read.get("database_url", "")
    )
    database_schema: _Schema | None = None

    @property
    def search_path(self) -> str | None:
        """What sessions look through: the schema, and only then temporary tables.

        Where it does not name them they go first, and what somebody else has left on a
        session that a pooler shares would hide the store's tables. In quotes, since
        `default` alone is the role's own path.
        """
        return f'"{self.database_schema}", pg_temp' if self.database_schema else None

    @classmethod
    def load(cls, **given: Unpack[DatabaseValues]) -> Self:
        """Read the environment; what is given here stands in for its variable.

        Raises:
            ConfigurationError: a variable is missing or bad, or a name is no setting;
                the message names the first one, and never its value.
        """
        return cls._load(given)

    @classmethod
    def _load(cls, given: DatabaseValues) -> Self:
        try:
            return cls(**given)  # type: ignore[arg-type]  # validated from text
        except ValidationError as error:
            raise _first_problem(error) from None


class Settings(DatabaseSettings):
    """What the store reads.

    The two rings are needed only by what uses them: their methods raise
    ConfigurationError where the variable is not set.
    """

    database_url_replica: _Url | None = None
    database_pooler: Literal["auto", "yes", "no"] = "auto"
    database_pool_size: int = Field(default=5, ge=1, le=1000)
    database_connect_timeout: _Seconds = _DEFAULTS.connect
    database_acquire_timeout: _Seconds = _DEFAULTS.acquire
    database_statement_timeout: _Seconds = _DEFAULTS.statement
    database_lock_timeout: _Seconds = _DEFAULTS.lock
    database_transaction_timeout: _Seconds = _DEFAULTS.transaction
    database_idle_timeout: _Seconds = _DEFAULTS.idle
    database_network_timeout: _Seconds = _DEFAULTS.network
    cart_service: Literal["db", "onchain"] = "db"
    cart_max_items: int = Field(default=10, ge=1, le=2**31 - 1)
    checkout_max_lines: int = Field(default=100, ge=1)
    turn_max_messages: int = Field(default=1000, ge=1)
    chain_page_max_events: int = Field(default=1000, ge=1)
    wallet_encryption_keys: _Keys = ()
    crossmint_webhook_secrets: _Secrets = ()

    @classmethod
    def load(  # pyright: ignore[reportIncompatibleMethodOverride] # takes more
        cls, **given: Unpack[Values]
    ) -> Self:
        """Read the environment; what is given here stands in for its variable.

        Raises:
            ConfigurationError: a variable is missing or bad, or a name is no setting;
                the message names the first one, and never its value.
        """
        return cls._load(given)

    @property
    def limits(self) -> Limits:
        """How long anything may take."""
        return Limits(
            connect=self.database_connect_timeout,
            acquire=self.database_acquire_timeout,
            statement=self.database_statement_timeout,
            lock=self.database_lock_timeout,
            transaction=self.database_transaction_timeout,
            idle=self.database_idle_timeout,
            network=self.database_network_timeout,
        )

    def replica_url(self) -> SecretStr:
        """Give the URL of the standby."""
        if self.database_url_replica is None:
            raise ConfigurationError(_unusable("database_url_replica", "is not set"))
        return self.database_url_replica

    def wallet_keys(self) -> tuple[bytes, ...]:
        """Give the ring of 32-byte keys; the first encrypts."""
        if not self.wallet_encryption_keys:
            raise ConfigurationError(_unusable("wallet_encryption_keys", "is not set"))
        return tuple(key.get_secret_value() for key in self.wallet_encryption_keys)

    def webhook_secrets(self) -> tuple[str, ...]:
        """Give the ring of webhook secrets."""
        if not self.crossmint_webhook_secrets:
            raise ConfigurationError(
                _unusable("crossmint_webhook_secrets", "is not set")
            )
        return tuple(one.get_secret_value() for one in self.crossmint_webhook_secrets)


def problems() -> dict[str, str]:
    """Give all that is wrong with the environment: what and what to do, by variable.

    Raises nothing; `Settings.load` raises the first of them.
    """
    try:
        Settings()  # type: ignore[call-arg]  # read from the environment
    except ValidationError as error:
        told = [_problem(one) for one in reversed(error.errors(include_url=False))]
        return {name: problem for name, _, problem in (t.partition(" ") for t in told)}
    return {}


def _first_problem(error: ValidationError) -> ConfigurationError:
    first, *_ = error.errors(include_url=False, include_input=False)
    return ConfigurationError(_problem(first))


def _problem(problem: ErrorDetails) -> str:
    field, *entry = problem["loc"]
    if problem["type"] == "extra_forbidden":
        return f"{field} is no setting: see the list in the README"
    if problem["type"] == "missing":
        return _unusable(str(field), "is not set")
    # Ours carry a sentence; pydantic's own say less than the remedy does.
    sentence = problem.get("ctx", {}).get("error", "has an unknown value")
    place = f"(entry {int(entry[0]) + 1}) " if entry else ""
    return _unusable(str(field), f"{place}{sentence}")


def _unusable(field: str, problem: str) -> str:
    return f"{field.upper()} {problem}: {_REMEDIES[field]}"
