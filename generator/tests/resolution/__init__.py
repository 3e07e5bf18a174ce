"""Types as PostgreSQL resolves them: each statement is prepared by a real server."""
