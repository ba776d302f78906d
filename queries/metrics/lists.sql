-- id: metrics/lists
-- params: {from} relation, {=where} filter, and {=query} {=user} {=slice} {=gain} as expressions over `source`
-- reads: {from}
-- returns: makes TEMP recscope_lists
-- grain: one row per list, numbered from 0 by query, user, slice; rows without a query belong to none;
--        groups are numbered by the values of the slice, numbers as numbers (2 before 10), then as text
CREATE OR REPLACE TEMP TABLE recscope_lists AS
SELECT
    CAST(row_number() OVER (ORDER BY query, "user", slice) - 1 AS UINTEGER) AS list,
    CAST(dense_rank() OVER (ORDER BY query) - 1 AS UINTEGER) AS query_number,
    CAST(dense_rank() OVER (ORDER BY "user") - 1 AS UINTEGER) AS user_number,
    CAST(dense_rank() OVER (ORDER BY list_transform(slice, lambda part: TRY_CAST(part AS DOUBLE)), slice) - 1 AS UINTEGER) AS group_number,
    query,
    "user",
    slice,
    rows,
    largest_gain
FROM (
    SELECT query, "user", slice, count(*) AS rows, max(gain) FILTER (isfinite(gain)) AS largest_gain
    FROM (
        SELECT {=query} AS query, {=user} AS "user", {=slice} AS slice, CAST({=gain} AS DOUBLE) AS gain
        FROM (SELECT * FROM {from} WHERE {=where}) AS source
    )
    WHERE query IS NOT NULL
    GROUP BY query, "user", slice
)
