-- id: compare/list_keys
-- params: none
-- reads: temp.recscope_lists
-- returns: query VARCHAR, user VARCHAR
-- grain: one row per list, in order of its number; what two runs' lists are matched by
SELECT query::VARCHAR AS query, "user"::VARCHAR AS "user"
FROM temp.recscope_lists
ORDER BY list
