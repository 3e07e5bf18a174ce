"""Properties, checked with hypothesis against a real PostgreSQL."""
