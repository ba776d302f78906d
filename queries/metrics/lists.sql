-- id: metrics/lists
-- params: {from} relation, {=where} filter, and {=query} {=user} {=slice} as expressions over `source`
-- reads: {from}
-- returns: makes TEMP recscope_lists
-- grain: one row per list, numbered from 0 by query, user, slice; rows without a query belong to none;
--        groups are numbered by the values of the slice, numbers as numbers (2 before 10), then as text;
--        `key` is a hash of query, user and slice as they were read
CREATE OR REPLACE TEMP TABLE recscope_lists AS
SELECT
    CAST(row_number() OVER (ORDER BY query, "user", slice) - 1 AS UINTEGER) AS list,
    CAST(dense_rank() OVER (ORDER BY query) - 1 AS UINTEGER) AS query_number,
    CAST(dense_rank() OVER (ORDER BY "user") - 1 AS UINTEGER) AS user_number,
    CAST(dense_rank() OVER (ORDER BY list_transform(slice, lambda part: TRY_CAST(part AS DOUBLE)), slice) - 1 AS UINTEGER) AS group_number,
    key,
    query,
    "user",
    slice,
    rows
FROM (
    SELECT *, hash(query, "user", slice) AS key
    FROM (
        -- ALL: what is NULL for every row costs nothing then.
        SELECT {=query} AS query, {=user} AS "user", {=slice} AS slice, count(*) AS rows
        FROM (SELECT * FROM {from} WHERE {=where}) AS source
        GROUP BY ALL
    )
    WHERE query IS NOT NULL
)
