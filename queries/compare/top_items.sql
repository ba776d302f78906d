-- id: compare/top_items
-- params: $k ranks
-- reads: temp.recscope_ranked
-- returns: list UINTEGER, rank BIGINT, item VARCHAR, gain DOUBLE (NULL: not judged)
-- grain: one row per list and rank up to k, in that order
SELECT list, rank, item, CASE WHEN judged THEN gain END AS gain
FROM temp.recscope_ranked
WHERE rank <= $k
ORDER BY list, rank
