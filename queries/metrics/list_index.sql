-- id: metrics/list_index
-- params: none
-- reads: temp.recscope_lists
-- returns: key UBIGINT, query_number UINTEGER, user_number UINTEGER, group_number UINTEGER, rows BIGINT
-- grain: one row per list, in order of its number
SELECT key, query_number, user_number, group_number, rows
FROM temp.recscope_lists
ORDER BY list
