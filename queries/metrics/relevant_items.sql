-- id: metrics/relevant_items
-- params: none
-- reads: temp.recscope_ranked
-- returns: list UINTEGER, relevant_items DOUBLE
-- grain: one row per list
SELECT list, count(*) FILTER (relevant)::DOUBLE AS relevant_items
FROM temp.recscope_ranked
GROUP BY list
