"""Adopting a database that Drizzle made."""
