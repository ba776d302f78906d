-- id: metrics/cross_lists
-- params: none
-- reads: temp.recscope_lists
-- returns: makes TEMP recscope_lists anew, numbered again in the same order
-- grain: one row per query, user and group, `rows` 0 where the user's query has no row of the group
CREATE OR REPLACE TEMP TABLE recscope_lists AS
WITH owners AS (
    SELECT DISTINCT hash(query, "user") AS owner, query, "user", query_number, user_number
    FROM temp.recscope_lists
),
parts AS (
    SELECT DISTINCT hash(slice) AS part, slice, group_number
    FROM temp.recscope_lists
),
crossed AS (
    SELECT *, hash(query, "user", slice) AS key
    FROM owners
    CROSS JOIN parts
)
SELECT
    CAST(row_number() OVER (ORDER BY crossed.query, crossed."user", crossed.slice) - 1 AS UINTEGER) AS list,
    crossed.query_number,
    crossed.user_number,
    crossed.group_number,
    crossed.key,
    crossed.query,
    crossed."user",
    crossed.slice,
    coalesce(lists.rows, 0) AS rows
FROM crossed
LEFT JOIN temp.recscope_lists AS lists
    ON crossed.key = lists.key
    AND crossed.query_number = lists.query_number
    AND crossed.user_number = lists.user_number
    AND crossed.group_number = lists.group_number
