"""Stores on a test's own database, and the webhooks they are sent."""

import base64
import hmac
import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

import standardwebhooks

from store import Settings, Store
from tests.support.pooler import Pooler

__all__ = ["SECRET", "opened", "poolers", "settings", "signed"]

SECRET = "whsec_" + base64.b64encode(b"a secret of these tests").decode()


# What stands between stores and the server, if anything does.
poolers: list[Pooler] = []


def settings(url: str, **others: object) -> Settings:
    """Make a store's settings; others are named like their variables."""
    given = {"database_url": url, "crossmint_webhook_secrets": SECRET}
    for pooler in poolers:
        given |= {"database_url": pooler.url(url), "database_url_direct": url}
    return Settings.model_validate({**given, **others})


@contextmanager
def opened(url: str, **others: object) -> Generator[Store]:
    """Open a store on this database until the block ends."""
    with Store(settings(url, **others)) as store:
        yield store


def signed(
    event_id: str,
    body: str | bytes,
    *,
    secret: str = SECRET,
    at: datetime | None = None,
) -> dict[str, str]:
    """Sign a webhook's body as Svix does; give its headers."""
    at = at or datetime.now(UTC)
    timestamp = str(int(at.timestamp()))
    if isinstance(body, str):
        signature = standardwebhooks.Webhook(secret).sign(event_id, at, body)
    else:  # for which the library has no way
        key = base64.b64decode(secret.removeprefix("whsec_"))
        digest = hmac.digest(key, f"{event_id}.{timestamp}.".encode() + body, "sha256")
        signature = f"v1,{base64.b64encode(digest).decode()}"
    return {
        "svix-id": event_id,
        "svix-timestamp": timestamp,
        "svix-signature": signature,
    }


def webhook(
    event_id: str, event: Mapping[str, object], *, secret: str = SECRET
) -> tuple[bytes, dict[str, str]]:
    """Make a webhook of an event: its body and signed headers."""
    body = json.dumps(event)
    return body.encode(), signed(event_id, body, secret=secret)
