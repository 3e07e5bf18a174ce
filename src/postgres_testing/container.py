"""A PostgreSQL server in a container, through testcontainers.

Importing testcontainers takes half a second: import this only where an engine may be.
"""

# The docker library has no types of its own:
# mypy: disable-error-code="import-untyped"
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

import secrets
import tempfile
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

import docker
import docker.errors
import requests.exceptions
from testcontainers.community.postgres import PostgresContainer
from testcontainers.core.config import testcontainers_config

from postgres_testing import embedded
from postgres_testing.embedded import LeftServer, Server
from postgres_testing.servers import NoContainerError

__all__ = ["run", "version_in"]

_ENGINE_SECONDS = 5
# Outside the folders that images declare as volumes, which would lie on a disk.
_MEMORY = "/var/lib/postgresql-in-memory"
_PORT = 5432


def version_in(image: str) -> str:
    """Read the server's version from a local image, as official images state it.

    Raises NoContainerError where no engine answers, or has no such image.
    """
    names = _environment_of(image)
    return names.get("PG_VERSION", "of unknown version").split("-")[0]


@contextmanager
def run(image: str) -> Generator[Server]:
    """Run a server in a container of a local image until the block ends.

    Where the image of testcontainers' reaper is absent, a killed session leaves its
    container behind.
    """
    testcontainers_config.ryuk_disabled = not _is_local(
        testcontainers_config.ryuk_image
    )
    container = PostgresContainer(
        image,
        username="postgres",
        password=secrets.token_hex(16),
        dbname="postgres",
        driver=None,
    )
    container.with_env("PGDATA", f"{_MEMORY}/data")
    container.with_tmpfs_mount(_MEMORY)
    settings = [f"--{name}={value}" for name, value in embedded.FAST.items()]
    container.with_command(["postgres", *settings])
    left: list[LeftServer] = []

    def leave_running() -> LeftServer:
        if not left:
            folder = Path(tempfile.mkdtemp(prefix="postgres-for-tests-left-"))
            name = str(container.get_wrapped_container().name)
            ending = f"The server runs until `docker rm --force {name}` ends it."
            left.append(LeftServer.with_password_in(folder / "pgpass", url, ending))
        return left[0]

    container.start()
    try:
        url = f"{container.get_connection_url()}?sslmode=disable"
        binaries = embedded.wheel_binaries()
        yield Server(url, binaries, version_in(image), leave_running)
    finally:
        if not left:
            container.stop()


def _is_local(image: str) -> bool:
    try:
        _environment_of(image)
    except NoContainerError:
        return False
    return True


def _environment_of(image: str) -> dict[str, str]:
    """Read the environment variables that a local image sets."""
    try:
        with closing(docker.from_env(timeout=_ENGINE_SECONDS)) as engine:
            lines = engine.images.get(image).attrs["Config"]["Env"] or []
    except docker.errors.ImageNotFound as error:
        raise NoContainerError(f"the Docker engine has no image {image}") from error
    except (
        docker.errors.DockerException,
        requests.exceptions.RequestException,
    ) as error:
        raise NoContainerError(f"no Docker engine answers: {error}") from error
    return dict(line.split("=", 1) for line in lines)
