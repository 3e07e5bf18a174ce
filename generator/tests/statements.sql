-- One a line; tables t (a, b, j, arr) and u (a, c) exist, not all else does.
SELECT
SELECT * FROM t
SELECT t.*, u.* FROM t NATURAL JOIN u
SELECT (t).a FROM t
SELECT t FROM t
SELECT (SELECT t) FROM t
SELECT ROW(1,2)
SELECT j['a'] FROM t
SELECT x.* FROM t, LATERAL jsonb_each(j) AS x
SELECT * FROM jsonb_to_record('{}') AS x(a int, b text)
SELECT * FROM ROWS FROM (json_to_recordset('[]') AS (a int), generate_series(1,2)) WITH ORDINALITY AS x(p,q,n)
SELECT * FROM t TABLESAMPLE BERNOULLI (10)
SELECT * FROM XMLTABLE('/r' PASSING '<r/>' COLUMNS a int)
SELECT * FROM JSON_TABLE('[]', '$[*]' COLUMNS (a int PATH '$.a')) AS jt
SELECT JSON_VALUE('{}', '$.a'), JSON_OBJECT('a': 1), JSON_ARRAY(1), JSON_ARRAYAGG(a), JSON_OBJECTAGG(b: a) FROM t
SELECT xmlelement(name a), xmlforest(a) FROM t
SELECT a FROM t WHERE (a, b) IN (SELECT a, c FROM u)
SELECT a FROM t WHERE (a, b) = ($1, $2)
SELECT a FROM t WHERE a BETWEEN SYMMETRIC $1 AND $2
SELECT a FROM t WHERE (a,b) OVERLAPS (a,b)
SELECT a FROM t ORDER BY a FETCH FIRST 3 ROWS WITH TIES
VALUES (1,'a'),(2,'b')
TABLE t
SELECT count(*) OVER w, sum(a) OVER (w ROWS 1 PRECEDING) FROM t WINDOW w AS (PARTITION BY b)
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY a) FROM t
SELECT a, grouping(a) FROM t GROUP BY CUBE (a, b)
WITH RECURSIVE x(n) AS (VALUES (1) UNION SELECT n+1 FROM x WHERE n < 5) SEARCH DEPTH FIRST BY n SET o SELECT * FROM x
WITH RECURSIVE x(n) AS (VALUES (1) UNION SELECT n+1 FROM x) CYCLE n SET c USING p SELECT * FROM x
WITH x AS MATERIALIZED (DELETE FROM t RETURNING *) INSERT INTO u SELECT a, b FROM x RETURNING *
INSERT INTO t DEFAULT VALUES RETURNING *
INSERT INTO t AS z VALUES (1) ON CONFLICT (a) DO UPDATE SET b = excluded.b, (a, j) = (1, '{}') WHERE z.a > 1 RETURNING z.*
INSERT INTO t (a, arr[1]) VALUES ($1, $2) RETURNING a
INSERT INTO t (a) VALUES (DEFAULT), ($1) RETURNING a
UPDATE t SET (a, b) = (SELECT a, c FROM u), arr[1] = 'x' FROM u WHERE t.a = u.a RETURNING t.*, u.c
UPDATE t SET j['x'] = '1' RETURNING *
DELETE FROM t USING u WHERE t.a = u.a RETURNING u.c
MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN UPDATE SET b = c WHEN NOT MATCHED THEN INSERT (a) VALUES (u.a) RETURNING merge_action(), t.*
MERGE INTO t USING (SELECT 1 AS a) AS s ON t.a = s.a WHEN MATCHED THEN DELETE
SELECT a FROM t UNION (SELECT a FROM u EXCEPT SELECT 1) ORDER BY 1
(SELECT a FROM t LIMIT 1) UNION ALL (SELECT a FROM u LIMIT 1)
SELECT CASE b WHEN 'x' THEN 1 END, CASE WHEN a>1 THEN NULL ELSE NULL END FROM t
SELECT a::int4, CAST(a AS numeric(3,1)), b COLLATE "C", b AT TIME ZONE 'x', $1::int, $2 FROM t
SELECT pg_catalog.now(), nowhere.f(a), f(x => 1, VARIADIC arr) FROM t
SELECT x FROM unnest(ARRAY[1]::int[], ARRAY['a']) AS y(x, z)
SELECT EXISTS(SELECT 1), ARRAY(SELECT 1 UNION SELECT 2), 1 = ANY(SELECT a FROM t), a <> ALL (arr) FROM t
SELECT arr[1:2], arr[1][2], (arr)[1], ('{1}'::int[])[1], (ROW(1,2)).f1 FROM t
SELECT * FROM (t CROSS JOIN u) AS x
SELECT * FROM t AS x (p, q) JOIN u USING (a) 
SELECT t.a FROM t JOIN u USING (a) AS merged
SELECT * FROM generate_series(1,3) WITH ORDINALITY
SELECT * FROM nowhere.nothing
SELECT -a, +a, NOT true, a IS DOCUMENT, b IS NORMALIZED, - - a FROM t
SELECT nothing FROM t
SELECT 1 FROM t FOR UPDATE SKIP LOCKED
CALL p(1)
DO $$ BEGIN END $$
EXPLAIN SELECT 1
CREATE TABLE x (a int)
LISTEN foo
SELECT B'101', X'1F', E'a', U&'a', 1e10, 0x1F, 1_000, '1'::bit(3), interval '1' day
SELECT current_schema, user, session_user, current_catalog, localtime(3)
