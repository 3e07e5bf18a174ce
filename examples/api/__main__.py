"""Serve the API on a PostgreSQL server of its own: `make api` runs it."""

from __future__ import annotations

import base64
import secrets
import socket
import sys
from contextlib import suppress

import uvicorn

from postgres_testing import embedded
from store import AsyncStore, Settings, StoreError, migrations

from . import request_log
from .app import create
from .services import Services
from .settings import ApiSettings

GRACE = 10
"""Seconds that requests have to end, after Ctrl-C or SIGTERM."""


def main(port: str = "8000", cart_service: str = "db") -> int:
    """Serve until Ctrl-C; the exit code is 2 if something failed."""
    try:
        with embedded.start() as server:
            settings = Settings.load(
                database_url=server.url,
                wallet_encryption_keys=secrets.token_hex(32),
                crossmint_webhook_secrets=base64.b64encode(
                    secrets.token_bytes(24)
                ).decode(),
                cart_service=cart_service,
            )
            # What nobody has recorded yet may run here: this database ends with it.
            migrations.up(settings, unrecorded_allowed=True)
            serve(settings, int(port))
    except (StoreError, embedded.ServerError, OSError) as error:
        print(f"api: {error}", file=sys.stderr)
        return 2
    return 0


def serve(settings: Settings, port: int) -> None:
    """Serve one process, on the loopback interface; port 0 is any that is free."""
    request_log.log_to_stderr()
    api = ApiSettings(secure_cookies=False)  # http:// alone is served here
    config = uvicorn.Config(
        create(Services(AsyncStore(settings), api)),
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=GRACE,
    )
    with socket.create_server(("127.0.0.1", port)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        print(f"the API is at {url}, its page at {url}/swagger", flush=True)
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
