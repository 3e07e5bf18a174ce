"""Tools for developing the generator."""
