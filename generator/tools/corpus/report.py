"""The figures and findings, for people and for machines."""

import json
from pathlib import Path

from rich.console import Console
from rich.table import Table

from generator.tools.corpus.findings import TOLERATED, Findings, Kind
from generator.tools.prepared import Verdict

# What counts in shares: of what figure, and how much of it at most.
_SHARES = {Kind.UNTYPED: ("columns", 0.01), Kind.REFUSED: ("cases", 0.02)}
_COUNTED = {Kind.UNTYPED: "columns untyped", Kind.REFUSED: "refused"}
_COUNTS = (
    "cases",
    "cases, generated",
    "cases, generated in part",
    "refused",
    "refused unclearly",
    "cases of errors",
    "cases of errors, generated",
    "cases of errors, generated in part",
    "refused by sqlc itself",
    "queries",
    "queries generated",
    *(f"statements: {verdict}" for verdict in Verdict),
    "parameters compared",
    "columns compared",
    "queries that PREPARE",
    "queries that ran",
    "queries that cannot run",
    "modules",
    "functions",
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
    return not any(_is_missed(found, kind) for kind in Kind)


def _is_missed(found: Findings, kind: Kind) -> bool:
    if kind in _SHARES:
        return share(found, kind) > _SHARES[kind][1]
    return kind not in TOLERATED and bool(found.of(kind))


def share(found: Findings, kind: Kind) -> float:
    """Return the share of columns that are untyped, or of cases that are refused."""
    whole, _ = _SHARES[kind]
    return found.counts[_COUNTED[kind]] / max(found.counts[whole], 1)


def show(found: Findings, console: Console, *, verbose: bool) -> None:
    """Print the figures, and with `verbose` every finding."""
    figures = Table("figure", "number", title="The corpus")
    for name in _COUNTS:
        figures.add_row(name, f"{found.counts[name]:,}")
    console.print(figures)
    kinds = Table("finding", "cases", "number", "target", title="Findings")
    for kind in Kind:
        style = "bold red" if _is_missed(found, kind) else ""
        kinds.add_row(kind, *_figures(found, kind), style=style)
    console.print(kinds)
    if verbose:
        for finding in sorted(found.found):
            where = " ".join(filter(None, (finding.case, finding.query)))
            console.print(f"{finding.kind}: {where}: {finding.detail}", markup=False)


def _figures(found: Findings, kind: Kind) -> tuple[str, str, str]:
    """Return the number of cases and of findings, and the target."""
    listed = found.of(kind)
    cases = str(len({finding.case for finding in listed}))
    if kind in _SHARES:
        whole, at_most = _SHARES[kind]
        told = f"{len(listed)} ({share(found, kind):.1%} of {whole})"
        return cases, told, f"{at_most:.0%}"
    return cases, str(len(listed)), "" if kind in TOLERATED else "0"


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
