-- id: metrics/list_rows
-- params: {from} relation, {=where} filter, {=query} {=user} {=slice} {=shown} {=score} {=gain} {=item} as expressions over `source`
-- reads: {from}
-- returns: key UBIGINT, shown BOOLEAN, score DOUBLE, gain DOUBLE, item UBIGINT
-- grain: one row per row with a query, in no order; `key` is that of a row of recscope_lists; `item` is a hash, NULL without an item
SELECT hash(query, "user", slice) AS key, shown, score, gain, item
FROM (
    SELECT
        {=query} AS query,
        {=user} AS "user",
        {=slice} AS slice,
        {=shown} AS shown,
        coalesce(CAST({=score} AS DOUBLE), 0) AS score,
        CAST({=gain} AS DOUBLE) AS gain,
        CASE WHEN {=item} IS NOT NULL THEN hash(CAST({=item} AS VARCHAR)) END AS item
    FROM (SELECT * FROM {from} WHERE {=where}) AS source
)
WHERE query IS NOT NULL
