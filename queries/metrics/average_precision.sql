-- id: metrics/average_precision
-- params: $k cut-off
-- reads: temp.recscope_ranked
-- returns: list UINTEGER, map DOUBLE
-- grain: one row per list with a relevant item
WITH totals AS (
    SELECT list, count(*) AS relevant_items FROM temp.recscope_ranked WHERE relevant GROUP BY list
),
found AS (
    SELECT list, rank, row_number() OVER (PARTITION BY list ORDER BY rank) AS so_far
    FROM temp.recscope_ranked
    WHERE relevant AND rank <= $k
),
summed AS (
    SELECT list, sum(so_far / rank) AS precisions FROM found GROUP BY list
)
SELECT totals.list, coalesce(precisions, 0) / relevant_items AS map
FROM totals
LEFT JOIN summed ON summed.list = totals.list
