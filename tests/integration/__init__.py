"""Tests of one part against a real PostgreSQL."""
