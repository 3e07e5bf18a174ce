-- name: CreateAuthor :one
INSERT INTO authors (name, alias, "schema", _secret, genres) VALUES ($1, $2, $3, $4, $5) RETURNING *;

-- name: GetAuthor :one
SELECT * FROM authors WHERE id = $1;

-- name: AddWork :exec
INSERT INTO works (id, author, ttl) VALUES ($1, $2, $3);

-- name: ListWorks :many
SELECT sqlc.embed(works), sqlc.embed(authors)
FROM works LEFT JOIN authors ON authors.id = works.author
ORDER BY works.id;

-- name: Titles :many
SELECT ttl, author FROM works ORDER BY id;

-- name: ListAuthors :many
SELECT a.id, json_agg(w ORDER BY w.id) AS works, 'author' AS kind
FROM authors AS a LEFT JOIN works AS w ON w.author = a.id
GROUP BY a.id;
