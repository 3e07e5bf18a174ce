"""The profile of a checkout and of a page names every part of them."""

from __future__ import annotations

import pytest

from benchmarks import profile


@pytest.mark.long
def test_each_part_has_its_time(capsys: pytest.CaptureFixture[str]) -> None:
    """Both profiles have a line for each statement, and for each step of reading."""
    assert profile.main(["--checkouts=300", "--pages=5"]) == 0
    printed = capsys.readouterr().out
    for part in ("lock_crossmint_orders", "create_orders", "claim_cart_items_by_id"):
        assert part in printed
    for part in ("the driver", "the store", "reading JSON", "making models"):
        assert part in printed
    for part in ("COMMIT, durable", "finding the rows", "writing them as text"):
        assert part in printed
