"""What is done with the schema as a whole: dump, draft, verify, draw and browse it.

For development: each module says what to install where its packages are missing. It
works on databases of its own (`scratch`).
"""
