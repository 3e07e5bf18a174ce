"""The check on foreign projects finds what it is there to find.

Each flaw is put into output of the real plugin, and must be told; the same output
without it must pass.
"""

from collections.abc import Callable

import pytest

from generator.tests.corpus.cases import BULK, Flawed, details
from generator.tools.corpus import databases
from generator.tools.corpus.findings import TOLERATED, Findings, Kind
from generator.tools.corpus.generate import Generated
from postgres_testing.embedded import Server


def test_right_code_passes(found_with: Flawed) -> None:
    """Output without a flaw gives no failing finding, and every query gives rows."""
    found = found_with()
    assert [f for f in found.found if f.kind not in TOLERATED] == []
    assert found.of(Kind.UNPROVEN) == []
    assert found.of(Kind.UNFILLED) == []
    assert found.counts["columns NOT NULL"] == 6


def test_extra_optional_is_found(found_with: Flawed) -> None:
    """A NOT NULL column that is annotated Optional is a finding."""
    found = found_with(("label: str\n", "label: str | None\n"))
    assert details(found, Kind.OPTIONAL) == ["ListItems: .label: str | None"]


def test_wrong_annotation_is_found(found_with: Flawed) -> None:
    """A value that contradicts its annotation is a finding, deep inside a row too."""
    found = found_with(("prices: list[Decimal | None]", "prices: list[Decimal]"))
    told = details(found, Kind.VIOLATION)
    assert any(t.startswith("ListItems: [") for t in told)
    assert all(t.endswith(": Decimal, but NoneType came") for t in told)


def test_missing_optional_is_found(found_with: Flawed) -> None:
    """A column that an outer join makes NULL must be Optional."""
    found = found_with(("label: str | None\n", "label: str\n"))
    assert any("LabelsOfOwners" in t for t in details(found, Kind.VIOLATION))


def test_untyped_column_is_counted(found_with: Flawed) -> None:
    """A column annotated Any counts as untyped."""
    found = found_with(("label: str\n", "label: Any\n"))
    assert details(found, Kind.UNTYPED) == ["ListItems: .label: Any"]
    assert found.counts["columns untyped"] == 1


def test_wrong_arity_is_ours(found_with: Flawed) -> None:
    """An argument that is not sent is an error of the generated code's."""
    found = found_with(("(support.int4(id), note)", "(support.int4(id),)"))
    assert [t for t in details(found, Kind.ERROR) if t.startswith("ListItems: 08P01")]


def test_wrong_type_is_ours(found_with: Flawed) -> None:
    """An argument of a type that the statement does not take is one, too."""
    found = found_with(("(support.int4(id), note)", "([id], note)"))
    assert [t for t in details(found, Kind.ERROR) if t.startswith("ListItems: 42883")]


def test_list_for_what_is_no_array_is_ours(found_with: Flawed) -> None:
    """A list that the annotation asks for where the server takes a number is one, too.

    The server's complaint is about its text, as if the data were at fault.
    """
    found = found_with(("id: int,", "id: Sequence[str],"), ("support.int4(id)", "id"))
    assert [t for t in details(found, Kind.ERROR) if t.startswith("ListItems: 22P02")]


def test_right_bulk_code_passes(found_with: Flawed) -> None:
    """Batches, copies, slices and registered types pass, and every query gives rows."""
    found = found_with(queries=BULK)
    assert [f for f in found.found if f.kind not in TOLERATED] == []
    assert found.of(Kind.UNPROVEN) == []
    assert found.of(Kind.UNTYPED) == []
    assert found.counts["queries that ran"] == 6
    # Four of them have no twins, two are sent and streamed as well.
    assert found.counts["functions"] == 2 * (4 + 2 * 3)


@pytest.mark.parametrize(
    ("right", "wrong", "kind", "told"),
    [
        ("for _ in arguments:", "for _ in arguments[1:]:", Kind.ERROR,
         "ItemsOf: not one result for each row of arguments"),
        ("return cur.rowcount", "return cur.rowcount + 1", Kind.ERROR,
         "AddOwners: not one result for each row of arguments"),
        ("    id: int\n    label: str\n", "    id: int\n    label: int\n",
         Kind.VIOLATION, "ItemsOf: […][…].label: int, but str came"),
        ('("id", "name")', '("name", "id")', Kind.LOST, "AddOwners: functions none"),
        ('set_types(("int4", ', 'set_types(("int8", ', Kind.ERROR,
         "AddOwners: 22P03"),
        ("= ANY($1/", "<> ALL($1/", Kind.LOST, "SomeLabels: functions none"),
        ("return cur.fetchall\n", "return cur.fetchone\n", Kind.VIOLATION,
         "send_SomeLabels: the value: list[str], but str came"),
        ("RawServerCursor[str],", "RawServerCursor[int],", Kind.VIOLATION,
         "stream_SomeLabels: […]: int, but str came"),
        ("def send_some_labels", "def sent_some_labels", Kind.LOST,
         "SomeLabels: functions …, …, stream_…"),
        ("[(support.int4(row.id), row.name) for", "[(row.name,) for", Kind.STUCK,
         "RenameOwners: each run failed, but the query runs by hand"),
    ],
)  # fmt: skip
def test_flaw_in_bulk_code_is_found(
    found_with: Flawed, right: str, wrong: str, kind: Kind, told: str
) -> None:
    """Every way of calling a query is tried, and its result is judged."""
    found = found_with((right, wrong), queries=BULK)
    assert [t for t in details(found, kind) if t.startswith(told)], found.of(kind)


