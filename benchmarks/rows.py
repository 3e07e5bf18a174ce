"""The table: which contender stands beside which, and how far apart they may be.

Limits are of the medians of the rounds' ratios. A row is a goal and not a promise: what
is missed is said in the output, and fails nothing.
"""

from __future__ import annotations

from typing import Literal

from . import work
from .by_processes import DJANGO, DRIZZLE
from .tasks import Contender, Row, Task


def _row(
    task: Task,
    ours: str,
    theirs: str | None,
    limit: float,
    kind: Literal["time", "throughput", "seconds"] = "time",
) -> Row:
    by_name: dict[str, Contender] = {str(each): each for each in task.contenders}
    return Row(task, by_name[ours], by_name[theirs] if theirs else None, limit, kind)


_SYNC, _ASYNC = f"{work.STORE} (sync)", f"{work.STORE} (async)"
_GENERATED = f"{work.GENERATED} (sync)"

ROWS = (
    _row(work.CHECKOUT, _SYNC, f"{work.PIPELINE} (sync)", 0.85),
    _row(work.CHECKOUT, _ASYNC, f"{work.PIPELINE} (async)", 0.85),
    _row(work.CHECKOUT, _SYNC, f"{work.ONE_CTE} (sync)", 1.25),
    _row(work.CHECKOUT, _ASYNC, f"{work.ONE_CTE} (async)", 1.25),
    _row(work.FAR_CHECKOUT, _SYNC, f"{work.ONE_CTE} (sync)", 1.12),
    _row(work.FAR_CHECKOUT, _ASYNC, f"{work.ONE_CTE} (async)", 1.12),
    _row(work.CHECKOUT, _SYNC, str(DRIZZLE), 0.30),
    _row(work.CHECKOUT, _SYNC, f"{work.SQLALCHEMY} (sync)", 0.25),
    _row(work.CHECKOUT, _SYNC, str(DJANGO), 0.25),
    _row(work.READ, _GENERATED, f"{work.BY_HAND} (sync)", 1.05),
    _row(work.READ, f"{work.GENERATED} (async)", f"{work.BY_HAND} (async)", 1.05),
    _row(work.READ, _SYNC, f"{work.ASYNCPG} (async)", 0.95),
    _row(work.READ, _ASYNC, f"{work.ASYNCPG} (async)", 1.15),
    _row(work.READ, _GENERATED, f"{work.SQLC_GEN_PYTHON} (sync)", 1.05),
    _row(work.READ, _GENERATED, f"{work.BETTER_PYTHON} (sync)", 1.05),
    _row(work.LIST, _GENERATED, f"{work.SQLC_GEN_PYTHON} (sync)", 1.05),
    _row(work.LIST, _GENERATED, f"{work.BETTER_PYTHON} (sync)", 1.05),
    _row(work.POOLED_READ, _SYNC, f"{work.POOL_BY_HAND} (sync)", 1.05),
    _row(work.POOLED_READ, _ASYNC, f"{work.POOL_BY_HAND} (async)", 1.05),
    _row(work.MESSAGES, _SYNC, f"{work.ASYNCPG_ORJSON} (async)", 1.05),
    _row(work.MESSAGES, _ASYNC, f"{work.ASYNCPG_ORJSON} (async)", 1.25),
    _row(work.MESSAGES, _SYNC, f"{work.SQLALCHEMY} (sync)", 0.45),
    _row(work.TURN, _SYNC, f"{work.BY_HAND} (sync)", 1.15),
    _row(work.WEBHOOK, _SYNC, f"{work.BY_HAND} (sync)", 1.15),
    _row(work.CHAIN_PAGE, _SYNC, f"{work.BY_HAND} (sync)", 1.15),
    _row(work.WHOLE_CHAT, _SYNC, f"{work.ONE_STATEMENT} (sync)", 1.5),
    _row(work.WHOLE_CHAT, _ASYNC, f"{work.ONE_STATEMENT} (async)", 1.5),
    _row(work.GAP, _ASYNC, None, 0.020, "seconds"),
    _row(work.COPY, ":copyfrom (sync)", f"{work.BINARY_COPY} (sync)", 1.10),
    _row(work.BATCH, ":batchexec (sync)", f"{work.ONE_BY_ONE} (sync)", 0.30),
    *(
        _row(mixed, ours, theirs, limit, "throughput")
        for mixed in work.MIXED
        for ours, theirs, limit in (
            (_SYNC, f"{work.POOL_BY_HAND} (sync)", 0.95),
            (_ASYNC, f"{work.POOL_BY_HAND} (async)", 0.90),
            (_ASYNC, f"{work.ASYNCPG} (async)", 0.90),
        )
    ),
)
