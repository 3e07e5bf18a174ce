"""Is there an order of concurrent calls that explains each of their results?

The search is that of Knossos and Porcupine, on one object: it goes through the
beginnings and ends of calls as they happened, and keeps every pair of a state and the
set of calls under way that may have taken effect already. At a call's end only those
are left in which it has. A call whose outcome nobody knows ends never, and may take
effect at any time from its beginning on, or never. If no pair is left, nothing explains
the result.
"""

import heapq
import math
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from store_testing.history.records import Call

__all__ = ["TooManyStates", "Unexplained", "unexplained"]

_State = TypeVar("_State", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Unexplained(Generic[_State]):
    """The first call whose result no order explains, and the states before it."""

    call: Call
    states: Sequence[_State]


class TooManyStates(Exception):
    """The search was given up: too much was under way at once."""


def unexplained(
    calls: Iterable[Call],
    initial: _State,
    apply: Callable[[Call, _State], Iterable[_State]],
    *,
    most_states: int = 60_000,
) -> Unexplained[_State] | None:
    """Search for an order; None if there is one.

    `apply` gives the states to which a call with its result may lead: none, if the
    result cannot be in this state; of a call whose outcome is unknown, those to which
    its effects may lead. With more states than so many, the search is given up.
    """
    configurations: set[tuple[_State, frozenset[int]]] = {(initial, frozenset())}
    under_way: dict[int, Call] = {}
    ends: list[tuple[float, int]] = []

    def finish(number: int) -> Unexplained[_State] | None:
        nonlocal configurations
        after = _taken(configurations, number, under_way, apply, most_states)
        if not after:
            states = list({state for state, _ in configurations})
            return Unexplained(under_way[number], states[:3])
        configurations = after
        del under_way[number]
        return None

    for number, call in enumerate(sorted(calls, key=lambda call: call.begin)):
        while ends and ends[0][0] < call.begin:
            if problem := finish(heapq.heappop(ends)[1]):
                return problem
        under_way[number] = call
        if call.how != "unknown" and call.end < math.inf:
            heapq.heappush(ends, (call.end, number))
    while ends:
        if problem := finish(heapq.heappop(ends)[1]):
            return problem
    return None


def _taken(
    configurations: set[tuple[_State, frozenset[int]]],
    number: int,
    under_way: dict[int, Call],
    apply: Callable[[Call, _State], Iterable[_State]],
    most_states: int,
) -> set[tuple[_State, frozenset[int]]]:
    """Give all configurations in which a call took effect, without its number."""
    after: set[tuple[_State, frozenset[int]]] = set()
    seen = set(configurations)
    stack = list(configurations)
    while stack:
        state, done = stack.pop()
        if number in done:
            after.add((state, done - {number}))
            continue
        for other, call in under_way.items():
            if other in done:
                continue
            for changed in apply(call, state):
                if changed == state and call.how == "unknown":
                    continue  # as if it never took effect
                found = changed, done | {other}
                if found not in seen:
                    seen.add(found)
                    stack.append(found)
        if len(seen) > most_states:
            raise TooManyStates(str(under_way[number]))
    return after
