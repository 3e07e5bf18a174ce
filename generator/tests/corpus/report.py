"""The figures and findings, for people and for machines."""

import json
from pathlib import Path

from rich.console import Console
from rich.table import Table

from generator.tests.corpus.findings import TOLERATED, Findings, Kind

_UNTYPED_AT_MOST = 0.01
_COUNTS = (
    "cases",
    "generated",
    "generated in part",
    "refused",
    "refused unclearly",
    "refused by sqlc itself",
    "queries",
    "queries generated",
    "modules",
    "prepares",
    "runs",
    "runs without error",
    "runs of rejected statements",
    "errors of the data",
    "errors of ours",
    "columns",
    "columns NOT NULL",
    "columns untyped",
)


def holds(found: Findings) -> bool:
    """Tell whether every target is met."""
    failing = [kind for kind in Kind if kind not in TOLERATED]
    return not any(map(found.of, failing)) and untyped(found) <= _UNTYPED_AT_MOST


def untyped(found: Findings) -> float:
    """Return the share of result columns that are typed Any or object."""
    return found.counts["columns untyped"] / max(found.counts["columns"], 1)


def show(found: Findings, console: Console, *, verbose: bool) -> None:
    """Print the figures, and with `verbose` every finding."""
    figures = Table("figure", "number", title="The corpus")
    for name in _COUNTS:
        figures.add_row(name, f"{found.counts[name]:,}")
    console.print(figures)
    kinds = Table("finding", "cases", "number", "target", title="Findings")
    for kind in Kind:
        listed = found.of(kind)
        in_cases = len({finding.case for finding in listed})
        number = f"{len(listed)} ({untyped(found):.1%})" if kind is Kind.UNTYPED else ""
        target = "" if kind in TOLERATED else "0"
        if kind is Kind.UNTYPED:
            target = f"{_UNTYPED_AT_MOST:.0%}"
        missed = target and (listed if target == "0" else not untyped_holds(found))
        style = "bold red" if missed else ""
        kinds.add_row(
            kind, str(in_cases), number or str(len(listed)), target, style=style
        )
    console.print(kinds)
    if verbose:
        for finding in sorted(found.found):
            where = " ".join(filter(None, (finding.case, finding.query)))
            console.print(f"{finding.kind}: {where}: {finding.detail}", markup=False)


def untyped_holds(found: Findings) -> bool:
    """Tell whether few enough columns are untyped."""
    return untyped(found) <= _UNTYPED_AT_MOST


def write(found: Findings, file: Path) -> None:
    """Write everything as JSON: `holds`, `counts`, and `findings` by kind."""
    report = {
        "holds": holds(found),
        "counts": dict(found.counts),
        "findings": {
            kind.name.lower(): [
                {"case": f.case, "query": f.query, "detail": f.detail}
                for f in found.of(kind)
            ]
            for kind in Kind
        },
    }
    file.write_text(json.dumps(report, indent=2, ensure_ascii=False), encoding="utf-8")
