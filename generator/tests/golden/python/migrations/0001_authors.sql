-- migrate:up
CREATE TYPE genre AS ENUM ('prose', 'verse');
CREATE TABLE authors (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    alias text,
    "schema" jsonb,
    _secret text,
    genres genre [] NOT NULL DEFAULT '{}'
);
COMMENT ON TABLE authors IS 'Who writes.';
COMMENT ON COLUMN authors.name IS 'As on the cover.';
CREATE TABLE works (
    id integer PRIMARY KEY,
    author bigint REFERENCES authors (id),
    ttl text NOT NULL
);

-- migrate:down
DROP TABLE works;
DROP TABLE authors;
DROP TYPE genre;
