"""Tests, by what they need and how they look."""
