# Generated from store/_async/pipeline.py by tools/make_sync.py. DO NOT EDIT.
"""A pipeline that keeps its commands back, and sends them with a Sync in one write.

The driver's own writes each command as it is queued, and asks for results with a Flush.
Until its next Sync the server is then `active`, and none of its limits ends the session
of a client that froze in between: its locks stay. After a Sync the server is `idle in
transaction`, for which it has a limit; and the commands of a round trip leave together.

A Sync ends the implicit transaction of statements without BEGIN, so this is only for
pipelines that begin with one; or for one statement at a time, at the end.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import Connection, Pipeline
from psycopg.abc import PQGen
from psycopg.generators import send
from psycopg.pq import ConnStatus, TransactionStatus

if TYPE_CHECKING:
    from psycopg._pipeline_base import PendingResult
    from psycopg.pq.abc import PGresult

# More are not kept back: their results would take as much memory at once.
_MOST_HELD = 100

_SET_PATH = b"SELECT pg_catalog.set_config('search_path', $1, true)"


class HeldPipeline(Pipeline):
    """What `begin_pipeline` of the connection makes; nested blocks share it.

    Between two round trips, every command that was sent has had its result: what is in
    the queues has not been sent.
    """

    # The server's word for the last of what `queue` has sent.
    completed: bytes | None = None

    def queue(self, command: bytes) -> None:
        """Queue a command that has neither parameters nor rows; its error is raised.

        It takes a twentieth of what a cursor's execution of it would.
        """
        self.command_queue.append(partial(self.pgconn.send_query_params, command, None))
        self.result_queue.append(None)

    def _process_results(self, queued: PendingResult, results: list[PGresult]) -> None:
        super()._process_results(queued, results)
        if queued is None:  # what `queue` sent, or a Sync, of which nothing is said
            self.completed = results[0].command_status or self.completed

    def drop(self) -> None:
        """Forget what has not been sent."""
        self.command_queue.clear()
        self.result_queue.clear()

    def _communicate_gen(self) -> PQGen[None]:
        """Send nothing yet, unless many commands are kept back."""
        if len(self.command_queue) >= _MOST_HELD:
            yield from self._sync_gen()

    def _fetch_gen(self, *, flush: bool) -> PQGen[None]:
        """Do the round trip that brings the results asked for (where `flush`)."""
        if not flush:
            yield from super()._fetch_gen(flush=False)
        elif self.result_queue:
            yield from self._sync_gen()

    def _sync_gen(self) -> PQGen[None]:
        """Do one round trip: all commands and the Sync leave, then all results come."""
        self._enqueue_sync()
        if len(self.command_queue) != len(self.result_queue):
            # An interrupt struck between the two: results would go to other cursors.
            self.drop()
            self.pgconn.finish()
            raise psycopg.OperationalError("the pipeline was interrupted")
        try:
            while self.command_queue:
                self.command_queue.popleft()()  # into the buffer of libpq
        except BaseException:
            self.drop()
            self.pgconn.finish()
            raise
        yield from send(self.pgconn)
        yield from super()._fetch_gen(flush=False)

    def _exit_gen(self) -> PQGen[None]:
        """Leave a nested block; by an error, without sending what it queued.

        What is queued could fail too, and the driver would log that with its values.
        """
        if self.pgconn.status == ConnStatus.OK and sys.exception() is None:
            yield from self._sync_gen()


class SinglePipeline(HeldPipeline):
    """Sends each statement at once, behind the search path that it is read with.

    For single statements through a pooler, where no session can be told the schema: up
    to its Sync, a pipeline without BEGIN is one transaction, with which the setting
    ends, and which a pooler keeps on one session. It costs no round trip.
    """

    def __init__(self, conn: Connection[Any], path: str) -> None:
        super().__init__(conn)
        self._path = path.encode()

    def _communicate_gen(self) -> PQGen[None]:
        """Send what was queued, unless a block within gathers a batch of its own."""
        if self.command_queue and self.level == 1:
            yield from self._sync_gen()

    def _sync_gen(self) -> PQGen[None]:
        """Say the search path first, where a transaction is about to begin."""
        is_idle = self.pgconn.transaction_status == TransactionStatus.IDLE
        if self.command_queue and is_idle:
            self.result_queue.appendleft(None)  # no cursor waits for it
            self.command_queue.appendleft(
                partial(self.pgconn.send_query_params, _SET_PATH, [self._path])
            )
        yield from super()._sync_gen()
