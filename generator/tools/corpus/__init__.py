"""The generator against somebody else's queries: sqlc's own end-to-end cases.

`python -m generator.tools.corpus CHECKOUT` generates for each case of a checkout of
sqlc's repository, checks the output as a user's tools would, and runs every generated
function on a PostgreSQL of its own, with rows in all tables.
"""
