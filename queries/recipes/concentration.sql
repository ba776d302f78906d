-- id: recipes/concentration
-- params: {=side} in the slice or not, {=value} an aggregate over times, place and n of an item
-- reads: temp.recscope_values, temp.recscope_items
-- returns: side BOOLEAN, value DOUBLE, n BIGINT
-- grain: one row per side
WITH sides AS (
    SELECT DISTINCT {=side} AS side FROM temp.recscope_values
),
exposed AS (
    SELECT sides.side, items.number, coalesce(sum(found.times), 0) AS times
    FROM sides
    CROSS JOIN temp.recscope_items AS items
    LEFT JOIN (SELECT {=side} AS side, item, times FROM temp.recscope_values) AS found
        ON found.item = items.number AND found.side = sides.side
    GROUP BY ALL
),
ordered AS (
    SELECT
        side,
        times,
        row_number() OVER (PARTITION BY side ORDER BY times) AS place,
        count(*) OVER (PARTITION BY side) AS n,
        sum(times) OVER (PARTITION BY side) AS total
    FROM exposed
)
SELECT side, {=value} AS value, sum(times)::BIGINT AS n
FROM ordered
GROUP BY side
