"""UIMessages of the user, and how two are compared."""

import json
from typing import Any


def message(*parts: Any, **others: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Make a message of the user."""
    return {"id": "1", "role": "user", "parts": [*parts], **others}


def text(said: str) -> dict[str, Any]:
    """Make a text part."""
    return {"type": "text", "text": said}


def exact(value: object) -> str:
    """Spell a value so that 1, 1.0 and true differ, and the order of keys does not."""
    return json.dumps(value, sort_keys=True)
