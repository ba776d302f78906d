-- id: metrics/largest_gain
-- params: {from} relation, {=where} filter, {=query} {=gain} as expressions over `source`
-- reads: {from}
-- returns: largest_gain DOUBLE, NULL where nothing is judged
-- grain: one row
SELECT max(gain) AS largest_gain
FROM (
    SELECT {=query} AS query, CAST({=gain} AS DOUBLE) AS gain
    FROM (SELECT * FROM {from} WHERE {=where}) AS source
)
WHERE query IS NOT NULL AND isfinite(gain)
