"""A store in another process: after a fork it starts anew, and it cannot be pickled."""

import copy
import os
import pickle
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from uuid import UUID

import psycopg
import pytest

from generated import users
from generated.internal import user_steps
from store import Store
from store_testing import factories


def in_child(work: Callable[[], object]) -> int:
    """Run the work in a forked process; give what it exits with."""
    process_id = os.fork()
    if process_id == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(process_id, 0)[1])


def look_up(store: Store, ids: list[UUID], times: int) -> None:
    """Read users; each must be the one that was asked for."""
    for number in range(times):
        with store.connection() as conn:
            user = users.get_user(conn, id=ids[number % len(ids)])
        assert user
        assert user.id == ids[number % len(ids)]


def test_a_forked_store_starts_anew(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """Parent and child do not read each other's replies; the parent keeps sessions."""
    ids = [user_id, *(factories.add_user(conn) for _ in range(6))]
    with ExitStack() as stack:
        mine = {
            stack.enter_context(store.connection()).info.backend_pid for _ in range(3)
        }
    children: list[int] = []
    for _ in range(2):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                look_up(store, ids, 200)
                with store.connection() as own:
                    code = 2 if own.info.backend_pid in mine else 0
                store.close()
            finally:
                os._exit(code)
        children.append(child)
    look_up(store, ids, 200)
    codes = [os.waitstatus_to_exitcode(os.waitpid(each, 0)[1]) for each in children]
    assert codes == [0, 0]
    with ExitStack() as stack:
        assert mine == {
            stack.enter_context(store.connection()).info.backend_pid for _ in range(3)
        }


def test_a_fork_within_a_block_leaves_the_parent_alone(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """The child cannot use what the parent has borrowed, nor end it."""
    with store.transaction() as inside:
        users.set_display_name(inside, id=user_id, display_name="Ada")
        user_steps.lock_user(inside, id=user_id)

        def use() -> None:
            with pytest.raises(psycopg.OperationalError):
                users.get_user(inside, id=user_id)
            inside.close()
            look_up(store, [user_id], 1)

        assert in_child(use) == 0
        user_steps.lock_user(inside, id=user_id)
    user = users.get_user(conn, id=user_id)
    assert user
    assert user.display_name == "Ada"


@pytest.mark.parametrize("way", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_store_is_not_pickled(store: Store, way: Callable[[Store], object]) -> None:
    """It says what to send instead."""
    with pytest.raises(TypeError, match="give its settings"):
        way(store)
