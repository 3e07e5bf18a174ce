"""docs/faults.md names tests that exist, and all of them."""

import re
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "faults.md"
FILES = [HERE / "test_faults_under_load.py", HERE / "test_failover.py"]


def test_the_table_names_every_test() -> None:
    """Each fault of the table has its test, and each such test its line."""
    named = re.findall(r"`(test_\w+)` \|$", PAGE.read_text(), re.MULTILINE)
    written = [
        name
        for file in FILES
        for name in re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE)
    ]
    assert sorted(named) == sorted(written)
