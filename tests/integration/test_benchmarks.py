"""That the benchmarks compare what can be compared; how fast it is, no test asks."""

import asyncio
import json
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, LiteralString
from uuid import UUID
from xml.etree import ElementTree as ET

import psycopg
import pytest
from pydantic_core import to_json

from benchmarks import __main__ as command
from benchmarks import (
    by_psycopg,
    by_psycopg_steps,
    by_store,
    chats,
    connecting,
    figures,
    measuring,
    migrations,
    work,
)
from benchmarks.carts import Cart
from benchmarks.chats import Turn
from benchmarks.measuring import Outcome, Plan, Round
from benchmarks.rows import ROWS
from benchmarks.sameness import RowsDifferError
from benchmarks.tasks import Contender, Missing, Row, Sample, Task
from postgres_testing.embedded import Server
from store.messages import load

pytestmark = pytest.mark.long

_COLUMNS = """
DO $$
DECLARE
    name text;
BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('ALTER TABLE %I ADD COLUMN added_later text', name);
    END LOOP;
END
$$
"""


def test_rows_compare_what_is_measured() -> None:
    """Each row's contenders do its task, and each task stands in a row."""
    for row in ROWS:
        assert row.ours in row.task.contenders
        assert row.theirs is None or row.theirs in row.task.contenders
    assert {row.task.name for row in ROWS} == {task.name for task in work.TASKS}


def test_every_round_has_every_contender(postgres_server: Server) -> None:
    """All contenders do a task equally often, in each round."""
    outcome = _run(postgres_server, work.READ)
    assert list(outcome.rounds) == list(work.READ.contenders)
    for rounds in outcome.rounds.values():
        assert [len(each.samples) for each in rounds] == [work.READ.per_round] * 2


def test_a_server_some_way_off_is_that_far_away(postgres_server: Server) -> None:
    """Nothing comes back from there before the delay has passed twice."""
    task = replace(work.POOLED_READ, delay=0.002)
    outcome = _run(postgres_server, task)
    assert outcome.round_trip >= 0.004
    for rounds in outcome.rounds.values():
        assert all(one.elapsed >= 0.004 for each in rounds for one in each.samples)


@pytest.mark.parametrize("task", work.TASKS, ids=lambda task: task.name)
def test_a_new_column_breaks_no_contender(
    postgres_server: Server, task: Task, capfd: pytest.CaptureFixture[str]
) -> None:
    """All do the same work on tables that have a column more than their records."""

    def fill(url: str, count: int) -> Sequence[Any]:
        pieces = task.fill(url, count)
        with psycopg.connect(url) as conn:
            conn.execute(_COLUMNS)
        return pieces

    here = [each for each in task.contenders if _is_here(each)]
    _run(postgres_server, replace(task, fill=fill, contenders=tuple(here)))
    assert "added_later" not in capfd.readouterr().err


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param("DELETE FROM orders WHERE user_id = $1", id="no order"),
        pytest.param("DELETE FROM order_items", id="no snapshot"),
        pytest.param(
            "UPDATE cart_items SET deleted_at = NULL WHERE price > 3000",
            id="an item left in the cart",
        ),
        pytest.param(
            "UPDATE orders SET amount_usdc = 1 WHERE user_id = $1", id="other amounts"
        ),
        pytest.param(
            "UPDATE orders SET checkout_id = gen_random_uuid() WHERE user_id = $1",
            id="orders of several checkouts",
        ),
        pytest.param(
            "UPDATE users SET email = NULL WHERE id = $1", id="a change elsewhere"
        ),
    ],
)
def test_other_rows_are_noticed_first(
    postgres_server: Server, damage: LiteralString
) -> None:
    """A contender that leaves other rows than the first one stops the run.

    So it does before anything is measured.
    """
    measured: list[None] = []
    task = _with_broken(work.CHECKOUT, damage)
    running = measuring.run(
        postgres_server.url, task, Plan(2, 2), lambda: measured.append(None)
    )
    with pytest.raises(RowsDifferError, match=r"store.* and broken"):
        asyncio.run(running)
    assert not measured


def test_work_left_undone_by_all_is_noticed(postgres_server: Server) -> None:
    """A run in which nobody leaves any order proves nothing, and stops."""
    task = _with_broken(work.CHECKOUT, "DELETE FROM orders WHERE user_id = $1")
    with pytest.raises(RowsDifferError, match="left 0 rows instead of"):
        _run(postgres_server, replace(task, contenders=task.contenders[1:]))


