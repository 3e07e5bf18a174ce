"""A throwaway PostgreSQL for development: a server, and databases on it.

It serves `make`, the demo, the benchmarks, and the tests of both distributions, neither
of which it knows.
"""
