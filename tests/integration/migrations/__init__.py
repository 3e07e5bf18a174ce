"""Migrations forward, back, and into every wall that there is."""
