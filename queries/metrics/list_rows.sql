-- id: metrics/list_rows
-- params: {from} relation, {=where} filter, {=query} {=user} {=slice} {=shown} {=score} {=gain} {=item} as expressions over `source`, $from_list, $to_list first and last list
-- reads: {from}, temp.recscope_lists
-- returns: list UINTEGER, shown BOOLEAN, score DOUBLE, gain DOUBLE, item UBIGINT
-- grain: one row per row of these lists, in no order; `item` is a hash, NULL without an item
SELECT lists.list, named.shown, named.score, named.gain, named.item
FROM (
    SELECT
        {=query} AS query,
        {=user} AS "user",
        {=slice} AS slice,
        {=shown} AS shown,
        CAST({=score} AS DOUBLE) AS score,
        CAST({=gain} AS DOUBLE) AS gain,
        CASE WHEN {=item} IS NOT NULL THEN hash(CAST({=item} AS VARCHAR)) END AS item
    FROM (SELECT * FROM {from} WHERE {=where}) AS source
) AS named
JOIN temp.recscope_lists AS lists
    ON named.query = lists.query
    AND named."user" IS NOT DISTINCT FROM lists."user"
    AND named.slice IS NOT DISTINCT FROM lists.slice
WHERE lists.list BETWEEN $from_list AND $to_list
