"""Make many calls at once, and search for what nothing explains.

    python -m store_testing.history [CALLS [SEED]]

Starts a server of its own, unless TEST_DATABASE_URL names one. Ends with 1 if anything
was found.
"""

import secrets
import sys
import time

from postgres_testing import databases, servers
from store_testing.history import checker, farm
from store_testing.schema import SCHEMA

_PROCESSES, _WORKERS = 4, 3


def _main(calls: str = "20000", seed: str = "") -> int:
    chosen = int(seed) if seed else secrets.randbits(30)
    each = -(-int(calls) * 13 // 10 // (_PROCESSES * _WORKERS))
    with (
        servers.choose().start() as server,
        databases.template(server.url, SCHEMA.build) as template,
        template.clone() as url,
        farm.start(_PROCESSES) as workers,
    ):
        start = time.monotonic()
        with workers.round(url, calls=each, workers=_WORKERS, seed=chosen) as running:
            before = -1
            while before < (now := running.size()):
                before = now
                time.sleep(2)
                print(
                    f"{time.monotonic() - start:5.0f} s, about {now // 330} calls",
                    flush=True,
                )
        made = running.calls()
        print(f"{len(made)} calls in {time.monotonic() - start:.0f} s, seed {chosen}")
        start = time.monotonic()
        report = checker.check(made, checker.read_rows(url))
    for outcome, count in sorted(report.outcomes.items()):
        print(f"{count:7} {outcome}")
    took = time.monotonic() - start
    print(f"{report.objects} objects searched in {took:.0f} s")
    print(*report.problems, *report.undecided, sep="\n")
    print(f"{len(report.problems)} unexplained, {len(report.undecided)} undecided")
    return int(bool(report.problems or report.undecided))


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
