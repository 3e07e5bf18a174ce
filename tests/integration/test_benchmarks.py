"""That the benchmarks compare what can be compared; how fast it is, no test asks."""

import asyncio
import io
import json
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import LiteralString
from uuid import UUID

import psycopg
import pytest
from pydantic_core import to_json
from rich.console import Console

from benchmarks import __main__ as command
from benchmarks import by_psycopg, chats, measuring, migrations, report, saving
from benchmarks.carts import Cart
from benchmarks.contender import Contender, Work
from benchmarks.measuring import Outcome, Plan
from benchmarks.sameness import RowsDifferError
from benchmarks.saving import Saved
from benchmarks.work import CHECKOUT, READ, TASKS, Task
from postgres_testing.embedded import Server
from store.messages import load

pytestmark = pytest.mark.long

_DELAY = 0.002


@pytest.fixture(scope="module")
def outcomes(postgres_server: Server) -> list[Outcome]:
    """Give what two rounds measured, next door and some way off."""
    return _run(postgres_server, *TASKS, delays=(0, _DELAY))


def test_tables_name_every_contender(outcomes: list[Outcome]) -> None:
    """Each table has a line for each contender, with 1.00 for being a baseline."""
    for outcome in outcomes:
        console = Console(width=200, file=io.StringIO(), record=True)
        console.print(report.table(outcome))
        table = list(map(str.strip, console.export_text().splitlines()))
        for contender in outcome.task.contenders:
            [line] = [line for line in table if line.startswith(f"{contender} ")]
            assert contender.name not in outcome.task.baselines or "1.00" in line


def test_every_round_has_every_contender(outcomes: list[Outcome]) -> None:
    """All contenders do a task equally often, in each round."""
    for outcome in outcomes:
        assert list(outcome.samples) == list(outcome.task.contenders)
        for rounds in outcome.samples.values():
            assert [len(done) for done in rounds] == [outcome.task.per_round] * 2


def test_a_server_some_way_off_is_that_far_away(outcomes: list[Outcome]) -> None:
    """Nothing comes back from there before the delay has passed twice."""
    far = [outcome for outcome in outcomes if outcome.delay]
    assert len(far) == len(TASKS)
    for outcome in far:
        assert outcome.round_trip >= 2 * _DELAY
        for rounds in outcome.samples.values():
            assert all(each.elapsed >= 2 * _DELAY for done in rounds for each in done)


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
def test_other_rows_are_noticed(postgres_server: Server, damage: LiteralString) -> None:
    """A contender that leaves other rows than the first one stops the run."""
    with pytest.raises(RowsDifferError, match=r"store.* and broken"):
        _run(postgres_server, _with_broken(CHECKOUT, damage))


def test_work_left_undone_by_all_is_noticed(postgres_server: Server) -> None:
    """A run in which nobody leaves any order proves nothing, and stops."""
    task = _with_broken(CHECKOUT, "DELETE FROM orders WHERE user_id = $1")
    with pytest.raises(RowsDifferError, match="left 0 orders instead of"):
        _run(postgres_server, replace(task, contenders=task.contenders[1:]))


def test_other_results_are_noticed(postgres_server: Server) -> None:
    """A contender that reads another user than the first one stops the run."""

    @asynccontextmanager
    async def stubborn(url: str) -> AsyncGenerator[Work]:
        async with by_psycopg.read_sync(url) as read:
            seen: list[UUID] = []

            async def work(cart: Cart) -> object:
                seen.append(cart.user_id)
                return await read(replace(cart, user_id=seen[0]))

            yield work

    broken = Contender("broken", "sync", stubborn)
    with pytest.raises(RowsDifferError, match=r"store.* and broken .*returned"):
        _run(postgres_server, replace(READ, contenders=(READ.contenders[0], broken)))