def test_other_results_are_noticed(postgres_server: Server) -> None:
    """A contender that reads another user than the first one stops the run."""
    seen: list[UUID] = []

    def stubborn(pool: connecting.Pool, user_id: UUID) -> object:
        seen.append(user_id)
        return by_psycopg.pooled_user(pool, seen[0])

    broken = Contender("broken", "sync", connecting.pool, stubborn)
    task = work.POOLED_READ
    with pytest.raises(RowsDifferError, match=r"store.* and broken .*returned"):
        _run(postgres_server, replace(task, contenders=(task.contenders[0], broken)))


def test_other_messages_are_noticed(postgres_server: Server) -> None:
    """A contender that saves something else than it was given stops the run."""

    def forgetful(pool: connecting.Pool, turn: Turn) -> object:
        first = replace(turn, messages=[{**turn.messages[0], "role": "user"}])
        return by_psycopg_steps.save_whole(pool, first)

    broken = Contender("broken", "sync", connecting.pool, forgetful)
    task = work.WHOLE_CHAT
    with pytest.raises(RowsDifferError, match="broken"):
        _run(postgres_server, replace(task, contenders=(task.contenders[0], broken)))


def test_the_command_writes_figures_a_table_and_a_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All three hold each row, and the output says how it was run."""
    names = ("figures.json", "rows.md", "rows.svg")
    figures_file, table, picture = (tmp_path / "made" / name for name in names)
    files = ["--json", figures_file, "--table", table, "--plot", picture]
    alone = ["--rounds=1", "--fast", "--only=pooled", "--only=gap"]
    assert command.main([*alone, *map(str, files)]) == 0
    found = json.loads(figures_file.read_text())
    assert [(row["task"], row["ours"], row["theirs"]) for row in found["rows"]] == [
        ("pooled", "store (sync)", "psycopg_pool by hand (sync)"),
        ("pooled", "store (async)", "psycopg_pool by hand (async)"),
        ("gap", "store (async)", None),
    ]
    assert [each["task"] for each in found["outcomes"]] == ["pooled", "gap"]
    assert table.read_text().count("| user by key, from the pool |") == 2
    svg = ET.fromstring(picture.read_text())  # noqa: S314 - our own
    texts = [each.text for each in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert "store (async) / psycopg_pool by hand (async)" in texts
    output = capsys.readouterr().out
    assert "no fsync" in output
    assert output.count("reached") + output.count("missed by") == 3


def test_a_quick_run_judges_no_times(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It shows that all can be measured, and calls nothing reached or missed."""
    table = tmp_path / "rows.md"
    assert command.main(["--quick", "--only=pooled", "--table", str(table)]) == 0
    for output in (capsys.readouterr().out, table.read_text()):
        assert output.count("not judged") == 2
        assert "reached" not in output
        assert "missed" not in output


