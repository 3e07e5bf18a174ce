-- migrate:up
CREATE TYPE colour AS ENUM ('red', 'green');
CREATE DOMAIN shade AS varchar(20) CHECK (value IN ('light', 'dark'));
CREATE DOMAIN weight AS numeric CHECK (value > 0);

CREATE TABLE parcels (
    id integer PRIMARY KEY,
    "to" text NOT NULL,
    note text,
    colour colour,
    shade shade,
    weight weight,
    size bigint,
    parts jsonb NOT NULL DEFAULT '{}',
    sent timestamptz,
    labels text [],
    ref uuid,
    blob bytea,
    code character(3)
);

CREATE TABLE loads (
    code text,
    colours colour [],
    shades shade [],
    search tsvector
);

-- migrate:down
DROP TABLE loads;
DROP TABLE parcels;
DROP DOMAIN weight;
DROP DOMAIN shade;
DROP TYPE colour;
