-- id: metrics/list_rows
-- params: $from, $to first and last list
-- reads: temp.recscope_judged, temp.recscope_lists
-- returns: list UINTEGER, shown BOOLEAN, score DOUBLE, gain DOUBLE, item UBIGINT
-- grain: one row per row of recscope_judged of these lists, in no order; `item` is a hash, NULL without an item
SELECT
    lists.list,
    judged.shown,
    judged.score,
    judged.gain,
    CASE WHEN judged.item IS NOT NULL THEN hash(judged.item) END AS item
FROM temp.recscope_judged AS judged
JOIN temp.recscope_lists AS lists
    ON judged.query = lists.query
    AND judged."user" IS NOT DISTINCT FROM lists."user"
    AND judged.slice IS NOT DISTINCT FROM lists.slice
WHERE lists.list BETWEEN $from AND $to
