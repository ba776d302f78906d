-- id: metrics/interpolated
-- params: none
-- reads: temp.recscope_ranked
-- returns: list UINTEGER, iprec11 DOUBLE
-- grain: one row per list with a relevant item
WITH totals AS (
    SELECT list, count(*) AS relevant_items FROM temp.recscope_ranked WHERE relevant GROUP BY list
),
found AS (
    SELECT list, rank, row_number() OVER (PARTITION BY list ORDER BY rank) AS so_far
    FROM temp.recscope_ranked
    WHERE relevant AND rank IS NOT NULL
),
-- A precision is the best from its place on.
best AS (
    SELECT
        list,
        so_far,
        max(so_far / rank::DOUBLE) OVER (
            PARTITION BY list ORDER BY so_far ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
        ) AS precision
    FROM found
),
levels AS (
    SELECT list, greatest(floor(level / 10.0 * relevant_items + 0.9), 1)::BIGINT AS so_far
    FROM totals, (SELECT unnest(range(11)) AS level)
)
SELECT levels.list, sum(coalesce(precision, 0)) / 11 AS iprec11
FROM levels
LEFT JOIN best ON best.list = levels.list AND best.so_far = levels.so_far
GROUP BY levels.list
