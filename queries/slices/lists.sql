-- id: slices/lists
-- params: {=query} and {=user} of `sliced` or NULL, $low and $high rows
-- reads: temp.recscope_sliced, temp.recscope_lists
-- returns: row BIGINT, list UINTEGER
-- grain: one row per row from $low to before $high that belongs to a list
SELECT sliced.recscope_row AS row, lists.list
FROM temp.recscope_sliced AS sliced
JOIN temp.recscope_lists AS lists
    ON hash({=query}, {=user}, CAST(NULL AS VARCHAR[])) = lists.key
    AND {=query} = lists.query
    AND {=user} IS NOT DISTINCT FROM lists."user"
WHERE sliced.recscope_row >= $low AND sliced.recscope_row < $high
