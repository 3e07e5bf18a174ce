# Generated from store/_async/chain.py by tools/make_sync.py. DO NOT EDIT.
"""The mirror: carts on chain are what the events of Sui say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow

from generated import chain
from generated.internal import chain_steps, order_steps
from store import errors
from store.chain import ChainCursor, ChainEvent, ChainPage, PageEntry, RecordedPage
from store.limits import refuse_too_many

from .database import Database

_Connection = Connection[TupleRow]
# What records a page, without the events that are refused for a reason.
_Work = Callable[[Mapping[UUID, str], _Connection], RecordedPage]

# A digest that is recorded elsewhere at the same time is seen at the next attempt.
_ATTEMPTS = 3


def mirror_order_items(conn: _Connection, order_ids: Sequence[UUID]) -> None:
    """Make the items of these orders what events and orders say.

    What takes an item's place in the cart, or loses it, goes along. Needs the locks of
    the orders' users; to be called where carts are on chain, when a status has changed.
    """
    chain_steps.mirror_cart_items(conn, order_ids=order_ids, object_ids=[], user_ids=[])


class Mirror(Database):
    """The mirror of a store. All methods raise DatabaseError.

    Those that write raise WrongCartService, unless CART_SERVICE is onchain.
    """

    def get_chain_cursor(self) -> ChainCursor | None:
        """Give what to ask for the next page with; None: from the beginning.

        Example:
            ```python
            cursor = store.get_chain_cursor()
            asked = cursor.as_json() if cursor else None  # what the node takes
            ```
        """
        with self.connection() as conn:
            return _stored_cursor(conn)

    def adopt_chain_cursor(self, cursor: ChainCursor) -> None:
        """Begin where another indexer has stopped: set the cursor, if there is none.

        The same cursor again changes nothing.

        Raises:
            ChainCursorMoved: there is another one.

        Example:
            ```python
            last = {"txDigest": DIGEST, "eventSeq": "0"}  # of the old indexer
            store.adopt_chain_cursor(ChainCursor.of(last))
            ```
        """
        self._require_onchain()

        def work(conn: _Connection) -> None:
            chain_steps.lock_chain_cursor(conn)
            stored = _stored_cursor(conn)
            if stored is None:
                chain_steps.move_chain_cursor(conn, **cursor.model_dump())
            elif stored != cursor:
                raise errors.ChainCursorMoved(stored)

        self.atomically(work)

    def record_chain_page(
        self, page: bytes | str | Mapping[str, Any], *, asked_with: ChainCursor | None
    ) -> RecordedPage:
        """Record a page of `queryEvents`, and make the carts what its events say.

        The page is taken as it came: JSON, or what was decoded from it, with or without
        the JSON-RPC answer around it. ``asked_with`` is the cursor that it was asked
        with. The stored cursor moves with the page's events or not at all. An event
        that cannot be recorded is set aside and holds nothing up.

        Raises:
            ChainCursorMoved: another worker was faster; nothing was written.
            InvalidValue: it is no page.
            TooMany: it has more than CHAIN_PAGE_MAX_EVENTS events.

        Example:
            ```python
            cursor = store.get_chain_cursor()
            while True:
                answer = query_events(cursor.as_json() if cursor else None)
                recorded = store.record_chain_page(answer, asked_with=cursor)
                cursor = recorded.cursor
                if not recorded.has_next_page:
                    break
            ```
        """
        self._require_onchain()
        given = ChainPage.read(page)

        def work(refused: Mapping[UUID, str], conn: _Connection) -> RecordedPage:
            chain_steps.lock_chain_cursor(conn)
            stored, following = _stored_cursor(conn), given.next_cursor
            if following is not None and stored == following:
                return RecordedPage(
                    cursor=stored, has_next_page=given.has_next_page, repeated=True
                )
            if stored != asked_with:
                raise errors.ChainCursorMoved(stored)
            if following is not None:
                chain_steps.move_chain_cursor(conn, **following.model_dump())
            return _apply(conn, given, refused, following or stored)

        return self._record(given, work)

    def replay_chain_page(self, page: bytes | str | Mapping[str, Any]) -> RecordedPage:
        """Record a page whatever the cursor is, and leave the cursor where it is.

        For what was skipped or lost: the events of a wallet that was written here too
        late, or all events from the beginning. What is recorded already stays as it is.

        Raises:
            InvalidValue: it is no page.
            TooMany: it has more than CHAIN_PAGE_MAX_EVENTS events.

        Example:
            ```python
            store.replay_chain_page(query_events(None))
            ```
        """
        self._require_onchain()
        given = ChainPage.read(page)

        def work(refused: Mapping[UUID, str], conn: _Connection) -> RecordedPage:
            chain_steps.lock_chain_cursor(conn)
            return _apply(conn, given, refused, _stored_cursor(conn))

        return self._record(given, work)

    def retry_chain_event(self, event_id: UUID) -> RecordedPage:
        """Try an event that was set aside again.

        If it can be recorded by now, or is of no use any more, it is set aside no
        longer; else the result's ``set_aside`` is 1, and the reason is the one of now.
        An event that was too large to be kept whole cannot be tried.

        Raises:
            ChainEventNotFound: none is set aside with this id, or not any longer.

        Example:
            ```python
            page = store.list_set_aside_chain_events()
            for event in page.rows:
                tried = store.retry_chain_event(event.id)
                print("still" if tried.set_aside else "no longer", "set aside")
            ```
        """
        self._require_onchain()
        with self.connection() as conn:
            event = chain.get_set_aside_chain_event(conn, id=event_id)
            cursor = _stored_cursor(conn)
        if event is None:
            raise errors.ChainEventNotFound(event_id)
        if not event.is_whole:
            return RecordedPage(cursor=cursor, has_next_page=False, set_aside=1)
        return self.replay_chain_page(f'{{"data": [{event.event}]}}')

    def _record(self, page: ChainPage, work: _Work) -> RecordedPage:
        """Do the work, without the events that the database turns out to refuse."""
        limit = self.settings.chain_page_max_events
        refuse_too_many("events", page.entries, limit, "CHAIN_PAGE_MAX_EVENTS")
        refused: dict[UUID, str] = {}
        for _ in range(_ATTEMPTS - 1):
            try:
                return self.atomically(partial(work, refused))
            except errors.AlreadyExists:
                pass
            except errors.InvalidValue:
                refused = self._refusals(page)
                if not refused:
                    raise
        return self.atomically(partial(work, refused))

    def _refusals(self, page: ChainPage) -> dict[UUID, str]:
        """Try each event alone, writing nothing, and tell which ones are refused."""
        refused: dict[UUID, str] = {}
        for entry in page.entries:
            try:
                self.atomically(partial(_rehearse, entry))
            except _Rehearsed:
                pass
            except errors.InvalidValue as refusal:
                rule = refusal.constraint or refusal.column or refusal.sqlstate
                refused[entry.id] = f"the database refuses it: {rule}"
        return refused

    def _require_onchain(self) -> None:
        if self.settings.cart_service != "onchain":
            raise errors.WrongCartService("onchain")


class _Rehearsed(Exception):
    """Takes back what was written to try an event."""


def _rehearse(entry: PageEntry, conn: _Connection) -> None:
    chain_steps.lock_chain_cursor(conn)
    page = ChainPage(entries=(entry,), next_cursor=None, has_next_page=False)
    _apply(conn, page, {}, None)
    raise _Rehearsed


def _stored_cursor(conn: _Connection) -> ChainCursor | None:
    row = chain_steps.get_chain_cursor(conn)
    if row is None:
        return None
    return ChainCursor(tx_digest=row.tx_digest, event_seq=row.event_seq)


def _apply(
    conn: _Connection,
    page: ChainPage,
    refused: Mapping[UUID, str],
    cursor: ChainCursor | None,
) -> RecordedPage:
    """Keep a page's events, do what they say, set aside what cannot be done.

    Locks Crossmint ids, then users: needs the cursor's lock, and none of these.
    """
    wallets = {e.wallet_address for e in page.entries if e.wallet_address}
    known = chain_steps.list_known_wallets(conn, wallet_addresses=sorted(wallets))
    named = [
        entry.event.crossmint_order_id
        for entry in page.entries
        if entry.event
        and entry.event.crossmint_order_id
        and entry.event.wallet_address in known
    ]
    if named:
        order_steps.lock_crossmint_orders(conn, crossmint_order_ids=named)
    owners = chain_steps.lock_users_of_wallets(conn, wallet_addresses=known)
    here = {owner.wallet_address for owner in owners}

    aside: dict[UUID, tuple[PageEntry, str]] = {}
    fine: dict[tuple[str, int], PageEntry] = {}
    skipped = 0
    for entry in page.entries:
        reason = refused.get(entry.id, entry.reason)
        strange = entry.wallet_address is not None and entry.wallet_address not in here
        if strange or (entry.event is None and reason is None):
            skipped += 1
        elif reason is not None:
            aside[entry.id] = entry, reason
        elif entry.event:
            key = entry.event.tx_digest, entry.event.event_sequence
            if key not in fine or not entry.event.time_is_of_receipt:
                fine[key] = entry

    recorded = 0
    if events := [entry.event for entry in fine.values() if entry.event]:
        recorded = _keep(conn, events, [owner.id for owner in owners])
    created: list[UUID] = []
    for entry in fine.values():
        if entry.event and entry.event.crossmint_order_id:
            order_id, reason = _apply_to_order(conn, entry.event)
            created += [order_id] if order_id else []
            aside |= {entry.id: (entry, reason)} if reason else {}
    if events:
        chain_steps.link_snapshots_to_cart_items(
            conn,
            object_ids=[event.object_id for event in events],
            user_ids=[owner.id for owner in owners],
        )
    if created:
        order_steps.recompute_orders(conn, ids=created)

    done = [entry.id for entry in page.entries if entry.id not in aside]
    chain.drop_set_aside_chain_events(conn, ids=done)
    if aside:
        entries = [entry for entry, _ in aside.values()]
        chain_steps.set_chain_events_aside(
            conn,
            ids=[*aside],
            reasons=[reason for _, reason in aside.values()],
            events=[entry.raw for entry in entries],
            are_whole=[entry.is_whole for entry in entries],
            wallet_addresses=[entry.wallet_address for entry in entries],
        )
    return RecordedPage(
        cursor=cursor,
        has_next_page=page.has_next_page,
        recorded=recorded,
        skipped=skipped,
        set_aside=len(aside),
    )


def _keep(
    conn: _Connection, events: Sequence[ChainEvent], user_ids: Sequence[UUID]
) -> int:
    """Keep events and mirror the items that they name; tell how many were new."""
    objects = sorted({event.object_id for event in events})
    recorded = chain_steps.insert_chain_events(
        conn,
        events=[
            asdict(event) | {"occurred_at": event.occurred_at.isoformat()}
            for event in events
        ],
    )
    chain_steps.adopt_cart_items(conn, object_ids=objects, user_ids=user_ids)
    chain_steps.mirror_cart_items(
        conn, order_ids=[], object_ids=objects, user_ids=user_ids
    )
    return len(recorded)


def _apply_to_order(
    conn: _Connection, event: ChainEvent
) -> tuple[UUID | None, str | None]:
    """Record an OrderCreated on its order, or make that; say what could not be done."""
    found = chain_steps.get_order_of_chain_event(
        conn, tx_digest=event.tx_digest, event_sequence=event.event_sequence
    )
    if found is None or found.owner_id is None or found.is_retired:
        return None, None
    reason = "its transaction is another order's" if found.digest_is_used else None
    if found.order_id is None:
        created = chain_steps.create_order_of_chain_event(
            conn,
            tx_digest=event.tx_digest,
            event_sequence=event.event_sequence,
            owner_id=found.owner_id,
            with_digest=reason is None,
        )
        return created, reason
    if not found.is_owners:
        return None, "its order is another user's"
    if not found.is_of_item:
        return None, "its order is of another item"
    if found.tx_hash not in {None, event.tx_digest}:
        return None, "its order has another transaction"
    if found.tx_hash is None and reason is None:
        chain_steps.record_digest_of_order(
            conn, tx_digest=event.tx_digest, order_id=found.order_id
        )
    return None, reason if found.tx_hash is None else None
