-- Tables that are hard to fill: each has to get rows.
CREATE DOMAIN address AS varchar(66) CONSTRAINT address_is CHECK (VALUE ~ '^0x[0-9a-f]{64}$');
CREATE DOMAIN kind AS text NOT NULL CHECK (VALUE IN ('it''s', 'other'));
CREATE DOMAIN share AS numeric CHECK (VALUE > 0 AND VALUE < 1);
CREATE TYPE mood AS ENUM ('Sad', 'ok;');
CREATE TYPE pair AS (a integer, b text);

CREATE TABLE domains (address address NOT NULL UNIQUE, kind kind, share share NOT NULL);
CREATE TABLE "Odd; Name" ("a ""b""" integer NOT NULL, "select" mood NOT NULL);
CREATE TABLE nothing (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
CREATE TABLE first (
    id uuid NOT NULL,
    code char(3) NOT NULL CHECK (code = upper(code) AND length(code) = 3),
    twice integer GENERATED ALWAYS AS (length(code) * 2) STORED,
    PRIMARY KEY (id, code)
);
CREATE TABLE second (
    first_code char(3) NOT NULL,
    first_id uuid NOT NULL,
    parent_id integer REFERENCES nothing,
    CONSTRAINT second_first_fkey FOREIGN KEY (first_id, first_code) REFERENCES first
);
CREATE TABLE later (earlier_id integer NOT NULL);
CREATE TABLE earlier (id integer PRIMARY KEY, later_id integer);
ALTER TABLE later ADD FOREIGN KEY (earlier_id) REFERENCES earlier;
CREATE TABLE one_of (
    a integer, b text, c date,
    CHECK (num_nonnulls(a, b, c) = 1), CHECK (b <> 'a'), CHECK (a BETWEEN 500 AND 501)
);
CREATE TABLE split (region text NOT NULL, at date NOT NULL) PARTITION BY LIST (region);
CREATE TABLE split_north PARTITION OF split FOR VALUES IN ('north');
CREATE TABLE types (
    a smallint NOT NULL, b bigint NOT NULL, c real NOT NULL, d double precision NOT NULL,
    e numeric(6, 2) NOT NULL, f money NOT NULL, g boolean NOT NULL, h varchar(2) NOT NULL,
    i bytea NOT NULL, j date NOT NULL, k time NOT NULL, l timestamp NOT NULL,
    m timestamptz NOT NULL, n interval NOT NULL, o inet NOT NULL, p cidr NOT NULL,
    q macaddr NOT NULL, r json NOT NULL, s jsonb NOT NULL, u bit(3) NOT NULL,
    v varbit NOT NULL, w tsvector NOT NULL, x int4range NOT NULL, y text[] NOT NULL,
    z address[] NOT NULL, aa point NOT NULL, ab polygon NOT NULL, ac pg_lsn NOT NULL,
    ad uuid[] NOT NULL, ae regclass NOT NULL, af tstzrange NOT NULL, ag pair NOT NULL,
    CHECK (jsonb_typeof(s) = 'array'), CHECK (e > 100)
);
