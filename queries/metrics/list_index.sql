-- id: metrics/list_index
-- params: none
-- reads: temp.recscope_lists
-- returns: query_number UINTEGER, user_number UINTEGER, group_number UINTEGER, rows BIGINT, largest_gain DOUBLE
-- grain: one row per list, in order of its number
SELECT query_number, user_number, group_number, rows, largest_gain
FROM temp.recscope_lists
ORDER BY list
