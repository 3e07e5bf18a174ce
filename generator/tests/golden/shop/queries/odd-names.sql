-- name: Class :one
SELECT '%s \d $$ "quoted" ''x'' """ end' AS "text of $1 \ """;

-- name: list_events :many
-- Takes parameters with names that are in the way.
SELECT * FROM audit.events WHERE id = @conn OR id = @cur OR kind = @class OR kind = @list;

-- name: import :execrows
INSERT INTO settings (key, value) VALUES (@key, @value), (@key, @value);

-- name: no_parameters :many
SELECT key FROM settings;
