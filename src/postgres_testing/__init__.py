"""PostgreSQL for tests and for development: servers, databases on them, and faults.

Nothing here knows what the databases hold.

- `servers` chooses a server: one that is given, a container, or `embedded`.
- `schemas` and `databases` make databases on it, from templates that are kept.
- `plugin` gives tests a database each, with pytest.
- `proxy` counts round trips and cuts connections; `clusters` may be killed, frozen
  and promoted; `pooler` is PgBouncer.
"""
