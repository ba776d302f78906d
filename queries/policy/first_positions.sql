-- id: policy/first_positions
-- params: {from} relation, {=where} filter, {=query} {=user} {=position} as expressions over `source`
-- reads: {from}
-- returns: zeros BIGINT, ones BIGINT
-- grain: one row: lists whose first logged position is 0, and those where it is 1
SELECT
    count(*) FILTER (first = 0) AS zeros,
    count(*) FILTER (first = 1) AS ones
FROM (
    SELECT min(position) AS first
    FROM (
        SELECT {=query} AS query, {=user} AS "user", {=position} AS position
        FROM (SELECT * FROM {from} WHERE {=where}) AS source
    )
    WHERE query IS NOT NULL
    GROUP BY query, "user"
)
