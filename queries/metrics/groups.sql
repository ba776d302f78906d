-- id: metrics/groups
-- params: none
-- reads: temp.recscope_lists
-- returns: group_number UINTEGER, part BIGINT, value VARCHAR
-- grain: one row per group and column of the slice; none without a slice
SELECT group_number, unnest(range(len(slice))) AS part, unnest(slice) AS value
FROM (SELECT DISTINCT group_number, slice FROM temp.recscope_lists WHERE slice IS NOT NULL)
ORDER BY group_number, part
