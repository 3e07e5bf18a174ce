"""The OpenAPI page: what it says is so, and the documents have all of it."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi import checks

from tests.api.serving import PRODUCT, Api
from tests.api.test_checkout import bought

DOCUMENT = Path(__file__).parents[2] / "docs" / "api-example.md"
EXAMPLES = int(os.environ.get("API_EXAMPLES", "100"))

# Refusing what has the right shape is what 400 and 422 are for here.
UNCHECKED: list[Any] = [checks.positive_data_acceptance]  # pyright: ignore[reportUnknownMemberType]  # not fully typed there
MODES = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]


def operations(openapi: dict[str, Any]) -> dict[str, set[int]]:
    """Give the statuses of each operation, but for those that all have."""
    return {
        f"{method.upper()} {path}": {int(each) for each in operation["responses"]}
        - {500, 503}
        for path, methods in openapi["paths"].items()
        for method, operation in methods.items()
    }


def rows() -> Iterator[tuple[str, set[int], list[str]]]:
    """Read the contract's table: operation, statuses, and tests."""
    for cells in re.findall(
        r"^\| `((?:GET|POST|PATCH|DELETE) [^`]+)` \| ([^|]*) \| .* \| ([^|]*) \|$",
        DOCUMENT.read_text(),
        re.MULTILINE,
    ):
        operation, statuses, tests = cells
        numbers = {int(number) for number in re.findall(r"\d+", statuses)}
        yield operation, numbers, re.findall(r"`(test_[\w.:]+)`", tests)


def test_the_documents_have_every_route(api: Api) -> None:
    """Each operation stands in the table, with its statuses, and no other."""
    openapi = api.anonymous().get("/doc").json()
    table = list(rows())
    assert len(table) == len({operation for operation, _, _ in table})
    documented = {operation: statuses - {500, 503} for operation, statuses, _ in table}
    assert documented == operations(openapi)


def test_the_documents_name_tests_that_exist() -> None:
    """Each row has one or more, and none that is named anywhere is missing."""
    assert all(tests for _, _, tests in rows())
    for test in set(re.findall(r"`(test_\w+\.py::\w+)`", DOCUMENT.read_text())):
        module, _, name = test.partition(".py::")
        assert hasattr(import_module(f"tests.api.{module}"), name), test


def test_the_page_is_served(api: Api) -> None:
    """With what the routes and the errors look like."""
    client = api.anonymous()
    assert "swagger" in client.get("/swagger").text
    openapi = client.get("/doc").json()
    assert set(openapi["components"]["securitySchemes"]) == {"CookieAuth"}
    assert "HTTPValidationError" not in str(openapi["paths"])


def fuzz(api: Api, user: httpx.Client, mode: GenerationMode, examples: int) -> int:
    """Make requests of each operation, and hold the answers against the page."""
    known = {
        "session_id": user.post("/api/sessions", json={}).json()["id"],
        "order_id": bought(user).json()["orderId"],
        "item_id": user.post("/api/cart", json=PRODUCT).json()["id"],
        "crossmint_order_id": bought(user, size="11").json()["crossmintOrderId"],
    }
    cookies = {"crossmint-jwt": user.cookies["crossmint-jwt"]}
    made = 0
    schema: Any = schemathesis.openapi.from_url(f"{api.url}/doc")
    for result in schema.get_all_operations():
        strategy = result.ok().as_strategy(generation_mode=mode)

        @settings(
            max_examples=examples,
            derandomize=examples < EXAMPLES,  # the few are the same each time
            deadline=None,
            database=None,
            suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
        )
        @given(case=strategy, is_known=st.booleans())
        def run(case: Any, is_known: bool) -> None:  # noqa: ANN401 - untyped there
            nonlocal made
            made += 1
            parameters: dict[str, Any] = case.path_parameters or {}
            if is_known and mode is GenerationMode.POSITIVE:
                parameters.update(
                    {key: known[key] for key in parameters.keys() & known.keys()}
                )
            spoiled = [
                location
                for location, component in case.meta.components.items()
                if component.mode is GenerationMode.NEGATIVE
            ]
            # A session that is spoiled stays so; otherwise the rest has to count.
            has_session = ParameterLocation.COOKIE in spoiled
            answer = case.call(cookies={} if has_session else cookies)
            case.validate_response(answer, excluded_checks=UNCHECKED)

        with suppress(Unsatisfiable):  # where nothing is asked, nothing can be spoiled
            run()
    return made


@pytest.mark.parametrize("mode", MODES)
def test_the_page_is_true(api: Api, user: httpx.Client, mode: GenerationMode) -> None:
    """Good and bad requests have answers as it says, and none is a 500."""
    assert fuzz(api, user, mode, 3) > 50


@pytest.mark.long
@pytest.mark.parametrize("mode", MODES)
def test_the_page_is_true_of_many(
    api: Api, user: httpx.Client, mode: GenerationMode
) -> None:
    """So it is with `API_EXAMPLES` requests of each operation."""
    assert fuzz(api, user, mode, EXAMPLES) > EXAMPLES
