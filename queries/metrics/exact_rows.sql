-- id: metrics/exact_rows
-- params: {from} relation, {=where} filter, {=query} {=user} {=slice} {=shown} {=score} {=gain} {=label} {=item} {=tie_position} {=seq} as expressions over `source`
-- reads: {from}
-- returns: key UBIGINT, shown BOOLEAN, score DOUBLE, gain DOUBLE, label BOOLEAN, item VARCHAR, place DOUBLE, seq BIGINT
-- grain: one row per row with a query, in no order; `key` is that of a row of recscope_lists
SELECT hash(query, "user", slice) AS key, shown, score, gain, label, item, place, seq
FROM (
    SELECT
        {=query} AS query,
        {=user} AS "user",
        {=slice} AS slice,
        {=shown} AS shown,
        coalesce(CAST({=score} AS DOUBLE), 0) AS score,
        CAST({=gain} AS DOUBLE) AS gain,
        CAST({=label} AS BOOLEAN) AS label,
        CAST({=item} AS VARCHAR) AS item,
        CAST({=tie_position} AS DOUBLE) AS place,
        {=seq} AS seq
    FROM (SELECT * FROM {from} WHERE {=where}) AS source
)
WHERE query IS NOT NULL
