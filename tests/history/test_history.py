"""What workers see at once can be explained, call by call."""

from store_testing.history import checker
from store_testing.history.farm import Farm


def test_every_result_is_explained(workers: Farm, database_url: str) -> None:
    """Of eight workers in four processes each result has its place in some order.

    `make history` makes 20,000 calls and more.
    """
    with workers.round(database_url) as running:
        running.wait_for_calls(600)
    calls = running.calls()
    report = checker.check(calls, checker.read_rows(database_url))
    assert (report.problems, report.undecided) == ([], [])
    assert len(calls) >= 300
    assert {call.how for call in calls} == {"ok", "refused"}
    assert len({call.worker for call in calls}) == 8
