"""The three steps of onboarding."""

import httpx
import pytest

from tests.api.serving import ADDRESS, SIZES, Api


def test_the_steps_in_order(api: Api) -> None:
    """Each is done once the one before is; a repeated one takes none back."""
    client = api.new_user()
    bodies = ({"displayName": "Alex"}, ADDRESS, SIZES)
    for step, body in enumerate(bodies, start=1):
        status = client.get("/api/onboarding/status").json()
        assert status == {"step": step - 1, "completed": False}
        answer = client.post(f"/api/onboarding/step-{step}", json=body)
        assert (answer.status_code, answer.json()) == (
            200,
            {"success": True, "step": step},
        )
    assert client.post("/api/onboarding/step-1", json=bodies[0]).is_success
    status = client.get("/api/onboarding/status").json()
    assert status == {"step": 3, "completed": True}


def test_a_step_too_early(api: Api) -> None:
    """It is 403, and nothing is written."""
    client = api.new_user()
    for step, body in ((2, ADDRESS), (3, SIZES)):
        answer = client.post(f"/api/onboarding/step-{step}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "STEP_NOT_REACHED")
    assert client.get("/api/onboarding/status").json()["step"] == 0


@pytest.mark.parametrize(
    ("step", "body"),
    [
        (1, {}),
        (1, {"displayName": ""}),
        (1, {"displayName": "x" * 101}),
        (1, {"displayName": "a\0b"}),
        (2, ADDRESS | {"country": "XX"}),
        (2, ADDRESS | {"street": "x" * 201}),
        (2, {**ADDRESS, "zip": None}),
        (3, SIZES | {"topsSize": "XXXXL"}),
        (3, SIZES | {"bottomsSize": "12345678901"}),
    ],
)
def test_a_bad_body(api: Api, step: int, body: dict[str, object]) -> None:
    """It is 400, and the answer does not repeat what was sent."""
    client = api.user()
    answer = client.post(f"/api/onboarding/step-{step}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "VALIDATION_ERROR")
    assert "xxx" not in answer.text


def test_without_a_session(api: Api) -> None:
    """Each is 401."""
    client = api.anonymous()
    answers: list[httpx.Response] = [client.get("/api/onboarding/status")]
    bodies = ({"displayName": "Alex"}, ADDRESS, SIZES)
    for step, body in enumerate(bodies, start=1):
        answers.append(client.post(f"/api/onboarding/step-{step}", json=body))
    assert {answer.status_code for answer in answers} == {401}


def test_the_gate(api: Api) -> None:
    """Whoever has not finished gets 403, with the step; deposits are open."""
    client = api.new_user()
    for path in ("sessions", "cart", "cart/info", "orders"):
        answer = client.get(f"/api/{path}")
        assert answer.status_code == 403
        assert answer.json()["code"] == "ONBOARDING_INCOMPLETE"
        assert answer.json()["step"] == 0
    for path in ("chat", "checkout"):
        answer = client.post(f"/api/{path}", json={})
        assert answer.status_code in {400, 403}
    assert client.post("/api/deposit/verify", json={}).status_code == 400
