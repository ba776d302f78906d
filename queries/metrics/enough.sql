-- id: metrics/enough
-- params: $k items
-- reads: temp.recscope_ranked
-- returns: list UINTEGER, enough DOUBLE
-- grain: one row per list: 1 where it shows at least $k items
SELECT list, (count(rank) >= $k)::DOUBLE AS enough
FROM temp.recscope_ranked
GROUP BY list
