"""What the API itself is set up by; the store has settings of its own."""

from __future__ import annotations

from pydantic_settings import BaseSettings


class ApiSettings(BaseSettings, env_prefix="API_", env_ignore_empty=True):
    """Read from variables called `API_…`.

    `API_GIVE_UP_HOURS`
        How long a checkout may await approval (24).
    `API_WORKERS`
        Whether this process runs the workers beside the requests (yes).
    `API_WORKER_SECONDS`
        How long each worker rests between two looks (5).
    `API_SECURE_COOKIES`
        Whether cookies go over HTTPS alone (yes).
    `API_ORIGINS`
        JSON array of the web pages' origins that may call with cookies.
    """

    give_up_hours: float = 24
    workers: bool = True
    worker_seconds: float = 5
    secure_cookies: bool = True
    origins: tuple[str, ...] = (
        "http://localhost:8080",
        "http://localhost:3000",
        "http://localhost:3001",
        "http://localhost:5173",
    )
