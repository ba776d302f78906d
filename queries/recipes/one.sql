-- id: recipes/one
-- params: {metric} what the value is called
-- reads: temp.recscope_measured
-- returns: {metric} DOUBLE, n BIGINT
-- grain: one row: the slice, or all there is
SELECT max(value) FILTER (side) AS {metric}, coalesce(max(n) FILTER (side), 0)::BIGINT AS n
FROM temp.recscope_measured
