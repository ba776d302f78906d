-- id: policy/counts
-- params: {=query} `lists.query_number` where relevance belongs to query and item, 0 where to the item alone
-- reads: temp.recscope_rows with the struct `policy`, temp.recscope_lists
-- returns: pair UINTEGER, position DOUBLE, shown DOUBLE, clicks DOUBLE
-- grain: one row per (query, item) pair and position, pairs numbered from 0; only pairs that were clicked and seen at several positions: the others cannot tell positions apart
WITH seen AS (
    SELECT
        {=query} AS query,
        logged.item AS item,
        logged.policy.position AS position,
        count(*) AS shown,
        count(*) FILTER (logged.label) AS clicks
    FROM temp.recscope_rows AS logged
    JOIN temp.recscope_lists AS lists ON lists.list = logged.list
    WHERE logged.label IS NOT NULL AND logged.item IS NOT NULL AND isfinite(logged.policy.position)
    GROUP BY ALL
),
telling AS (
    SELECT *
    FROM seen
    QUALIFY count(*) OVER (PARTITION BY query, item) > 1 AND sum(clicks) OVER (PARTITION BY query, item) > 0
)
SELECT
    CAST(dense_rank() OVER (ORDER BY query, item) - 1 AS UINTEGER) AS pair,
    position,
    shown::DOUBLE AS shown,
    clicks::DOUBLE AS clicks
FROM telling
ORDER BY pair, position
