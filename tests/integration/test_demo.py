"""What `make demo` shows."""

import inspect
import io
import re

import pytest
from rich.console import Console

from examples import demo

WIDTH = 60
STEPS = ("sign_up", "onboard", "chat", "fill_cart", "check_out", "pay")


@pytest.fixture
def shown(database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give what the demo prints on a narrow terminal."""
    output = io.StringIO()
    console = Console(file=output, width=WIDTH, highlight=False)
    monkeypatch.setattr(demo, "console", console)
    demo.demonstrate(database_url)
    return output.getvalue()


def test_each_step_is_shown_as_it_is_written(shown: str) -> None:
    """The whole body of each step's function stands below what its docstring says."""
    lines = [line.strip() for line in shown.splitlines()]
    for step in STEPS:
        _, title, code = inspect.getsource(getattr(demo, step)).split('"""')
        body = code.strip().splitlines()
        first = lines.index(title) + 1
        assert lines[first : first + len(body)] == [line.strip() for line in body]


def test_a_call_stands_above_the_rows_that_it_made(shown: str) -> None:
    """An order awaits approval below the checkout, and is paid below the webhook."""
    calls = "store.checkout(", "store.receive_order_event("
    rows = "awaiting_approval", "payment_confirmed"
    in_order = calls[0], rows[0], calls[1], rows[1]
    places = [shown.index(words) for words in in_order]
    assert places == sorted(places)


def test_nothing_is_cut_at_60_columns(shown: str) -> None:
    """No value of a row ends in an ellipsis, and no line of code is longer."""
    assert "…" not in shown.replace("migrate …", "")
    assert max(map(len, shown.splitlines())) <= WIDTH


def test_amounts_have_two_decimals_and_agree(shown: str) -> None:
    """The price in the cart is what the order says, before and after its payment."""
    row = re.compile(r"^ +Squared notebook .*?([\d.]+)(?: +0x\w+)? *$", re.MULTILINE)
    assert row.findall(shown) == ["14.90"] * 3
