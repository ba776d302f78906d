-- id: metrics/rows_of_lists
-- params: none
-- reads: temp.recscope_rows
-- returns: list UINTEGER, shown BOOLEAN, score DOUBLE, gain DOUBLE, item UBIGINT
-- grain: one row per row of a list, in no order; `item` is a hash, NULL without an item
SELECT
    list,
    shown,
    coalesce(score, 0) AS score,
    gain,
    CASE WHEN item IS NOT NULL THEN hash(item) END AS item
FROM temp.recscope_rows
