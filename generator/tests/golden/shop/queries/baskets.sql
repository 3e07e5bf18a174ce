-- name: list_baskets :many
SELECT
    u.id,
    coalesce(json_agg(i) FILTER (WHERE i.id IS NOT NULL), '[]') AS items,
    CASE WHEN count(i.id) > 2 THEN 'large' WHEN count(i.id) > 0 THEN 'small' END AS size,
    -- Would be called like the row itself.
    jsonb_build_object('email', u.email, 'weird key!', u.discount, 'class', u.moods) AS row
FROM users AS u
LEFT JOIN order_items AS i ON i.user_id = u.id
GROUP BY u.id;

-- name: get_basket :one
SELECT json_build_object(
    'id', i.id, 'parts', i.parts, 'grid', i.grid, 'user', (
        SELECT to_json(x) FROM (SELECT u.email, u.wallet_status AS "int") AS x
    )
)
FROM order_items AS i
JOIN users AS u ON u.id = i.user_id
WHERE i.id = @id;

-- name: prices :one
SELECT jsonb_object_agg(id, price) AS prices FROM order_items;

-- name: kinds :many
SELECT
    CASE
        WHEN price > 100 THEN 'the dearest there are, [boxed] | sealed'
        WHEN price > 10 THEN 'those "in the middle", as it were'
        ELSE 'whatever is cheap'
    END
FROM order_items;
