-- id: metrics/list_names
-- params: none
-- reads: temp.recscope_lists
-- returns: query VARCHAR, user VARCHAR
-- grain: one row per list, in order of its number
SELECT query::VARCHAR AS query, "user"::VARCHAR AS "user"
FROM temp.recscope_lists
ORDER BY list
