-- migrate:up

-- Until now advisory locks kept others out. They are limited in number for the whole
-- server, and those of one node of a cluster are unknown to the others: rows are neither.
CREATE TABLE mutexes (
    id bigint NOT NULL CONSTRAINT mutexes_pkey PRIMARY KEY
);
COMMENT ON TABLE mutexes IS
    'Rows to lock for what has no row of its own, or not yet: a Crossmint order by the hash of its id (0 to 4095), and recording the chain''s events (-1).';
COMMENT ON COLUMN mutexes.id IS 'Made by who locks it first; never changed and never deleted.';
COMMENT ON CONSTRAINT mutexes_pkey ON mutexes IS 'One row to lock.';

-- migrate:down

DROP TABLE mutexes;
