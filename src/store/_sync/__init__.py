# Generated from store/_async/__init__.py by tools/make_sync.py. DO NOT EDIT.
"""The twin of `store._async`, which waits."""
