-- id: metrics/rprec
-- params: none
-- reads: temp.recscope_ranked
-- returns: list UINTEGER, rprec DOUBLE
-- grain: one row per list with a relevant item
WITH totals AS (
    SELECT list, count(*) AS relevant_items FROM temp.recscope_ranked WHERE relevant GROUP BY list
)
SELECT
    totals.list,
    count(*) FILTER (ranked.rank <= relevant_items) / any_value(relevant_items) AS rprec
FROM totals
JOIN temp.recscope_ranked AS ranked ON ranked.list = totals.list AND ranked.relevant
GROUP BY totals.list
