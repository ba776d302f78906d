-- id: recipes/redivided
-- params: $k cut-off
-- reads: temp.recscope_ranked, temp.recscope_average_precision
-- returns: list, map DOUBLE
-- grain: one row per list with a relevant item: over min(R, k) instead of R
SELECT found.list, found.map * totals.relevant_items / least(totals.relevant_items, $k) AS map
FROM temp.recscope_average_precision AS found
JOIN (
    SELECT list, count(*) FILTER (relevant)::DOUBLE AS relevant_items
    FROM temp.recscope_ranked
    GROUP BY list
) AS totals ON totals.list = found.list
