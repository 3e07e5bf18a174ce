"""The example API, over real HTTP on a real database."""