def test_unregistered_type_is_found(found_with: Flawed) -> None:
    """Types that are not registered are an error of the generated code's."""
    register = (
        "    register_spot_type(CompositeInfo",
        "    (lambda *_: None)(CompositeInfo",
    )
    found = found_with(register, queries=BULK, file="server_types.py")
    assert any("cannot adapt type 'Spot'" in t for t in details(found, Kind.ERROR))


def test_untyped_json_is_counted(found_with: Flawed) -> None:
    """JSON counts as typed by what type checkers see, and as untyped with an object."""
    change = ('dict[str, "JsonValue"]', "dict[str, object]")
    found = found_with(change, queries=BULK, file="json_types.py")
    assert found.counts["columns untyped"] == 1
    assert "ListPlaces: .settings" in details(found, Kind.UNTYPED)[0]


def test_wrong_json_is_found(found_with: Flawed) -> None:
    """JSON is compared with its type as deep as it goes."""
    change = ('| list["JsonValue"] | str |', "|")
    found = found_with(change, queries=BULK, file="json_types.py")
    assert any("settings" in told for told in details(found, Kind.VIOLATION))


def test_statement_that_cannot_run_is_not_ours(
    postgres_server: Server, make: Callable[[str], Generated]
) -> None:
    """A statement that PostgreSQL refuses by hand as well is none of the code's."""
    found = Findings()
    generated = make(
        "-- name: Impossible :exec\nINSERT INTO owners (name) VALUES ($1);"
    )
    databases.check(postgres_server.url, generated, found)
    assert (found.of(Kind.STUCK), found.counts["queries that cannot run"]) == ([], 1)


@pytest.mark.parametrize(
    ("query", "kind", "state"),
    [
        ("INSERT INTO items (id) VALUES (nothing())", Kind.REJECTED, "42883"),
        ("SELECT json_build_object('odd')", Kind.DATA, "22023"),
        ("SELECT pg_sleep(600)", Kind.DATA, "57014"),
    ],
)
def test_fault_of_the_statement_is_not_ours(
    postgres_server: Server,
    make: Callable[[str], Generated],
    query: str,
    kind: Kind,
    state: str,
) -> None:
    """What fails however it is sent is told, and is no failure of the code's."""
    command = ":exec" if query.startswith("INSERT") else ":one"
    found = Findings()
    generated = make(f"-- name: Strange {command}\n{query};\n")
    with databases.database(postgres_server.url, timeout="100ms") as url:
        filled = databases.fill_database(url, generated, found)
        databases.run(url, filled, generated, found)
    assert [told for told in details(found, kind) if f"Strange: {state}" in told]
    assert [f for f in found.found if f.kind not in TOLERATED] == []


def test_bug_in_reading_is_ours(found_with: Flawed) -> None:
    """What Python raises inside a generated function is one, too."""
    found = found_with(("ListItemsRow(*row)", "ListItemsRow(*row, 1)"))
    assert any("TypeError" in told for told in details(found, Kind.ERROR))


def test_broken_check_is_no_pass(found_with: Flawed) -> None:
    """Where the check itself cannot go on, the case is told, and has not passed."""
    found = found_with(("-> list[ListItemsRow]", "-> list['Nowhere']"))
    assert len(found.of(Kind.BROKEN)) == 1


def test_other_sql_is_found(found_with: Flawed) -> None:
    """A statement that is not what sqlc gave is a finding."""
    found = found_with(("id < $1", "id <= $1"))
    assert details(found, Kind.LOST)


def test_broken_module_is_found(found_with: Flawed) -> None:
    """A module that cannot be imported is a finding, and so are its lost queries."""
    found = found_with(("import Connection", "import Conection"))
    assert any("query.py" in told for told in details(found, Kind.IMPORT))
    assert len(details(found, Kind.LOST)) == 4


def test_unresolvable_hint_is_found(found_with: Flawed) -> None:
    """An annotation that pydantic could not resolve is a finding."""
    aside = "class Aside:\n    hidden: 'Nowhere'\n\n\nLIST_ITEMS: Final"
    found = found_with(("LIST_ITEMS: Final", aside))
    assert details(found, Kind.HINTS) == ["Aside: name 'Nowhere' is not defined"]
