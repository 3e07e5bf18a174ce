"""Python source out of resolved queries, as ``ruff format`` would lay it out."""