def test_the_command_writes_figures_and_a_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--json` and `--plot` hold all contenders, and the output says how it was run."""
    monkeypatch.setattr(command, "TASKS", (READ,))
    json_file, plot_file = tmp_path / "figures.json", tmp_path / "figures.svg"
    files = ["--json", str(json_file), "--plot", str(plot_file)]
    alone = ["--rounds=1", "--delay=0", "--fast", "--only=read"]
    assert command.main([*alone, *files]) == 0
    [outcome] = json.loads(json_file.read_text())["outcomes"]
    shown = {f"{each['contender']} ({each['face']})" for each in outcome["figures"]}
    assert shown == set(map(str, READ.contenders))
    assert all(f">{name}<" in plot_file.read_text() for name in shown)
    assert "no fsync" in capsys.readouterr().out


def test_the_command_measures_saves_of_a_chat(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Alone, too: figures of all contenders, a ratio of 1 to themselves, verdicts."""
    json_file = tmp_path / "figures.json"
    arguments = ["--only=save", "--rounds=1", "--fast", "--json", str(json_file)]
    assert command.main(arguments) == 0
    content = json.loads(json_file.read_text())
    assert content["outcomes"] == []
    saves = content["saves"]
    shown = [f"{each['contender']} ({each['face']})" for each in saves]
    assert shown == list(map(str, saving.CONTENDERS))
    for each in saves:
        assert [len(done) for done in each["samples"]] == [saving.PER_ROUND]
        assert each["median"] > 0
        assert len(each["gaps"]) == (each["face"] == "async")
        assert each["contender"] != saving.BY_HAND or each["ratio"] == 1
    output = capsys.readouterr().out
    assert output.count("at most 1.5: ") == 2
    assert output.count("at most 20: ") == 1


def test_the_chat_that_is_saved_is_as_large_as_is_said() -> None:
    """100 messages of 0.6 MB, of tools' results."""
    made = chats.messages()
    assert len(made) == 100
    assert 600_000 < len(to_json(made)) < 700_000
    assert len(load(made)) == 100


def test_verdicts_tell_what_is_missed() -> None:
    """A save is too slow above the ratio, and holds the loop too long above the gap."""
    ours, theirs = [each for each in saving.CONTENDERS if each.face == "async"]
    by_hand = Saved(theirs, [[1.0, 2.0, 3.0]], [0.1])

    def said(elapsed: float, gap: float) -> list[str]:
        results = [Saved(ours, [[elapsed]], [gap]), by_hand]
        return [line.rpartition(": ")[2] for line in report.verdicts(results)]

    assert said(3.0, 0.02) == ["held", "held"]
    assert said(3.1, 0.02) == ["missed", "held"]
    assert said(3.0, 0.021) == ["held", "missed"]


def test_the_longest_wait_of_another_task_is_found() -> None:
    """Of all that a save does between two awaits, the longest counts."""

    async def save() -> None:
        for seconds in (0.01, 0.05, 0.01):
            time.sleep(seconds)  # noqa: ASYNC251 - what is to be found
            await asyncio.sleep(0)

    assert 0.05 <= asyncio.run(saving.worst_gap(save)) < 0.07


def test_other_messages_are_noticed(postgres_server: Server) -> None:
    """A contender that leaves something else than it was given stops the run."""

    @asynccontextmanager
    async def broken(
        url: str, chat: chats.Chat, messages: list[chats.Message]
    ) -> AsyncGenerator[saving.Save]:
        async with saving.by_hand_sync(url, chat, messages[:-1]) as save:
            yield save

    contender = saving.Contender("broken", "sync", broken)
    with pytest.raises(RowsDifferError, match="broken"):
        asyncio.run(
            saving.run(
                postgres_server.url,
                1,
                lambda _: None,
                contenders=[contender],
                warm_up=1,
            )
        )


def test_the_command_prints_no_times_where_rows_differ(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a broken contender it fails, says which one it is, and shows no table."""
    damage: LiteralString = "DELETE FROM order_items"
    monkeypatch.setattr(command, "TASKS", (_with_broken(CHECKOUT, damage),))
    assert command.main(["--rounds=1", "--delay=0", "--fast"]) == 2
    output = capsys.readouterr().out
    assert "broken" in output
    assert "median" not in output


def _run(
    server: Server, *tasks: Task, delays: tuple[float, ...] = (0,)
) -> list[Outcome]:
    plan = Plan(tasks, rounds=2, delays=delays, warm_up=2)
    return asyncio.run(measuring.run(server.url, plan, lambda _: None))


def _with_broken(task: Task, damage: LiteralString) -> Task:
    """Set one that does it right and then does damage beside the first contender."""

    @asynccontextmanager
    async def opened(url: str) -> AsyncGenerator[Work]:
        async with by_psycopg.one_cte_sync(url) as checkout:
            with psycopg.connect(
                url, autocommit=True, cursor_factory=psycopg.RawCursor
            ) as conn:

                async def work(cart: Cart) -> object:
                    done = await checkout(cart)
                    conn.execute(damage, [cart.user_id] if "$1" in damage else None)
                    return done

                yield work

    broken = Contender("broken", "sync", opened)
    return replace(task, contenders=(task.contenders[0], broken))


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
