-- id: metrics/ordered
-- params: {rows} recscope_rows or recscope_unique, $from_list, $to_list first and last list
-- reads: temp.{rows}
-- returns: list UINTEGER, shown BOOLEAN, score DOUBLE, gain DOUBLE, item UBIGINT
-- grain: one row per row of {rows} in these lists, in no order; `score` is minus the rank, `item` always NULL
SELECT
    list,
    shown,
    -CAST(row_number() OVER (
        PARTITION BY list
        ORDER BY shown DESC, score DESC NULLS LAST, tie_position ASC NULLS LAST, tie_item DESC NULLS LAST, seq
    ) AS DOUBLE) AS score,
    gain,
    CAST(NULL AS UBIGINT) AS item
FROM temp.{rows}
WHERE list BETWEEN $from_list AND $to_list
