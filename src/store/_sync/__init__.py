# Generated from store/_async/__init__.py by tools/make_sync.py. DO NOT EDIT.
"""The counterpart of `store._async`, which blocks."""
