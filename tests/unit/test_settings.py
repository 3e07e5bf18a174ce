"""Settings come from the environment, and what is wrong with them is one line."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict

from store.errors import ConfigurationError
from store.settings import DatabaseSettings, Settings

URL = "postgresql://ann:tr0ub4dor@db.example:6432/shop"
KEYS = ("0f" * 32, "A0" * 32)
SECRETS = (
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "whsec_C2FVsBQIhrscChlQIMV+",
    "plJ3nmyCDGBKInavdOK15jsl",
)

_VARIABLES = (
    "DATABASE_URL",
    "DATABASE_URL_DIRECT",
    "CART_SERVICE",
    "WALLET_ENCRYPTION_KEYS",
    "CROSSMINT_WEBHOOK_SECRETS",
)


@contextmanager
def environment(**variables: str) -> Generator[None]:
    """Have only these of our variables set until the block ends."""
    with pytest.MonkeyPatch.context() as patch:
        for name in _VARIABLES:
            patch.delenv(name, raising=False)
        for name, value in variables.items():
            patch.setenv(name, value)
        yield


def load(**variables: str) -> Settings:
    """Load the settings where only these of our variables are set."""
    with environment(**variables):
        return Settings.load()


def refusal(**variables: str) -> str:
    """Give the message with which these variables are refused."""
    with pytest.raises(ConfigurationError) as caught:
        load(**variables)
    return str(caught.value)


def test_url_alone_is_enough() -> None:
    """The direct URL defaults to the other, carts to the database."""
    settings = load(DATABASE_URL=URL)
    assert settings.database_url.get_secret_value() == URL
    assert settings.database_url_direct.get_secret_value() == URL
    assert settings.cart_service == "db"


@pytest.mark.parametrize("name", ["DATABASE_URL_DIRECT", "CART_SERVICE"])
def test_empty_variable_counts_as_unset(name: str) -> None:
    """An empty variable, as a CI passes it on, leaves the default."""
    assert load(DATABASE_URL=URL, **{name: ""}) == load(DATABASE_URL=URL)


def test_rings_are_read_in_order() -> None:
    """Keys arrive as their bytes and secrets as they are, the first one first."""
    settings = load(
        DATABASE_URL=URL,
        WALLET_ENCRYPTION_KEYS=", ".join(KEYS),
        CROSSMINT_WEBHOOK_SECRETS=",".join(SECRETS),
    )
    assert settings.wallet_keys() == (b"\x0f" * 32, b"\xa0" * 32)
    assert settings.webhook_secrets() == SECRETS


def test_rings_are_missed_only_where_used() -> None:
    """Without the rings the rest loads, and their users hear which variable to set."""
    settings = load(DATABASE_URL=URL)
    with pytest.raises(
        ConfigurationError, match=r"^WALLET_ENCRYPTION_KEYS is not set: "
    ):
        settings.wallet_keys()
    with pytest.raises(ConfigurationError, match=r"^CROSSMINT_WEBHOOK_SECRETS is not "):
        settings.webhook_secrets()


def test_migrations_need_only_the_database() -> None:
    """Bad values of what migrations do not use do not stop them."""
    with environment(
        DATABASE_URL=URL, WALLET_ENCRYPTION_KEYS="bad", CART_SERVICE="bad"
    ):
        assert DatabaseSettings.load().database_url.get_secret_value() == URL


@pytest.mark.parametrize(
    ("variables", "begins"),
    [
        ({}, "DATABASE_URL is not set: "),
        ({"DATABASE_URL": "shop"}, "DATABASE_URL does not begin with postgresql://: "),
        (
            {"DATABASE_URL": "postgresql+psycopg://h/shop"},
            "DATABASE_URL does not begin with postgresql://: ",
        ),
        ({"DATABASE_URL": "postgresql://h"}, "DATABASE_URL names no database: "),
        (
            {"DATABASE_URL": "postgresql://ann:tr0ub4dor/shop"},
            "DATABASE_URL has a port that is no number: ",
        ),
        (
            {"DATABASE_URL": "postgresql://h/shop?ssl_mode=require"},
            "DATABASE_URL is no PostgreSQL URL ",
        ),
        (
            {"DATABASE_URL": URL, "DATABASE_URL_DIRECT": "x"},
            "DATABASE_URL_DIRECT does not begin with ",
        ),
        (
            {"DATABASE_URL": URL, "CART_SERVICE": "memory"},
            "CART_SERVICE has an unknown value: set it to db or onchain",
        ),
        (
            {"DATABASE_URL": URL, "WALLET_ENCRYPTION_KEYS": f"{KEYS[0]},{'0f' * 31}"},
            "WALLET_ENCRYPTION_KEYS (entry 2) is not 32 bytes in hex ",
        ),
        (
            {"DATABASE_URL": URL, "WALLET_ENCRYPTION_KEYS": "k" * 64},
            "WALLET_ENCRYPTION_KEYS (entry 1) is not 32 bytes in hex ",
        ),
        (
            {"DATABASE_URL": URL, "CROSSMINT_WEBHOOK_SECRETS": f"{SECRETS[0]},tr0ub"},
            "CROSSMINT_WEBHOOK_SECRETS (entry 2) is not whsec_ ",
        ),
        (
            {"DATABASE_URL": URL, "CROSSMINT_WEBHOOK_SECRETS": "whsec_tr0u?"},
            "CROSSMINT_WEBHOOK_SECRETS (entry 1) is not whsec_ ",
        ),
        (
            {"DATABASE_URL": URL, "CROSSMINT_WEBHOOK_SECRETS": "key_tr0ub4do"},
            "CROSSMINT_WEBHOOK_SECRETS (entry 1) is not whsec_ ",
        ),
        (
            {"DATABASE_URL": URL, "CROSSMINT_WEBHOOK_SECRETS": "whsec_"},
            "CROSSMINT_WEBHOOK_SECRETS (entry 1) is not whsec_ ",
        ),
    ],
)
def test_refusal_names_variable_and_problem(
    variables: dict[str, str], begins: str
) -> None:
    """A missing or bad variable stops the start with one line that says which."""
    message = refusal(**variables)
    assert message.startswith(begins)
    assert "\n" not in message
    for secret in ("tr0ub", "0f0f", "kkkk"):
        assert secret not in message


@given(st.text(st.characters(codec="ascii", exclude_characters="\0"), max_size=12))
@example("@ss:w/rd%")
@example("@ss/word")
@example("/word")
@example(":6432/")
@example("#?&=")
@example('it\'s "quoted"')
def test_unescaped_password_is_understood_or_refused(odd: str) -> None:
    """A password written raw is never taken for another part of the URL, nor shown."""
    url = f"postgresql://ann:zq7{odd}xw9@db.example:6432/shop"
    message = ""
    try:
        settings = load(DATABASE_URL=url)
    except ConfigurationError as error:
        message = str(error)
    else:
        parts = conninfo_to_dict(settings.database_url.get_secret_value())
        assert parts == {
            "user": "ann",
            "password": unquote(f"zq7{odd}xw9"),
            "host": "db.example",
            "port": "6432",
            "dbname": "shop",
        }
    assert "zq7" not in message
    assert "xw9" not in message


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_escaped_password_is_always_taken(password: str) -> None:
    """Any password that is percent-encoded makes a good URL."""
    settings = load(DATABASE_URL=f"postgresql://ann:{quote(password, safe='')}@h/shop")
    parts = conninfo_to_dict(settings.database_url.get_secret_value())
    assert parts.get("password", "") == password


def test_repr_shows_no_secret() -> None:
    """Neither repr nor str of the settings holds a URL, a key or a secret."""
    settings = load(
        DATABASE_URL=URL,
        WALLET_ENCRYPTION_KEYS=",".join(KEYS),
        CROSSMINT_WEBHOOK_SECRETS=",".join(SECRETS),
    )
    shown = f"{settings!r} {settings}"
    for secret in ("tr0ub4dor", *KEYS, *SECRETS, r"\x0f"):
        assert secret not in shown


def test_stray_env_file_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A `.env` in the working directory sets nothing."""
    (tmp_path / ".env").write_text(f"DATABASE_URL={URL}\nCART_SERVICE=onchain\n")
    monkeypatch.chdir(tmp_path)
    assert refusal().startswith("DATABASE_URL is not set")
    assert load(DATABASE_URL=URL).cart_service == "db"
