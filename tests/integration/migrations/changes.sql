-- Changes of a schema, one of each kind, each to objects of its own. `one way` has no
-- way back.

-- change: columns
-- before
CREATE TABLE columns (id bigint PRIMARY KEY, gone text);
-- after
CREATE TABLE columns (id bigint PRIMARY KEY, note varchar(9) DEFAULT '' NOT NULL, day date);

-- change: types
-- before
CREATE TABLE types (a integer, b varchar(5), c text, d numeric(5,2));
-- after
CREATE TABLE types (a bigint, b varchar(9), c text[], d numeric(9,4));

-- change: defaults
-- before
CREATE TABLE defaults (a integer DEFAULT 1, b text, c date DEFAULT now());
-- after
CREATE TABLE defaults (a integer DEFAULT 2, b text DEFAULT 'x', c date);

-- change: nullability
-- before
CREATE TABLE nullability (a integer NOT NULL, b integer);
-- after
CREATE TABLE nullability (a integer, b integer NOT NULL);

-- change: checks
-- before
CREATE TABLE checks (a integer, b varchar(9), CONSTRAINT a_is CHECK (a > 0));
-- after
CREATE TABLE checks (a integer, b varchar(9), CONSTRAINT a_is CHECK (a >= 0), CONSTRAINT
    b_is CHECK (b IN ('x', 'y')));

-- change: keys
-- before
CREATE TABLE keys (id integer CONSTRAINT k PRIMARY KEY, a integer, CONSTRAINT one UNIQUE
    (a));
-- after
CREATE TABLE keys (id integer, a integer, CONSTRAINT k PRIMARY KEY (id, a), CONSTRAINT one
    UNIQUE NULLS NOT DISTINCT (a));

-- change: foreign keys
-- before
CREATE TABLE parents (id integer PRIMARY KEY);
CREATE TABLE children (a integer CONSTRAINT a_fkey REFERENCES parents, b integer);
-- after
CREATE TABLE parents (id integer PRIMARY KEY);
CREATE TABLE children (a integer CONSTRAINT a_fkey REFERENCES parents ON DELETE CASCADE, b
    integer CONSTRAINT b_fkey REFERENCES parents);

-- change: indexes
-- before
CREATE TABLE indexes (a integer, b text);
CREATE INDEX changed ON indexes (a);
CREATE INDEX dropped ON indexes (b);
-- after
CREATE TABLE indexes (a integer, b text);
CREATE UNIQUE INDEX changed ON indexes (a DESC) INCLUDE (b) WHERE a > 1;
CREATE INDEX added ON indexes (lower(b));

-- change: an enum value (one way)
-- before
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TABLE moods (mood mood DEFAULT 'happy' NOT NULL);
-- after
CREATE TYPE mood AS ENUM ('sad', 'fine', 'happy');
CREATE TABLE moods (mood mood DEFAULT 'fine' NOT NULL);

-- change: domains
-- before
CREATE DOMAIN cents AS integer CONSTRAINT cents_are CHECK (VALUE >= 0);
CREATE DOMAIN dropped_domain AS text;
CREATE TABLE prices (price cents);
-- after
CREATE DOMAIN cents AS integer DEFAULT 1 CONSTRAINT cents_are CHECK (VALUE > 0) CONSTRAINT
    cents_end CHECK (VALUE < 100);
CREATE DOMAIN kind AS varchar(9) CONSTRAINT kind_is CHECK (VALUE IN ('x', 'y'));
CREATE TABLE prices (price cents, kind kind);

-- change: a view
-- before
CREATE TABLE viewed (a integer, b text);
CREATE VIEW v AS SELECT b FROM viewed;
-- after
CREATE TABLE viewed (a integer, b text);
CREATE VIEW v AS SELECT a, b AS c FROM viewed WHERE a > 1;
CREATE MATERIALIZED VIEW m AS SELECT count(*) FROM viewed;

