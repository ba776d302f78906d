-- id: metrics/unlisted
-- params: {from} relation, {=where} filter, {=query} as an expression over `source`
-- reads: {from}
-- returns: rows BIGINT
-- grain: one row: how many rows have no query
SELECT count(*) AS rows
FROM (SELECT {=query} AS query FROM (SELECT * FROM {from} WHERE {=where}) AS source)
WHERE query IS NULL
