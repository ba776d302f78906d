-- id: metrics/seed
-- params: none
-- reads: temp.recscope_ranked
-- returns: list UINTEGER, shown DOUBLE, seed_list DOUBLE, seed_example DOUBLE, seed_mean DOUBLE, seed_literal DOUBLE, relevance_example DOUBLE
-- grain: one row per list; the seed text's own formulas, NULL where they divide by zero
SELECT
    list,
    shown::DOUBLE AS shown,
    clicks_shown / nullif(shown, 0) AS seed_list,
    clicks_shown / nullif(clicks, 0) AS seed_example,
    1 / nullif(shown, 0) AS seed_mean,
    clicks_shown / nullif(discounted, 0) AS seed_literal,
    discounted / nullif(shown, 0) AS relevance_example
FROM (
    SELECT
        list,
        count(rank) AS shown,
        count(*) FILTER (clicked) AS clicks,
        count(*) FILTER (clicked AND rank IS NOT NULL) AS clicks_shown,
        coalesce(sum(1 / log2(rank + 1)) FILTER (clicked AND rank IS NOT NULL), 0) AS discounted
    FROM temp.recscope_ranked
    GROUP BY list
)
