-- id: metrics/gain_at
-- params: $k cut-off
-- reads: temp.recscope_ranked, temp.recscope_ideal
-- returns: list UINTEGER, ndcg DOUBLE, ndcg_exp DOUBLE
-- grain: one row per list with any gain
WITH best AS (
    SELECT
        list,
        sum(gain / log2(rank + 1)) AS linear,
        sum((pow(2, gain) - 1) / log2(rank + 1)) AS exponential
    FROM temp.recscope_ideal
    WHERE rank <= $k
    GROUP BY list
),
got AS (
    SELECT
        list,
        sum(gain / log2(rank + 1)) AS linear,
        sum((pow(2, gain) - 1) / log2(rank + 1)) AS exponential
    FROM temp.recscope_ranked
    WHERE rank <= $k AND gain > 0
    GROUP BY list
)
SELECT
    best.list,
    coalesce(got.linear, 0) / best.linear AS ndcg,
    coalesce(got.exponential, 0) / best.exponential AS ndcg_exp
FROM best
LEFT JOIN got ON got.list = best.list
