-- A statement a line, each clause in its order.
INSERT INTO t (id, txt, price, ids) VALUES ($1, $2, $3, $4)
INSERT INTO t (id, price) SELECT $1, $2
INSERT INTO t (id) SELECT DISTINCT $1::int
INSERT INTO t (id, txt) VALUES ($1, $2), (2, $3) RETURNING id + $4
INSERT INTO t (id, n) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET n = $2 WHERE t.id > $3
UPDATE t SET ids[$1] = $2, txt = $3 WHERE id = $4 RETURNING big + $5
UPDATE t SET (id, txt) = ($1, $2)
UPDATE t SET (id, txt) = (SELECT id + $1, $2::text)
UPDATE t SET jb['a'] = $1, spot.x = $2
DELETE FROM t USING t AS o WHERE o.id = t.small + $1 AND t.price = $2
MERGE INTO t USING t AS s ON s.id = t.id + $1 WHEN MATCHED AND t.big < $2 THEN UPDATE SET price = $3 WHEN NOT MATCHED THEN INSERT (id, txt) VALUES ($4, $5)
SELECT $1 UNION SELECT 1
SELECT id FROM t UNION ALL SELECT $1 ORDER BY 1 LIMIT $2 OFFSET $3
SELECT * FROM (VALUES (1, $1), ($2, 'x')) AS v (a, b) WHERE a > $3
WITH q AS (SELECT $1 AS a) SELECT a || 'x' FROM q
WITH RECURSIVE q (n) AS (SELECT 1 UNION ALL SELECT n + $1 FROM q WHERE n < $2) SELECT n FROM q
SELECT count(*) FILTER (WHERE id > $1), sum(num) OVER (ORDER BY id ROWS $2 PRECEDING) FROM t GROUP BY num, id
SELECT sum(id) OVER (ORDER BY d RANGE BETWEEN $1 PRECEDING AND CURRENT ROW) FROM t
SELECT id FROM t WHERE $1 IN (SELECT txt FROM t) AND (id, txt) IN (SELECT id, $2 FROM t)
SELECT id FROM t WHERE id IN ($1, $2, 3) OR id IN ($3) OR txt NOT IN ($4, $5)
SELECT id FROM t WHERE (id, txt) IN (($1, $2), ($3, $4))
SELECT id FROM t WHERE state = $1 AND state = ANY ($2) AND price > $3 AND labels = $4
SELECT CASE $1 WHEN 'x' THEN 1 ELSE 2.5 END, CASE WHEN b THEN $2 ELSE price END FROM t
SELECT twice($1::int), twice('x'), names_of($2), longest($3, $4), padded($5), padded($6, $7)
SELECT padded(fill => $1, words => $2), first_of(ids), first_of(moods), worth($3) FROM t
SELECT longest(VARIADIC $1)
SELECT u.a FROM unnest($1::int[]) AS u (a), generate_series(1, $2) AS g
SELECT x, y FROM ROWS FROM (unnest($1::int[]), unnest($2::text[])) AS r (x, y)
SELECT key, value FROM jsonb_each($1)
SELECT a.id FROM jsonb_to_recordset($1) AS a (id int, name text) WHERE name = $2
SELECT jt.a FROM JSON_TABLE($1::jsonb, '$[*]' COLUMNS (a int PATH '$.a')) AS jt
SELECT JSON_EXISTS(jb, '$.a' PASSING $1 AS x), JSON_VALUE(jb, '$' RETURNING int) FROM t
SELECT JSON_OBJECT('a': $1), JSON_ARRAY($2, 1), $3 IS JSON
SELECT percentile_disc($1) WITHIN GROUP (ORDER BY num), mode() WITHIN GROUP (ORDER BY d) FROM t
SELECT rank($1, $2) WITHIN GROUP (ORDER BY id, txt) FROM t
SELECT (spot).x, (spot).y, (spots[1]).label, spot = $1 FROM t
SELECT extract(year FROM at) + $1, at AT TIME ZONE $2, overlay(txt PLACING $3 FROM $4) FROM t
SELECT (at, at) OVERLAPS (at, $1), position($2 IN txt), trim($3 FROM txt) FROM t
SELECT span && $1, r @> $2, mr @> $3, range_merge(r, $4), lower(span) FROM t
SELECT ARRAY(SELECT price FROM t), ARRAY[price, $1], ARRAY[$2, 'ok']::mood[], ids[$3:$4] FROM t
SELECT o.id FROM t LEFT JOIN t AS o ON o.id = t.big AND o.txt = $1 JOIN t AS p ON p.id = t.id WHERE p.txt LIKE $2
SELECT id FROM t TABLESAMPLE bernoulli ($1) REPEATABLE ($2)
SELECT id FROM t ORDER BY CASE WHEN $1 = 'a' THEN txt END, $2::int
SELECT DISTINCT ON (txt) id, $1 FROM t GROUP BY txt, id HAVING count(*) > $2
VALUES ($1, 1), ('x', $2)
SELECT CASE WHEN b THEN vc ELSE c END, coalesce(vc, c), coalesce(c, vc) FROM t
SELECT id FROM t WHERE spot = $1 AND spot IS DISTINCT FROM $2 AND spot > $3
SELECT id FROM t WHERE spot = ANY($1) OR $2 = ANY(spots) OR spot IN ($3, $4) OR spots = $5
SELECT span($1, $2), span($3, $4, $5), span_multirange($6), span_multirange(span(1, 2), $7)
SELECT double FROM doubled($1)
SELECT d.double FROM t, doubled(t.id) AS d
SELECT doubled($1)
SELECT shared.id + $1, * FROM t AS one JOIN t AS other USING (id, txt) AS shared WHERE shared.txt = $2
