"""How the store's connections read JSON and send lists: as psycopg does, but faster.

JSON is read by msgspec, whose values are those of `json.loads`: integers of any size
are exact. The few numbers that it refuses, which no float can hold, are left to `json`.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec
from psycopg.abc import Buffer
from psycopg.adapt import AdaptersMap, Loader
from psycopg.types import array

_decode = msgspec.json.Decoder().decode


class JsonLoader(Loader):
    """Loads `json` and `jsonb`, for which psycopg asks the server as text."""

    def load(self, data: Buffer) -> Any:  # noqa: ANN401 - whatever was stored
        """Parse a value, which the server has found to be one."""
        try:
            return _decode(data)
        except (msgspec.DecodeError, RecursionError):
            return json.loads(bytes(data))


class ListDumper(array.ListDumper):
    """Dumps lists with quotes around all elements, needed or not.

    psycopg searches each element for what needs them, which takes five times as long.
    The server takes what is in quotes as it takes what is not, save for spaces at the
    ends and the word NULL, for which psycopg has them, too.
    """

    def dump(self, obj: list[Any]) -> Buffer | None:
        """Spell an array; one that is nested, or of no known type, as psycopg does."""
        if self.sub_dumper is None:
            return super().dump(obj)
        dump = self.sub_dumper.dump
        spelled: list[bytes] = []
        for element in obj:
            if isinstance(element, list):
                return super().dump(obj)
            if element is None or (dumped := dump(element)) is None:
                spelled.append(b"NULL")
                continue
            escaped = bytes(dumped).replace(b"\\", rb"\\").replace(b'"', rb"\"")
            spelled.append(b'"%b"' % escaped)
        return b"{%b}" % self.delimiter.join(spelled)


def register(adapters: AdaptersMap) -> None:
    """Have a connection do so."""
    for name in ("json", "jsonb"):
        adapters.register_loader(name, JsonLoader)
    adapters.register_dumper(list, ListDumper)
