-- name: list_invalid_indexes :many
-- Lists the indexes that no query uses, since the CREATE INDEX CONCURRENTLY or REINDEX
-- CONCURRENTLY that made them was interrupted. One that is still being built is invalid,
-- too.
SELECT
    pg_class.oid::regclass::text AS index_name,
    pg_index.indrelid::regclass::text AS table_name
FROM pg_catalog.pg_index
JOIN pg_catalog.pg_class ON pg_class.oid = pg_index.indexrelid
WHERE NOT pg_index.indisvalid AND pg_class.relkind = 'i'
ORDER BY index_name;
