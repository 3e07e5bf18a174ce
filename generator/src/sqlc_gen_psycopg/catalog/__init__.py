"""PostgreSQL's types, casts, operators and functions, its own and the schema's.

The text files are written by `generator/tools/catalog.py` from servers' catalogs.
"""
