-- id: metrics/positions
-- params: {from} relation, {=where} filter, {=position} {=label} {=purchase} as expressions over `source`
-- reads: {from}
-- returns: position BIGINT, shown BIGINT, labelled BIGINT, clicks BIGINT, asked BIGINT, purchases BIGINT
-- grain: one row per position, from the top; rows without a position last
SELECT
    CAST({=position} AS BIGINT) AS position,
    count(*) AS shown,
    count({=label}) AS labelled,
    count(*) FILTER ({=label}) AS clicks,
    count({=purchase}) AS asked,
    count(*) FILTER ({=purchase}) AS purchases
FROM (SELECT * FROM {from} WHERE {=where}) AS source
GROUP BY 1
ORDER BY 1 NULLS LAST
