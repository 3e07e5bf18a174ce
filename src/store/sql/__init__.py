"""What SQL says and does, by PostgreSQL's own parser: statements as values."""
