"""Ranges and multiranges, PostgreSQL's own and the schema's."""

from decimal import Decimal

from psycopg.types.multirange import Multirange
from psycopg.types.range import Range

from generator.tests.signatures.cases import Case

# ruff: noqa: ISC004 - statements are long, and stand in pairs with their signatures

RANGE_OF_ONE = Range(Decimal(1), Decimal(2))
CASES = {
    "ranges of the schema": Case(
        """
        CREATE DOMAIN cents AS integer;
        CREATE TYPE span AS RANGE (subtype = float8);
        CREATE TYPE reach AS RANGE (subtype = float8);
        CREATE TYPE prices AS RANGE (subtype = cents);
        CREATE TYPE offer AS (prices prices, span span);
        CREATE TABLE t (
            span span NOT NULL, prices prices, spans span [] NOT NULL, offer offer
        );
        """,
        "INSERT INTO t VALUES ('[1.5,2)', 'empty', '{\"[1,)\",NULL}', NULL)",
        {
            "get_spans :many": (
                "SELECT span FROM t WHERE span && @span OR span = ANY(@spans)",
                "(span: Range[float], spans: Sequence[Range[float] | None])"
                " -> list[Range[float]]",
                [
                    ({"span": Range(1.0, 9.0), "spans": []}, [Range(1.5, 2.0)]),
                    ({"span": Range(empty=True), "spans": []}, []),
                    ({"span": Range(empty=True), "spans": [None, Range(1.5, 2)]},
                     [Range(1.5, 2.0)]),
                ],
            ),
            "get_lists :many": (
                "SELECT spans FROM t WHERE prices = @prices",
                "(prices: Range[int] | None) -> list[list[Range[float] | None]]",
                [
                    ({"prices": Range[int](empty=True)}, [[Range(1.0), None]]),
                    ({"prices": None}, []),
                ],
            ),
            # psycopg alone takes it for the other range of floats.
            "get_reach :one": (
                "SELECT lower(sqlc.arg(reach)::reach * reach(0, 5))",
                "(reach: Range[float]) -> float | None",
                [({"reach": Range(1.0, 9.0)}, 1.0)],
            ),
            "get_spread :one": (
                "SELECT upper(sqlc.arg(span)::span * span(0, 5))",
                "(span: Range[float]) -> float | None",
                [({"span": Range(1.0, 9.0)}, 5.0)],
            ),
            "get_bound :one": (
                "SELECT upper(prices(@low, @high))",
                "(low: int, high: int) -> int | None",
                [({"low": 1, "high": 3}, 3)],
            ),
            "load :copyfrom": (
                "INSERT INTO t (span, prices, spans) VALUES (@span, @prices, @spans)",
                "(rows: Iterable[LoadParams]) -> int",
                [],
            ),
            "get_offers :many": (
                "SELECT offer FROM t",
                "() -> list[server_types.Offer | None]",
                [({}, [None])],
            ),
        },
    ),
    "multiranges of the schema": Case(
        """
        CREATE DOMAIN cents AS integer;
        CREATE TYPE span AS RANGE (subtype = float8);
        CREATE TYPE prices AS RANGE (
            subtype = cents, multirange_type_name = price_list
        );
        CREATE TYPE day_range AS RANGE (subtype = date);
        CREATE TYPE offer AS (list price_list, days day_multirange);
        CREATE TABLE t (
            spans span_multirange NOT NULL, list price_list,
            lists price_list [] NOT NULL, days day_multirange, offer offer
        );
        """,
        """
        INSERT INTO t VALUES (
            '{[1.5,2),[3,)}', '{[1,3)}', '{NULL,"{[1,2),[5,7)}"}', '{}', NULL
        )
        """,
        {
            "get_spans :many": (
                "SELECT spans FROM t WHERE spans && @spans OR spans = ANY(@several)",
                "(spans: Multirange[float], several: Sequence[Multirange[float] |"
                " None]) -> list[Multirange[float]]",
                [
                    (
                        {"spans": Multirange([Range(1.0, 9.0)]), "several": []},
                        [Multirange([Range(1.5, 2.0), Range(3.0)])],
                    ),
                    ({"spans": Multirange[float](), "several": [None]}, []),
                    (
                        {
                            "spans": Multirange[float](),
                            "several": [Multirange([Range(1.5, 2), Range(3)])],
                        },
                        [Multirange([Range(1.5, 2.0), Range(3.0)])],
                    ),
                ],
            ),
            "get_lists :many": (
                "SELECT lists FROM t WHERE list = @list",
                "(list_: Multirange[int] | None)"
                " -> list[list[Multirange[int] | None]]",
                [
                    (
                        {"list_": Multirange([Range(1, 3)])},
                        [[None, Multirange([Range(1, 2), Range(5, 7)])]],
                    ),
                    ({"list_": None}, []),
                ],
            ),
            "get_days :many": (
                "SELECT days FROM t",
                "() -> list[Multirange[datetime.date] | None]",
                [({}, [Multirange()])],
            ),
            "get_whole :one": (
                "SELECT range_merge(sqlc.arg(spans)::span_multirange)",
                "(spans: Multirange[float]) -> Range[float]",
                [({"spans": Multirange([Range(1.0, 2.0), Range(3.0, 4.0)])},
                  Range(1.0, 4.0))],
            ),
            "get_made :one": (
                "SELECT multirange(@prices::prices)",
                "(prices: Range[int]) -> Multirange[int] | None",
                [({"prices": Range(1, 3)}, Multirange([Range(1, 3)]))],
            ),
            "load :copyfrom": (
                "INSERT INTO t (spans, list, lists) VALUES (@spans, @list, @lists)",
                "(rows: Iterable[LoadParams]) -> int",
                [],
            ),
            "get_offers :many": (
                "SELECT offer FROM t",
                "() -> list[server_types.Offer | None]",
                [({}, [None])],
            ),
        },
    ),
    "ranges of PostgreSQL beside those of the schema": Case(
        """
        CREATE TYPE worth AS RANGE (subtype = numeric);
        CREATE TABLE t (
            n numrange NOT NULL, ns nummultirange NOT NULL, worth worth NOT NULL,
            worths worth_multirange NOT NULL
        );
        """,
        "INSERT INTO t VALUES ('[1,2)', '{[1,2)}', '[1,2)', '{[1,2)}')",
        {
            "get_ranges :many": (
                "SELECT n FROM t WHERE n = @n AND worth = @worth",
                "(n: Range[Decimal], worth: Range[Decimal]) -> list[Range[Decimal]]",
                [({"n": RANGE_OF_ONE, "worth": RANGE_OF_ONE}, [RANGE_OF_ONE])],
            ),
            "get_multiranges :many": (
                "SELECT worths FROM t WHERE ns = @ns AND worths = @worths",
                "(ns: Multirange[Decimal], worths: Multirange[Decimal])"
                " -> list[Multirange[Decimal]]",
                [
                    (
                        {
                            "ns": Multirange([RANGE_OF_ONE]),
                            "worths": Multirange([RANGE_OF_ONE]),
                        },
                        [Multirange([RANGE_OF_ONE])],
                    )
                ],
            ),
        },
    ),
}  # fmt: skip
