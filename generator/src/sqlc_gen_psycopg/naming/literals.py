"""Constants as Python spells them."""


def quoted(text: str) -> str:
    """Return a one-line literal, with the quotes that ruff prefers."""
    spelled = repr(text)
    if spelled[0] == '"' or '"' in text:
        return spelled
    return f'"{spelled[1:-1]}"'