def test_a_peer_that_cannot_be_had_is_skipped_loudly(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The others are measured all the same; the output says who was not, and why."""

    def refuse() -> object:
        raise Missing("no such registry")

    first, *others = work.CHECKOUT.contenders[::-1]
    peer = replace(first, install=refuse)
    task = replace(work.CHECKOUT, contenders=(*others[-2:], peer))
    rows = [Row(task, others[-1], other, 1) for other in (others[-2], peer)]
    monkeypatch.setattr(command, "TASKS", (task,))
    monkeypatch.setattr(command, "ROWS", rows)
    table = tmp_path / "rows.md"
    assert command.main(["--rounds=1", "--fast", "--table", str(table)]) == 0
    assert f"SKIPPED: {peer}: no such registry" in capsys.readouterr().out
    assert f"Without {peer}: no such registry." in table.read_text()
    assert table.read_text().count("| checkout") == 1


def test_the_command_prints_no_times_where_rows_differ(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a broken contender it fails, says which one it is, and shows no table."""
    broken = _with_broken(work.CHECKOUT, "DELETE FROM order_items")
    monkeypatch.setattr(command, "TASKS", (broken,))
    assert command.main(["--rounds=1", "--fast"]) == 2
    output = capsys.readouterr().out
    assert "broken" in output
    assert "median" not in output


@pytest.mark.parametrize(
    ("kind", "limit", "seconds", "value", "is_reached"),
    [
        ("time", 1.5, 3.0, 1.5, True),
        ("time", 1.5, 3.2, 1.6, False),
        ("throughput", 0.8, 2.5, 0.8, True),
        ("throughput", 0.8, 3.2, 0.625, False),
    ],
)
def test_verdicts_tell_what_is_missed(
    kind: Literal["time", "throughput"],
    limit: float,
    seconds: float,
    value: float,
    *,
    is_reached: bool,
) -> None:
    """A ratio above its limit is missed; so is a throughput below it."""
    ours, theirs = work.TURN.contenders
    verdict = figures.verdict(
        Row(work.TURN, ours, theirs, limit, kind),
        # The second round was slow for both of them.
        _outcome({ours: [seconds, 9 * seconds], theirs: [2.0, 18.0]}),
    )
    assert verdict.value == pytest.approx(value)
    assert verdict.is_reached == is_reached
    assert (verdict.miss > 1e-9) != is_reached


def test_a_limit_in_seconds_needs_no_peer() -> None:
    """What holds the loop for longer than that is missed."""
    [ours] = work.GAP.contenders
    row = Row(work.GAP, ours, None, 0.02, "seconds")
    assert figures.verdict(row, _outcome({ours: [0.02]})).is_reached
    assert not figures.verdict(row, _outcome({ours: [0.021]})).is_reached


def test_time_on_cpus_includes_the_servers() -> None:
    """Of a piece of work it is the client's, and the server's share."""
    [ours] = work.GAP.contenders
    outcome = _outcome({ours: [9.0]})
    outcome.rounds[ours] = [Round([Sample(9.0, 1.0), Sample(9.0, 3.0)], server=6.0)]
    assert figures.figures(outcome)[0].cpu == 5.0


def test_the_server_works_for_each_contender(postgres_server: Server) -> None:
    """Its time on CPUs is found for whatever kind of connection, on Linux."""
    if not Path("/proc/self/schedstat").exists():
        pytest.skip("this kernel does not tell")
    outcome = _run(postgres_server, work.MESSAGES)
    for rounds in outcome.rounds.values():
        # Not of each round: what runs at the moment of the look is not told yet.
        assert sum(each.server for each in rounds) > 0


def test_the_chat_that_is_saved_is_as_large_as_is_said() -> None:
    """100 messages of 0.6 MB, of tools' results."""
    made = chats.messages()
    assert len(made) == 100
    assert 600_000 < len(to_json(made)) < 700_000
    assert len(load(made)) == 100


def test_the_longest_wait_of_another_task_is_found() -> None:
    """Of all that work does between two awaits, the longest counts."""

    async def save() -> None:
        for seconds in (0.01, 0.05, 0.01):
            time.sleep(seconds)  # noqa: ASYNC251 - what is to be found
            await asyncio.sleep(0)

    # The sum of all three is no wait of anybody's, on a machine that keeps up.
    assert asyncio.run(by_store.longest_wait(save())).elapsed >= 0.05


def test_migrations_are_measured_beside_dbmate(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Its files go up, by dbmate alone as well, and nothing is found in them."""
    # A file of each kind, and one with CONCURRENTLY.
    assert migrations.main(["--up=7", "--verify=7", "--rounds=1"]) == 0
    table = capsys.readouterr().out
    assert table.count("store migrate up, 7 files") == 2
    assert table.count("dbmate alone, 7 files") == 2
    assert "store migrate verify, 7 files" in table


def _run(server: Server, task: Task) -> Outcome:
    return asyncio.run(measuring.run(server.url, task, Plan(rounds=2, warm_up=2)))


def _is_here(contender: Contender) -> bool:
    try:
        if contender.install:
            contender.install()
    except Missing:
        return False
    return True


def _outcome(seconds: dict[Contender, list[float]]) -> Outcome:
    rounds = {
        contender: [Round([Sample(each, each)], server=0) for each in taken]
        for contender, taken in seconds.items()
    }
    return Outcome(work.TURN, 0.001, rounds)


def _with_broken(task: Task, damage: LiteralString) -> Task:
    """Set one that does it right and then does damage beside the first contender."""

    @contextmanager
    def opened(url: str) -> Generator[Any]:
        with connecting.pool(url) as pool, connecting.connection(url) as conn:
            yield pool, conn

    def checkout(
        opened: tuple[connecting.Pool, psycopg.Connection[Any]], cart: Cart
    ) -> object:
        pool, conn = opened
        done = by_psycopg.one_cte(pool, cart)
        conn.execute(damage, [cart.user_id] if "$1" in damage else None)
        return done

    broken = Contender("broken", "sync", opened, checkout)
    return replace(task, contenders=(task.contenders[0], broken))
