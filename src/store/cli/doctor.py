"""The command that looks for what is wrong: `store doctor`."""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import asdict

from .. import doctor
from ..doctor import Level
from . import reports
from .terminal import FAILURE, FINE, PENDING, may_be_json, sayer

__all__ = ["add"]


def add(parser: argparse.ArgumentParser) -> None:
    """Make a parser that of `doctor`."""
    parser.description = (
        "Look at settings, connection, server, schema and keys. It changes nothing, "
        "and each look ends within seconds. Exits with 1 if anything is wrong, with 2 "
        "if something could not be looked at."
    )
    may_be_json(parser)
    parser.set_defaults(command=_doctor)


def _doctor(options: argparse.Namespace) -> int:
    tell = sayer(options)
    seen: list[doctor.Finding] = []
    with reports.document("doctor", wanted=options.json) as document:
        for finding in doctor.examine():
            seen.append(finding)
            tell(f"{finding.level:7} {finding.check}: {finding.message}")
            if finding.remedy:
                tell(f"        -> {finding.remedy}")
        document["checks"] = [asdict(one) for one in seen]
    counts = Counter(one.level for one in seen)
    tell(", ".join(f"{counts[level]} {level}" for level in Level))
    if counts[Level.UNSEEN]:
        return FAILURE
    return PENDING if counts[Level.WRONG] else FINE
