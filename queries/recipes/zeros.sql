-- id: recipes/zeros
-- params: {value} the metric's column
-- reads: temp.recscope_lists, temp.recscope_found
-- returns: list, {value} DOUBLE
-- grain: one row per list; 0 where it has no value
SELECT lists.list, CASE WHEN isfinite(found.{value}) THEN found.{value} ELSE 0 END AS {value}
FROM temp.recscope_lists AS lists
LEFT JOIN temp.recscope_found AS found ON found.list = lists.list
