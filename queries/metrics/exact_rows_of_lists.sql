-- id: metrics/exact_rows_of_lists
-- params: none
-- reads: temp.recscope_rows
-- returns: list UINTEGER, shown BOOLEAN, score DOUBLE, gain DOUBLE, label BOOLEAN, item VARCHAR, place DOUBLE, seq BIGINT
-- grain: one row per row of a list, in no order
SELECT
    list,
    shown,
    coalesce(score, 0) AS score,
    gain,
    label,
    item,
    tie_position AS place,
    seq
FROM temp.recscope_rows