-- change: a function
-- before
CREATE FUNCTION f(a integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION g() RETURNS text LANGUAGE sql AS $$SELECT 'a; b'$$;
-- after
CREATE FUNCTION f(a integer, b integer DEFAULT 2) RETURNS bigint LANGUAGE sql STABLE AS
    'SELECT 2';
CREATE FUNCTION g() RETURNS text LANGUAGE sql AS $$SELECT '-- c;
'$$;

-- change: a trigger
-- before
CREATE FUNCTION t() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE triggered (a integer);
CREATE TRIGGER t BEFORE UPDATE ON triggered FOR EACH ROW EXECUTE FUNCTION t();
-- after
CREATE FUNCTION t() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TABLE triggered (a integer);
CREATE TRIGGER t BEFORE INSERT ON triggered FOR EACH ROW WHEN (NEW.a > 1) EXECUTE FUNCTION
    t();
CREATE TRIGGER u AFTER DELETE ON triggered EXECUTE FUNCTION t();

-- change: comments
-- before
CREATE DOMAIN told AS text;
CREATE TABLE told_of (a told CONSTRAINT c CHECK (a <> ''));
CREATE VIEW told_view AS SELECT a FROM told_of;
CREATE INDEX told_index ON told_of (a);
COMMENT ON TABLE told_of IS 'It''s -- gone.';
COMMENT ON VIEW told_view IS 'v';
COMMENT ON COLUMN told_view.a IS 'gone';
-- after
CREATE DOMAIN told AS text;
CREATE TABLE told_of (a told CONSTRAINT c CHECK (a <> ''));
CREATE VIEW told_view AS SELECT a FROM told_of;
CREATE INDEX told_index ON told_of (a);
COMMENT ON DOMAIN told IS 'd';
COMMENT ON COLUMN told_of.a IS 'Ünïcode; IS ''x''';
COMMENT ON CONSTRAINT c ON told_of IS 'k';
COMMENT ON INDEX told_index IS 'i';
COMMENT ON VIEW told_view IS 'w';

-- change: rules and statistics
-- before
CREATE TABLE ruled (a integer, b integer, c integer);
CREATE RULE changed AS ON DELETE TO ruled DO INSTEAD NOTHING;
CREATE RULE dropped AS ON INSERT TO ruled DO ALSO NOTHING;
CREATE STATISTICS counted ON a, b FROM ruled;
COMMENT ON RULE dropped ON ruled IS 'd';
COMMENT ON RULE changed ON ruled IS 'r';
COMMENT ON STATISTICS counted IS 's';
-- after
CREATE TABLE ruled (a integer, b bigint, c integer);
CREATE RULE changed AS ON DELETE TO ruled DO INSTEAD SELECT 1;
CREATE STATISTICS counted (dependencies) ON a, b FROM ruled;
CREATE STATISTICS added ON a, c FROM ruled;
COMMENT ON RULE changed ON ruled IS 'r';
COMMENT ON STATISTICS counted IS 's';

-- change: publications
-- before
CREATE TABLE published (a integer PRIMARY KEY, b integer);
CREATE TABLE published_too (a integer PRIMARY KEY);
CREATE PUBLICATION changed_publication FOR TABLE published WHERE (a > 1), published_too;
CREATE PUBLICATION dropped_publication FOR ALL TABLES;
CREATE PUBLICATION narrowed_publication FOR TABLE published, published_too;
COMMENT ON PUBLICATION changed_publication IS 'c';
-- after
CREATE TABLE published (a integer PRIMARY KEY, b integer);
CREATE TABLE published_too (a integer PRIMARY KEY);
CREATE PUBLICATION changed_publication FOR TABLE published (a) WHERE (a > 2), published_too
    WITH (publish = 'insert');
CREATE PUBLICATION added_publication FOR TABLES IN SCHEMA public;
CREATE PUBLICATION narrowed_publication FOR TABLE published;
COMMENT ON PUBLICATION changed_publication IS 'c';

-- change: storage parameters
-- before
CREATE TABLE stored (a integer) WITH (fillfactor = 70, toast.autovacuum_enabled = false);
CREATE TABLE plainly_stored (a integer, b text);
CREATE MATERIALIZED VIEW stored_view WITH (fillfactor = 60) AS SELECT a FROM stored;
-- after
CREATE TABLE stored (a integer) WITH (fillfactor = 80);
CREATE TABLE plainly_stored (a integer, b text) WITH (autovacuum_vacuum_scale_factor = 0.05);
CREATE MATERIALIZED VIEW stored_view WITH (fillfactor = 65) AS SELECT a FROM stored;
CREATE TABLE newly_stored (a integer) WITH (parallel_workers = 2);
