-- id: metrics/variety
-- params: $k cut-off
-- reads: temp.recscope_ranked, temp.recscope_extras
-- returns: list UINTEGER, variety DOUBLE
-- grain: one row per list that shows at least two items with a category: the share of its pairs that differ
WITH categories AS (
    SELECT list, item, max(category) AS category
    FROM temp.recscope_extras
    WHERE category IS NOT NULL AND item IS NOT NULL
    GROUP BY list, item
),
times AS (
    SELECT ranked.list, categories.category, count(*)::DOUBLE AS n
    FROM temp.recscope_ranked AS ranked
    JOIN categories ON categories.list = ranked.list AND categories.item = ranked.item
    WHERE ranked.rank <= $k
    GROUP BY ranked.list, categories.category
)
SELECT list, 1 - sum(n * (n - 1)) / (sum(n) * (sum(n) - 1)) AS variety
FROM times
GROUP BY list
HAVING sum(n) >= 2
