"""The command line: `python -m generator.tools.corpus CHECKOUT`."""

import argparse
import sys
import tempfile
from fnmatch import fnmatch
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from generator.tools.corpus import collect, databases, report, static
from generator.tools.corpus.collect import Case
from generator.tools.corpus.findings import Findings
from generator.tools.corpus.generate import Generated, Workshop
from postgres_testing import embedded


def main() -> int:
    """Check the corpus; 0 if every target is met, 1 if not."""
    chosen = _arguments()
    console = Console()
    cases = [
        case
        for case in collect.cases(chosen.checkout)
        if fnmatch(case.name, f"*{chosen.only}*")
    ]
    found = Findings()
    with tempfile.TemporaryDirectory() as temporary:
        folder: Path = chosen.keep or Path(temporary)
        workshop = Workshop(folder.resolve(), chosen.plugin, found)
        cases = cases[: chosen.first]
        check(cases, workshop, console, {*chosen.leave_out})
    report.show(found, console, verbose=chosen.verbose)
    if chosen.json:
        report.write(found, chosen.json)
    return 0 if report.holds(found) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m generator.tools.corpus")
    parser.add_argument("checkout", type=Path, help="a checkout of sqlc's repository")
    parser.add_argument("--only", default="", help="cases whose name has this in it")
    parser.add_argument("--first", type=int, help="so many cases only")
    parser.add_argument(
        "--plugin", default="sqlc-gen-psycopg", help="another build of the plugin"
    )
    parser.add_argument(
        "--leave-out",
        action="append",
        default=[],
        choices=["static", "values"],
        help="what to leave out: linters and type checkers, or the calls of functions",
    )
    parser.add_argument("--json", type=Path, help="write all findings to this file")
    parser.add_argument("--verbose", action="store_true", help="print all findings")
    parser.add_argument(
        "--keep", type=Path, help="generate in this folder, and leave it"
    )
    return parser.parse_args()


def check(
    cases: list[Case], workshop: Workshop, console: Console, left_out: set[str]
) -> None:
    """Generate for all cases, check the output, and run it on a server of its own."""
    found = workshop.found
    generated: list[Generated] = []
    with Progress(console=console) as progress:
        for case in progress.track(cases, description="generating"):
            made = workshop.generate(case)
            if made:
                generated.append(made)
        if "static" not in left_out:
            task = progress.add_task("linting, checking types", total=None)
            static.check(workshop.packages, found)
            progress.update(task, total=1, completed=1)
        with embedded.start() as server:
            for made in progress.track(generated, description="running"):
                with_values = "values" not in left_out
                databases.check(server.url, made, found, with_values=with_values)


if __name__ == "__main__":
    sys.exit(main())
