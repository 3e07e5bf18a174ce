"""Names are valid, predictable and out of each other's way."""

import builtins
import keyword

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqlc_gen_psycopg import inflection, names


@given(st.text())
def test_every_name_becomes_an_identifier(text: str) -> None:
    """Whatever SQL calls it, Python can."""
    for made in (names.snake(text), names.pascal(text), names.member(text)):
        assert made.isidentifier()
        assert not keyword.iskeyword(made)


@given(st.lists(st.sampled_from(["id", "id_2", "x", "id_"])))
def test_distinct_names_are_distinct(given_names: list[str]) -> None:
    """Equal names are told apart, the first keeping its own."""
    made = names.distinct(given_names)
    assert len(set(made)) == len(given_names)
    assert made[:1] == given_names[:1]


SNAKE = {
    "GetUser": "get_user",
    "get_user": "get_user",
    "getHTTPCode2": "get_http_code2",
    "userName": "user_name",
    "weird name!": "weird_name",
    "class": "class_",
    "1st": "n1st",
    "größe": "größe",
    "_hidden": "_hidden",
    "": "value",
    "!": "value",
}


@pytest.mark.parametrize("name", SNAKE)
def test_snake(name: str) -> None:
    """Words are split at case changes and odd characters."""
    assert names.snake(name) == SNAKE[name]


SINGULAR = {
    "users": "user",
    "order_items": "order_item",
    "categories": "category",
    "addresses": "address",
    "statuses": "status",
    "boxes": "box",
    "branches": "branch",
    "people": "person",
    "news": "news",
    "status": "status",
    "user_data": "user_data",
    "houses": "house",
    "databases": "database",
    "Users": "User",
}


@pytest.mark.parametrize("plural", SINGULAR)
def test_singular(plural: str) -> None:
    """A table's model is called after one of its rows."""
    assert inflection.singular(plural) == SINGULAR[plural]


MEMBERS = {"in-progress": "IN_PROGRESS", "+": "PLUS_SIGN", "": "EMPTY", "1": "VALUE_1"}


@pytest.mark.parametrize("label", MEMBERS)
def test_member(label: str) -> None:
    """Labels of symbols are spelled out."""
    assert names.member(label) == MEMBERS[label]


def test_reserved_names_hold_all_builtins_that_annotations_use() -> None:
    """A field named like a built-in type would hide it from the next field."""
    used = {"bool", "bytes", "dict", "float", "int", "list", "object", "str"}
    assert used <= names.FIELDS & set(dir(builtins))
