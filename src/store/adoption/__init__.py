"""Adoption of the replaced backend's database: one that Drizzle made."""

from .adopt import DIRECTORY, Adoption, adopt
from .report import Row

__all__ = ["DIRECTORY", "Adoption", "Row", "adopt"]
