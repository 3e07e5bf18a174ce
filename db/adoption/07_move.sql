-- What is new as a whole moves; domains without their rules, with which they would have
-- every row of their columns written again.
DO $$
DECLARE
    item record;
BEGIN
    FOR item IN
        SELECT format('ALTER DOMAIN %I DROP CONSTRAINT %I', place, name) AS statement
        FROM base
        WHERE kind = 'rule'
        UNION ALL
        SELECT format('ALTER DOMAIN %I SET SCHEMA public', name) FROM base WHERE kind = 'domain'
        UNION ALL
        SELECT format('ALTER FUNCTION %s SET SCHEMA public', name) FROM base WHERE kind = 'function'
    LOOP
        EXECUTE item.statement;
    END LOOP;
END
$$;

SET LOCAL search_path = public;
