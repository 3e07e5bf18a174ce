"""A profile for long runs: `pytest tests/property --hypothesis-profile thorough`."""

from hypothesis import settings

settings.register_profile(
    "thorough",
    settings.get_profile("database"),
    max_examples=2000,
    derandomize=False,
    print_blob=True,
)
