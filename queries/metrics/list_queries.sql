-- id: metrics/list_queries
-- params: none
-- reads: temp.recscope_lists
-- returns: query VARCHAR
-- grain: one row per list, in order of its number
SELECT query::VARCHAR AS query
FROM temp.recscope_lists
ORDER BY list
